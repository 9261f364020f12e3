import { randomUUID } from 'node:crypto';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import {
  ALLOWED_TRANSITIONS,
  HistoryEntry,
  ModelVersion,
  REGISTRY_ENV,
  REGISTRY_ERRORS,
  REGISTRY_KEYS,
  VersionRecord,
  VersionState,
} from '../../lib/registry/contract';
import { createDocumentClient, lostRace, Page, PageOptions, queryPage, untilWon } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { HistoryVerdict, verifyChain } from './history';
import { firstState, RegisteredModel, toModel, toVersion } from './records';
import { RegistryTables } from './registry-tables.client';

/** Who changes the registry, and why; both stand in the history for good. */
export interface Change {
  readonly actor: string;
  readonly reason: string;
  readonly evidenceUri?: string;
}

export interface PromotionOptions extends Change {
  /** Version that must be serving now, null for none; left out: whatever serves is replaced. */
  readonly expectedChampion?: number | null;
}

export interface Promotion {
  readonly champion: ModelVersion;
  readonly previousVersion?: number;
}

/** Action of the history for a transition; Production is reached only through a promotion. */
const ACTIONS: Readonly<Partial<Record<VersionState, HistoryEntry['action']>>> = {
  PendingApproval: 'Completed',
  Approved: 'Approved',
  Rejected: 'Rejected',
  Archived: 'Archived',
};

const illegal = (message: string): NamedError => new NamedError(REGISTRY_ERRORS.illegalTransition, message);

const assertAllowed = ({ model, version, state }: ModelVersion, to: VersionState): void => {
  if (ALLOWED_TRANSITIONS[state].includes(to)) return;
  throw illegal(`${model} v${version} is ${state} and cannot become ${to}; allowed from here: ${ALLOWED_TRANSITIONS[state].join(', ')}`);
};

const named = (version: number | null | undefined): string => (version ? `v${version}` : 'no version');

/**
 * Models, their versions and which one serves. Every change is one transaction that also adds one entry to the model's history;
 * changes of one model are serialised by the last link of that history, changes of different models never meet.
 */
export class ModelRegistryClient {
  private readonly tables: RegistryTables;

  constructor(
    registryTable: string = requireEnv(REGISTRY_ENV.registryTable),
    historyTable: string = requireEnv(REGISTRY_ENV.historyTable),
    db: DynamoDBDocumentClient = createDocumentClient(),
  ) {
    this.tables = new RegistryTables(registryTable, historyTable, db);
  }

  /** The model of that name; made where there is none. */
  public async ensureModel(name: string, owner?: string): Promise<RegisteredModel> {
    const existing = await this.findModel(name);
    if (existing) return existing;
    const model: RegisteredModel = { modelId: randomUUID(), name, owner, createdAt: new Date().toISOString() };
    try {
      await this.tables.write(this.tables.addModel(model));
      return model;
    } catch (error) {
      const winner = lostRace(error) ? await this.findModel(name) : undefined;
      if (winner) return winner;
      throw error;
    }
  }

  /** Registers what a run made, under the next number. The same run registers once: a second call answers the first one's version. */
  public async registerVersion(name: string, record: VersionRecord, change: Change): Promise<ModelVersion> {
    const { modelId } = await untilWon(() => this.ensureModel(name));
    return this.contend(name, async () => {
      const [registered, model] = await Promise.all([this.tables.versionOfRun(modelId, record.runId), this.tables.model(modelId)]);
      if (registered !== undefined) return this.tables.version(modelId, registered, name);
      const version = model.nextVersion;
      const state = firstState(record);
      const { entry, parts } = this.tables.chain(model, { ...pick(change), action: 'Registered', version, toState: state });
      const made: ModelVersion = { ...record, modelId, model: name, version, state, createdAt: entry.at, updatedAt: entry.at };
      await this.tables.write([...parts, ...this.tables.addVersion(made)]);
      return made;
    });
  }

  public async getVersion(name: string, version: number): Promise<ModelVersion> {
    return this.tables.version(await this.tables.requireModelId(name), version, name);
  }

  /** Newest first. */
  public async listVersions(name: string, options: PageOptions = {}): Promise<Page<ModelVersion>> {
    const page = await queryPage(this.tables.db, this.tables.versionsQuery(await this.tables.requireModelId(name)), options);
    return { items: page.items.map(toVersion), cursor: page.cursor };
  }

  /** The version that serves; undefined before the first promotion and for a model that has no versions yet. */
  public async champion(name: string): Promise<ModelVersion | undefined> {
    const modelId = await this.tables.modelId(name);
    return modelId === undefined ? undefined : (await this.tables.champion(modelId))?.record;
  }

