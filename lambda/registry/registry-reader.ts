import { HistoryEntry, ModelVersion, RegisteredModel, REGISTRY_KEYS, Stage } from '../../lib/registry/contract';
import { decodeCursor, encodeCursor, Item, Page, PageOptions, queryPage } from '../common/dynamo.client';
import { HistoryVerdict } from './history';
import { invalid, noAlias, STAGES } from './names';
import {
  aliasOf,
  metaKey,
  modelKey,
  ModelRow,
  tagPartition,
  toModel,
  toModelRow,
  toVersion,
  toVersionRow,
  VersionContext,
  VersionRow,
  versionKey,
} from './records';
import { HistoryCopies, verify } from './registry-audit';
import { ModelMeta, RegistryStore } from './registry-store.client';

const DEFAULT_LIMIT = 50;

/** Every question to the registry: one request by key or one query each, beside the one that finds the model of a name. Answers are consistent. */
export class RegistryReader {
  constructor(protected readonly store: RegistryStore) {}

  public async getModel(name: string): Promise<RegisteredModel> {
    return this.model(await this.store.model(name));
  }

  public async findModel(name: string): Promise<RegisteredModel | undefined> {
    const row = await this.store.findModel(name);
    return row && this.model(row);
  }

  /** Every model, by name. */
  public async listModels({ limit = DEFAULT_LIMIT, cursor }: PageOptions = {}): Promise<Page<RegisteredModel>> {
    const start = cursor === undefined ? undefined : position(cursor, 'name', 'string');
    const rows: ModelRow[] = [];
    const query = {
      KeyConditionExpression: start === undefined ? 'pk = :pk' : 'pk = :pk AND sk > :after',
      ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.models, ...(start === undefined ? {} : { ':after': start }) },
      Limit: limit + 1,
    };
    // Names that were given up are passed over, so one page may take more than one request.
    for await (const item of this.store.query(query)) {
      if (!item.free) rows.push(toModelRow(item));
      if (rows.length > limit) break;
    }
    const page = rows.slice(0, limit);
    const items = await Promise.all(page.map((row) => this.model(row)));
    return { items, cursor: rows.length > limit ? encodeCursor({ name: page.at(-1)!.name }) : undefined };
  }

  public async getVersion(name: string, version: number): Promise<ModelVersion> {
    const model = await this.store.model(name);
    return this.version(await this.store.version(model, version), model);
  }

  /** Newest first. */
  public async listVersions(name: string, { limit = DEFAULT_LIMIT, cursor }: PageOptions = {}): Promise<Page<ModelVersion>> {
    const model = await this.store.model(name);
    const before = cursor === undefined ? model.nextVersion : (position(cursor, 'version', 'number') as number);
    const rows: VersionRow[] = [];
    for await (const row of this.newestFirst(model.modelId, before, limit + 1)) {
      rows.push(row);
      if (rows.length > limit) break;
    }
    const page = rows.slice(0, limit);
    const items = await Promise.all(page.map((row) => this.version(row, model)));
    return { items, cursor: rows.length > limit ? encodeCursor({ version: page.at(-1)!.version }) : undefined };
  }

  /** The version that an alias names; an alias that the model does not have is refused as MLflow refuses it. */
  public async getByAlias(name: string, alias: string): Promise<ModelVersion> {
    const model = await this.store.model(name);
    const version = aliasOf(model, alias);
    if (version === undefined) throw noAlias(alias);
    return this.version(await this.store.version(model, version), model);
  }

  /** The version that the alias `champion` names, by one request; undefined while there is none. */
  public async champion(name: string): Promise<ModelVersion | undefined> {
    const found = await this.store.champion(name);
    return found && this.version(found.row, { name, aliases: found.aliases, renamedAt: found.renamedAt });
  }

  /** Newest version of each stage, or of the given ones. */
  public async latestVersions(name: string, stages: readonly Stage[] = STAGES): Promise<ModelVersion[]> {
    const model = await this.store.model(name);
    return (await this.latestOf([model], stages)).get(model.modelId) ?? [];
  }

  /** The same for a page of models, by model id, in one request for a hundred versions. */
  public async latestOf(
    models: readonly Pick<RegisteredModel, 'modelId' | 'latest'>[],
    stages: readonly Stage[] = STAGES,
  ): Promise<ReadonlyMap<string, ModelVersion[]>> {
    const wanted = models.flatMap(({ modelId, latest }) => stages.flatMap((stage) => latest[stage] ?? []).map((version) => ({ modelId, version })));
    const found = new Map<string, ModelVersion[]>(models.map(({ modelId }) => [modelId, []]));
    for (const version of await this.resolve(wanted)) found.get(version.modelId)?.push(version);
    return found;
  }

  /** Versions of all models that came from a run. */
  public async versionsOfRun(runId: string): Promise<ModelVersion[]> {
    const found: Reference[] = [];
    const query = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.run(runId) } };
    for await (const item of this.store.query(query)) found.push(item as unknown as Reference);
    return (await this.resolve(found)).filter((version) => version.runId === runId);
  }

  /** Versions of all models whose artifact has this SHA-256. From an index: what was registered a moment ago may be missing. */
  public async byDigest(sha256: string, options: PageOptions = {}): Promise<Page<ModelVersion>> {
    const page = await queryPage(
      this.store.db,
      {
        TableName: this.store.table,
        IndexName: REGISTRY_KEYS.digestIndex,
        KeyConditionExpression: 'gsi1pk = :pk',
        ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.digest(sha256) },
      },
      options,
    );
    return { items: await this.named(page.items.map(toVersionRow)), cursor: page.cursor };
  }

  /** Versions of all models with that tag. */
  public async byTag(key: string, value: string, options: PageOptions = {}): Promise<Page<ModelVersion>> {
    const page = await this.tagged(key, value, options);
    const references = page.items.filter((item) => item.version !== undefined) as unknown as Reference[];
    return { items: (await this.resolve(references)).filter(({ tags }) => tags[key] === value), cursor: page.cursor };
  }

  /** Models with that tag. */
  public async modelsByTag(key: string, value: string, options: PageOptions = {}): Promise<Page<RegisteredModel>> {
    const page = await this.tagged(key, value, options);
    const rows = await this.models(page.items.filter((item) => item.version === undefined).map(({ modelId }) => modelId as string));
    const models = await Promise.all([...rows.values()].map((row) => this.model(row)));
    return { items: models.filter(({ tags }) => tags[key] === value), cursor: page.cursor };
  }

  /** Every change of the model, oldest first. */
  public async history(name: string): Promise<readonly HistoryEntry[]> {
    return this.historyOf((await this.store.model(name)).modelId);
  }

  /** The same by the model's id, which also finds what was deleted. */
  public async historyOf(modelId: string): Promise<readonly HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    for await (const entry of this.store.history(modelId)) entries.push(entry);
    return entries;
  }

  /**
   * Whether the history is complete, unchanged since it was written, and tells of the registry as it is; with the locked copies also whether
   * it is the one that was written first.
   */
  public async verifyHistory(name: string, copies?: HistoryCopies): Promise<HistoryVerdict> {
    return verify(this.store, (await this.store.model(name)).modelId, copies);
  }

  /** The same by the model's id, which also finds what was deleted. */
  public async verifyHistoryOf(modelId: string, copies?: HistoryCopies): Promise<HistoryVerdict> {
    return verify(this.store, modelId, copies);
  }

  /** Number of the version that served at a moment (ISO 8601); undefined where none did. One query, whatever the length of the history. */
  public async servedAt(name: string, time: string): Promise<number | undefined> {
    const { modelId } = await this.store.model(name);
    const until = `${REGISTRY_KEYS.servedPrefix}${new Date(time).toISOString()}#~`;
    const query = {
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :until',
      ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.model(modelId), ':from': REGISTRY_KEYS.servedPrefix, ':until': until },
      ScanIndexForward: false,
      Limit: 1,
    };
    for await (const item of this.store.query(query)) return item.version as number | undefined;
    return undefined;
  }

  protected async model(row: ModelRow): Promise<RegisteredModel> {
    return toModel(row, await this.store.moreLabels(row.modelId, row.labels));
  }

  protected async version(row: VersionRow, model: VersionContext): Promise<ModelVersion> {
    return toVersion(row, model, await this.store.moreLabels(row.modelId, row.labels));
  }

  private async *newestFirst(modelId: string, before: number, limit: number): AsyncGenerator<VersionRow> {
    const query = {
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
      ExpressionAttributeValues: {
        ':pk': REGISTRY_KEYS.model(modelId),
        ':first': REGISTRY_KEYS.version(0),
        ':last': REGISTRY_KEYS.version(Math.max(0, before - 1)),
      },
      ScanIndexForward: false,
      Limit: limit,
    };
    for await (const item of this.store.query(query)) if (!item.deleted) yield toVersionRow(item);
  }

  private async tagged(key: string, value: string, options: PageOptions): Promise<Page<Item>> {
    const query = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': tagPartition(key, value) } };
    return queryPage(this.store.db, { TableName: this.store.table, ConsistentRead: true, ...query }, options);
  }

  /** Versions that references name, in their order; what was deleted since is left out. */
  private async resolve(references: readonly Reference[]): Promise<ModelVersion[]> {
    const keys = references.map(({ modelId, version }) => versionKey(modelId, version));
    const order = new Map(references.map(({ modelId, version }, index) => [REGISTRY_KEYS.reference(modelId, version), index]));
    const position = ({ modelId, version }: Reference): number => order.get(REGISTRY_KEYS.reference(modelId, version))!;
    const rows = (await this.store.many(keys)).map(toVersionRow);
    return this.named(rows.sort((one, other) => position(one) - position(other)));
  }

  /** Rows with the names that their models have now; versions of deleted models are left out. */
  private async named(rows: readonly VersionRow[]): Promise<ModelVersion[]> {
    const models = await this.models(rows.map(({ modelId }) => modelId));
    const alive = rows.filter((row) => !row.deleted && models.has(row.modelId));
    return Promise.all(alive.map((row) => this.version(row, models.get(row.modelId)!)));
  }

  private async models(modelIds: readonly string[]): Promise<ReadonlyMap<string, ModelRow>> {
    const metas = (await this.store.many([...new Set(modelIds)].map(metaKey))) as unknown as ModelMeta[];
    const rows = (await this.store.many(metas.filter(({ deleted }) => !deleted).map(({ name }) => modelKey(name)))).filter((item) => !item.free);
    return new Map(rows.map((item) => [item.modelId as string, toModelRow(item)]));
  }
}

/** Where a page ended; a cursor of another list has no such place. */
const position = (cursor: string, name: string, type: 'string' | 'number'): unknown => {
  const value = decodeCursor(cursor)[name];
  if (typeof value !== type) throw invalid(`'${cursor}' is no cursor of this list: pass one that a previous page returned`);
  return value;
};

type Reference = Pick<ModelVersion, 'modelId' | 'version'>;
