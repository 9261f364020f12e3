import { BatchGetCommand, DynamoDBDocumentClient, GetCommand, QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import { HistoryEntry, REGISTRY_KEYS, Stage } from '../../lib/registry/contract';
import { Item, queryAll } from '../common/dynamo.client';
import { Labels } from './labels';
import { noModel, noVersion } from './names';
import {
  championKey,
  FreeName,
  labelKey,
  metaKey,
  modelKey,
  ModelRow,
  runKey,
  toHistoryEntry,
  toModelRow,
  toVersionRow,
  VersionRow,
  versionKey,
} from './records';

const KEYS_PER_BATCH = 100;

/** What `MODEL#<id> META` tells: the name that a model has or had, and where its history ended if it was deleted. */
export interface ModelMeta {
  readonly modelId: string;
  readonly name: string;
  readonly deleted?: ModelRow;
}

/** What serves, with what its model tells about it. */
export interface ChampionCopy {
  readonly row: VersionRow;
  readonly aliases: ModelRow['aliases'];
  readonly renamedAt?: string;
}

/** Consistent reads of the two tables. */
export class RegistryStore {
  constructor(
    public readonly table: string,
    public readonly historyTable: string,
    public readonly db: DynamoDBDocumentClient,
  ) {}

  /** Who has the name, or what its last owner left behind. */
  public async claim(name: string): Promise<ModelRow | FreeName | undefined> {
    const item = await this.get(modelKey(name));
    return item?.free ? (item as unknown as FreeName) : item && toModelRow(item);
  }

  public async findModel(name: string): Promise<ModelRow | undefined> {
    const claim = await this.claim(name);
    return claim && 'free' in claim ? undefined : claim;
  }

  public async model(name: string): Promise<ModelRow> {
    const row = await this.findModel(name);
    if (!row) throw noModel(name);
    return row;
  }

  public async meta(modelId: string): Promise<ModelMeta | undefined> {
    return (await this.get(metaKey(modelId))) as ModelMeta | undefined;
  }

  public async version(model: ModelRow, version: number): Promise<VersionRow> {
    const item = await this.get(versionKey(model.modelId, version));
    if (!item || item.deleted) throw noVersion(model.name, version);
    return toVersionRow(item);
  }

  public async versionOfRun(modelId: string, runId: string): Promise<number | undefined> {
    return (await this.get(runKey(modelId, runId)))?.version as number | undefined;
  }

  /** Every version that a model ever had, deleted ones too, oldest first. */
  public async *versions(modelId: string): AsyncGenerator<VersionRow> {
    const query = {
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.model(modelId), ':prefix': REGISTRY_KEYS.versionPrefix },
    };
    for await (const item of this.query(query)) yield toVersionRow(item);
  }

  /** Whether `champion` ever named the version. */
  public async hasServed(modelId: string, version: number): Promise<boolean> {
    const query = {
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      FilterExpression: '#version = :version',
      ExpressionAttributeNames: { '#version': 'version' },
      ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.model(modelId), ':prefix': REGISTRY_KEYS.servedPrefix, ':version': version },
    };
    for await (const item of this.query(query)) return item.version === version;
    return false;
  }

  /** Versions in a stage, newest first, read only as far as they are asked for. */
  public async *versionsInStage(modelId: string, stage: Stage): AsyncGenerator<VersionRow> {
    const query = {
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      FilterExpression: 'stage = :stage',
      ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.model(modelId), ':prefix': REGISTRY_KEYS.versionPrefix, ':stage': stage },
      ScanIndexForward: false,
    };
    for await (const item of this.query(query)) if (!item.deleted) yield toVersionRow(item);
  }

  /** Copy of the version that `champion` names, with what its model tells about it. */
  public async champion(name: string): Promise<ChampionCopy | undefined> {
    const item = await this.get(championKey(name));
    if (!item || item.free) return undefined;
    const { champion, aliases, renamedAt } = item as { champion: Item; aliases: ModelRow['aliases']; renamedAt?: string };
    return { row: toVersionRow(champion), aliases, renamedAt };
  }

  /** Labels that the owner's item has no room for. */
  public async moreLabels(modelId: string, { set }: Labels): Promise<Labels['inline']> {
    if (set === undefined) return [];
    const found: [string, string][] = [];
    const values = { ':pk': REGISTRY_KEYS.model(modelId), ':prefix': REGISTRY_KEYS.label(set, '') };
    const query = { KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)', ExpressionAttributeValues: values };
    for await (const { key, value } of this.query(query)) if (value !== undefined) found.push([key as string, value as string]);
    return found;
  }

  public async label(modelId: string, { inline, set }: Labels, key: string): Promise<string | undefined> {
    const held = inline.find(([name]) => name === key);
    if (held || set === undefined) return held?.[1];
    return (await this.get(labelKey(modelId, set, key)))?.value as string | undefined;
  }

  /** Items by their keys, in no order, missing ones left out. */
  public async many(keys: readonly Item[]): Promise<Item[]> {
    const found: Item[] = [];
    for (let at = 0; at < keys.length; at += KEYS_PER_BATCH) {
      let Keys: Item[] | undefined = keys.slice(at, at + KEYS_PER_BATCH);
      while (Keys?.length) {
        const answer: { Responses?: Record<string, Item[]>; UnprocessedKeys?: Record<string, { Keys?: Item[] }> } = await this.db.send(
          new BatchGetCommand({ RequestItems: { [this.table]: { Keys, ConsistentRead: true } } }),
        );
        found.push(...(answer.Responses?.[this.table] ?? []));
        Keys = answer.UnprocessedKeys?.[this.table]?.Keys;
      }
    }
    return found;
  }

  public async *history(modelId: string, after = 0): AsyncGenerator<HistoryEntry> {
    const query = {
      KeyConditionExpression: 'pk = :pk AND sk > :after',
      ExpressionAttributeValues: { ':pk': modelId, ':after': REGISTRY_KEYS.sequence(after) },
    };
    for await (const item of this.query(query, this.historyTable)) yield toHistoryEntry(item);
  }

  public query(query: Omit<QueryCommandInput, 'TableName'>, table: string = this.table): AsyncGenerator<Item> {
    return queryAll(this.db, { TableName: table, ConsistentRead: true, ...query });
  }

  private async get(key: Item): Promise<Item | undefined> {
    return (await this.db.send(new GetCommand({ TableName: this.table, Key: key, ConsistentRead: true }))).Item;
  }
}
