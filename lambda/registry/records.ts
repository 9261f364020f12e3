import { createHash } from 'node:crypto';
import {
  CHAMPION_ALIAS,
  HistoryEntry,
  ModelVersion,
  RegisteredModel,
  REGISTRY_KEYS,
  Stage,
  VersionApproval,
  VersionRecord,
  VersionRule,
  VersionState,
} from '../../lib/registry/contract';
import { Item, withoutKeys } from '../common/dynamo.client';
import { Packed, pack, unpack } from '../common/packed';
import { canonicalJson, HistoryHead } from './history';
import { Labels, NO_LABELS, readLabels } from './labels';
import { missingItems } from './lifecycle';

/** A model as its item holds it. Pairs, not maps: every text may be a key. */
export interface ModelRow {
  readonly modelId: string;
  readonly name: string;
  readonly owner?: string;
  readonly labels: Labels;
  readonly aliases: readonly (readonly [alias: string, version: number])[];
  /** Version in state Production. */
  readonly production?: number;
  /** What `champion` named before it named what it names now. */
  readonly previousChampion?: number;
  readonly managed: boolean;
  readonly rules?: readonly VersionRule[];
  readonly latest: Readonly<Partial<Record<Stage, number>>>;
  readonly nextVersion: number;
  readonly formerIds: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly renamedAt?: string;
  /** Last link of the history. */
  readonly head: HistoryHead;
}

/** A version as its item holds it; names, aliases and what is missing are worked out when it is read. */
export interface VersionRow {
  readonly modelId: string;
  readonly version: number;
  readonly state: VersionState;
  readonly source: string;
  readonly runId?: string;
  readonly runLink?: string;
  readonly loggedModelId?: string;
  readonly stage: Stage;
  readonly labels: Labels;
  /** Whether the model's pipeline made it. */
  readonly byPipeline: boolean;
  readonly approval?: VersionApproval;
  readonly createdBy: string;
  /** Who took the last step between states. */
  readonly stepBy: string;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly record: Partial<VersionRecord>;
  readonly deleted?: boolean;
}

/** What a name that was given up leaves behind. */
export interface FreeName {
  readonly free: true;
  readonly formerIds: readonly string[];
}

export const modelKey = (name: string): Item => ({ pk: REGISTRY_KEYS.models, sk: name });
export const metaKey = (modelId: string): Item => ({ pk: REGISTRY_KEYS.model(modelId), sk: REGISTRY_KEYS.meta });
export const versionKey = (modelId: string, version: number): Item => ({ pk: REGISTRY_KEYS.model(modelId), sk: REGISTRY_KEYS.version(version) });
export const championKey = (name: string): Item => ({ pk: REGISTRY_KEYS.champions, sk: name });
export const runKey = (modelId: string, runId: string): Item => ({ pk: REGISTRY_KEYS.model(modelId), sk: REGISTRY_KEYS.run(runId) });

export const labelKey = (modelId: string, set: string, key: string): Item => ({
  pk: REGISTRY_KEYS.model(modelId),
  sk: REGISTRY_KEYS.label(set, key),
});

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Partition of what carries a tag: keys and values may be longer than a key of the table, and hold any character. */
export const tagPartition = (key: string, value: string): string => REGISTRY_KEYS.tag(sha256(JSON.stringify([key, value])));

export const modelItem = ({ head, ...row }: ModelRow): Item => ({
  ...row,
  ...modelKey(row.name),
  historySequence: head.sequence,
  historyHash: head.hash,
  historyAt: head.at,
});

export const toModelRow = (item: Item): ModelRow => {
  const { historySequence, historyHash, historyAt, ...row } = withoutKeys<Item>(item);
  return { ...row, head: { sequence: historySequence, hash: historyHash, at: historyAt } } as unknown as ModelRow;
};

export const versionItem = ({ record, ...row }: VersionRow): Item => ({
  ...row,
  ...versionKey(row.modelId, row.version),
  record: pack(record),
  ...(record.artifact && !row.deleted
    ? { gsi1pk: REGISTRY_KEYS.digest(record.artifact.sha256), gsi1sk: REGISTRY_KEYS.reference(row.modelId, row.version) }
    : {}),
});

export const toVersionRow = (item: Item): VersionRow => {
  const { record, ...row } = withoutKeys<Item>(item);
  return { ...row, record: unpack(record as Packed) } as unknown as VersionRow;
};

export const historyItem = (entry: HistoryEntry): Item => ({ ...entry, pk: entry.modelId, sk: REGISTRY_KEYS.sequence(entry.sequence) });

export const toHistoryEntry = (item: Item): HistoryEntry => withoutKeys<HistoryEntry>(item);

export const aliasOf = (row: Pick<ModelRow, 'aliases'>, alias: string): number | undefined => row.aliases.find(([name]) => name === alias)?.[1];

export const championOf = (row: ModelRow | undefined): number | undefined => row && aliasOf(row, CHAMPION_ALIAS);

export const aliasesOf = (row: Pick<ModelRow, 'aliases'>, version: number): string[] =>
  row.aliases.filter(([, number]) => number === version).map(([alias]) => alias);

export const toModel = (row: ModelRow, more: Labels['inline'] = []): RegisteredModel => {
  const { modelId, name, owner, managed, rules, latest, formerIds, createdAt, updatedAt } = row;
  const { description, tags } = readLabels(row.labels, more);
  const aliases = Object.fromEntries(row.aliases);
  return { modelId, name, description, owner, tags, aliases, managed, rules, latest, formerIds, createdAt, updatedAt };
};

/** What a version's answer takes from its model. */
export type VersionContext = Pick<ModelRow, 'name' | 'aliases' | 'renamedAt'>;

export const toVersion = (row: VersionRow, model: VersionContext, more: Labels['inline'] = []): ModelVersion => {
  const { modelId, version, state, source, runId, runLink, loggedModelId, stage, approval, createdBy, createdAt, record } = row;
  const { description, tags } = readLabels(row.labels, more);
  return {
    ...record,
    modelId,
    model: model.name,
    version,
    state,
    missing: missingItems(record),
    source,
    description,
    runId,
    runLink,
    loggedModelId,
    stage,
    tags,
    aliases: aliasesOf(model, version),
    approval,
    createdBy,
    createdAt,
    // A renaming touches every version without writing it.
    updatedAt: model.renamedAt !== undefined && model.renamedAt > row.updatedAt ? model.renamedAt : row.updatedAt,
  };
};

/** Digest over what was registered and never changes. */
export const recordDigest = ({ source, runId, runLink, loggedModelId, record }: VersionRow): string =>
  sha256(canonicalJson({ source, runId, runLink, loggedModelId, record }));

/** What stays of a deleted version: its number and digests, for the record; nothing that MLflow would show. */
export const tombstone = (row: VersionRow, at: string): VersionRow => ({ ...row, labels: NO_LABELS, deleted: true, updatedAt: at });