  /** Moves a version to another state; a version that is there already is left alone. What serves is changed by `promote` alone. */
  public async transition(name: string, version: number, to: VersionState, change: Change): Promise<ModelVersion> {
    const modelId = await this.tables.requireModelId(name);
    return this.contend(name, async () => {
      const [model, current] = await Promise.all([this.tables.model(modelId), this.tables.version(modelId, version, name)]);
      if (current.state === to) return current;
      const action = ACTIONS[to];
      if (!action || current.state === 'Production') {
        throw illegal(`${name} v${version} is ${current.state} and cannot become ${to}: only a promotion moves a version to or from Production`);
      }
      assertAllowed(current, to);
      const { entry, parts } = this.tables.chain(model, { ...pick(change), action, version, fromState: current.state, toState: to });
      await this.tables.write([...parts, this.tables.move(current, to, entry.at)]);
      return { ...current, state: to, updatedAt: entry.at };
    });
  }

  /**
   * Makes a version the champion and archives the one before, in one transaction; a version that serves already is left alone.
   * A champion other than the expected one is a conflict. Promoting an archived version is a rollback and recorded as one.
   */
  public async promote(name: string, version: number, options: PromotionOptions): Promise<Promotion> {
    const modelId = await this.tables.requireModelId(name);
    const { expectedChampion } = options;
    return this.contend(name, async () => {
      const [model, next, pointer] = await Promise.all([
        this.tables.model(modelId),
        this.tables.version(modelId, version, name),
        this.tables.champion(modelId),
      ]);
      if (pointer?.version === version) return { champion: pointer.record, previousVersion: pointer.previousVersion };
      if (expectedChampion !== undefined && expectedChampion !== (pointer?.version ?? null)) {
        const found = `${named(pointer?.version)} serves now: nothing was changed`;
        throw new NamedError(REGISTRY_ERRORS.conflict, `${name} v${version} was to replace ${named(expectedChampion)}, but ${found}`);
      }
      assertAllowed(next, 'Production');
      const { entry, parts } = this.tables.chain(model, {
        ...pick(options),
        action: next.state === 'Archived' ? 'RolledBack' : 'Promoted',
        version,
        fromState: next.state,
        toState: 'Production',
        previousChampion: pointer?.version,
      });
      const champion: ModelVersion = { ...next, state: 'Production', updatedAt: entry.at };
      await this.tables.write([
        ...parts,
        this.tables.move(next, 'Production', entry.at),
        ...(pointer ? [this.tables.move(pointer.record, 'Archived', entry.at)] : []),
        this.tables.point(champion, pointer),
      ]);
      return { champion, previousVersion: pointer?.version };
    });
  }

  /** Every change of the model, oldest first. */
  public async history(name: string): Promise<readonly HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    for await (const entry of this.tables.history(await this.tables.requireModelId(name), 'oldest first')) entries.push(entry);
    return entries;
  }

  /** Whether the history is complete and unchanged since it was written. */
  public async verifyHistory(name: string): Promise<HistoryVerdict> {
    const modelId = await this.tables.requireModelId(name);
    for (let before = await this.tables.model(modelId); ; ) {
      const verdict = await verifyChain(modelId, before.head, this.tables.history(modelId, 'oldest first'));
      const after = await this.tables.model(modelId);
      // Entries that were added while reading look like a chain that does not end at the head; with the newer head they do not.
      if (verdict.intact || after.head.hash === before.head.hash) return verdict;
      before = after;
    }
  }

  /** Number of the version that served at a moment (ISO 8601); undefined before the first promotion. */
  public async servedAt(name: string, time: string): Promise<number | undefined> {
    const moment = new Date(time).toISOString();
    for await (const entry of this.tables.history(await this.tables.requireModelId(name), 'newest first')) {
      if (entry.toState === 'Production' && entry.at <= moment) return entry.version;
    }
    return undefined;
  }

  /** Every model, by name. Eventually consistent: a model made a moment ago may be missing. */
  public async listModels(options: PageOptions = {}): Promise<Page<RegisteredModel>> {
    const page = await queryPage(this.tables.db, this.tables.indexQuery(REGISTRY_KEYS.models), options);
    return { items: page.items.map(toModel), cursor: page.cursor };
  }

  /** Versions of all models whose artifact has this SHA-256. Eventually consistent. */
  public async byDigest(sha256: string, options: PageOptions = {}): Promise<Page<ModelVersion>> {
    const page = await queryPage(this.tables.db, this.tables.indexQuery(REGISTRY_KEYS.digest(sha256)), options);
    return { items: page.items.map(toVersion), cursor: page.cursor };
  }

  private async findModel(name: string): Promise<RegisteredModel | undefined> {
    const modelId = await this.tables.modelId(name);
    if (modelId === undefined) return undefined;
    const { owner, createdAt } = await this.tables.model(modelId);
    return { modelId, name, owner, createdAt };
  }

  private async contend<T>(name: string, attempt: () => Promise<T>): Promise<T> {
    try {
      return await untilWon(attempt);
    } catch (error) {
      if (!lostRace(error)) throw error;
      const message = `${name} is changed by too many writers at once, nothing was written: try again`;
      throw new NamedError(REGISTRY_ERRORS.conflict, message, { cause: error });
    }
  }
}

/** A caller's options may hold more than the history should. */
const pick = ({ actor, reason, evidenceUri }: Change): Change => ({ actor, reason, evidenceUri });
