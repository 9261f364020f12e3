import { HistoryEntry, ModelVersion, REGISTRY_KEYS, VersionRecord, VersionState } from '../../lib/registry/contract';
import { Item, withoutKeys } from '../common/dynamo.client';
import { HistoryHead, NO_HISTORY } from './history';

/** A model as the registry knows it. */
export interface RegisteredModel {
  readonly modelId: string;
  readonly name: string;
  readonly owner?: string;
  readonly createdAt: string;
}

/** A model with what only writers need. */
export interface ModelState extends RegisteredModel {
  readonly nextVersion: number;
  readonly head: HistoryHead;
}

/** The alias that serves. */
export interface ChampionPointer {
  readonly version: number;
  readonly previousVersion?: number;
  readonly revision: number;
  readonly record: ModelVersion;
}

export const modelKey = (modelId: string): Item => ({ pk: REGISTRY_KEYS.model(modelId), sk: REGISTRY_KEYS.meta });

export const versionKey = (modelId: string, version: number): Item => ({ pk: REGISTRY_KEYS.model(modelId), sk: REGISTRY_KEYS.version(version) });

export const versionItem = (version: ModelVersion): Item => ({
  ...version,
  ...versionKey(version.modelId, version.version),
  gsi1pk: REGISTRY_KEYS.digest(version.artifact.sha256),
  gsi1sk: `${version.modelId}#${String(version.version).padStart(7, '0')}`,
});

export const toVersion = (item: Item): ModelVersion => withoutKeys<ModelVersion>(item);

export const modelItem = (model: RegisteredModel): Item => ({
  ...model,
  ...modelKey(model.modelId),
  gsi1pk: REGISTRY_KEYS.models,
  gsi1sk: model.name,
  nextVersion: 1,
  historySequence: NO_HISTORY.sequence,
  historyHash: NO_HISTORY.hash,
  historyAt: NO_HISTORY.at,
});

export const toModel = ({ modelId, name, owner, createdAt }: Item): RegisteredModel => ({ modelId, name, owner, createdAt }) as RegisteredModel;

export const toModelState = (item: Item): ModelState => ({
  ...toModel(item),
  nextVersion: item.nextVersion as number,
  head: { sequence: item.historySequence, hash: item.historyHash, at: item.historyAt } as HistoryHead,
});

export const historyItem = (entry: HistoryEntry): Item => ({ ...entry, pk: entry.modelId, sk: REGISTRY_KEYS.sequence(entry.sequence) });

export const toHistoryEntry = (item: Item): HistoryEntry => withoutKeys<HistoryEntry>(item);

/** A version waits for approval where the gate passed, else it is kept as rejected: what was refused, and why, stays on record. */
export const firstState = (record: VersionRecord): VersionState => (record.gate.passed ? 'PendingApproval' : 'Rejected');
