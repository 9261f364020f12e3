import { DynamoDBDocumentClient, GetCommand, QueryCommandInput, TransactWriteCommand, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { CHAMPION_ALIAS, HistoryEntry, ModelVersion, REGISTRY_ERRORS, REGISTRY_KEYS, VersionState } from '../../lib/registry/contract';
import { Item, queryAll } from '../common/dynamo.client';
import { NamedError } from '../common/errors';
import { chainEntry, HistoryDraft } from './history';
import {
  ChampionPointer,
  historyItem,
  modelItem,
  modelKey,
  ModelState,
  RegisteredModel,
  toHistoryEntry,
  toModelState,
  toVersion,
  versionItem,
  versionKey,
} from './records';

export type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

const nameKey = (name: string): Item => ({ pk: REGISTRY_KEYS.name(name), sk: REGISTRY_KEYS.nameSort });
const runKey = (modelId: string, runId: string): Item => ({ pk: REGISTRY_KEYS.model(modelId), sk: REGISTRY_KEYS.run(runId) });
const championKey = (modelId: string): Item => ({ pk: REGISTRY_KEYS.model(modelId), sk: REGISTRY_KEYS.alias(CHAMPION_ALIAS) });

/** Reads of the two tables, all consistent, and the parts that their transactions are made of. No part overwrites what it did not read. */
export class RegistryTables {
  constructor(
    private readonly table: string,
    private readonly historyTable: string,
    public readonly db: DynamoDBDocumentClient,
  ) {}

  public async modelId(name: string): Promise<string | undefined> {
    return (await this.get(nameKey(name)))?.modelId as string | undefined;
  }

  public async requireModelId(name: string): Promise<string> {
    const modelId = await this.modelId(name);
    if (modelId === undefined) throw new NamedError(REGISTRY_ERRORS.notFound, `there is no model ${name}`);
    return modelId;
  }

  public async model(modelId: string): Promise<ModelState> {
    const item = await this.get(modelKey(modelId));
    if (!item) throw new NamedError(REGISTRY_ERRORS.notFound, `there is no model with id ${modelId}`);
    return toModelState(item);
  }

  public async version(modelId: string, version: number, name: string): Promise<ModelVersion> {
    const item = await this.get(versionKey(modelId, version));
    if (!item) throw new NamedError(REGISTRY_ERRORS.notFound, `${name} has no version ${version}`);
    return toVersion(item);
  }

  public async versionOfRun(modelId: string, runId: string): Promise<number | undefined> {
    return (await this.get(runKey(modelId, runId)))?.version as number | undefined;
  }

  public async champion(modelId: string): Promise<ChampionPointer | undefined> {
    return (await this.get(championKey(modelId))) as ChampionPointer | undefined;
  }

  public async *history(modelId: string, order: 'oldest first' | 'newest first'): AsyncGenerator<HistoryEntry> {
    const items = queryAll(this.db, {
      TableName: this.historyTable,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': modelId },
      ScanIndexForward: order === 'oldest first',
      ConsistentRead: true,
    });
    for await (const item of items) yield toHistoryEntry(item);
  }

  public versionsQuery(modelId: string): QueryCommandInput {
    return {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.model(modelId), ':prefix': REGISTRY_KEYS.versionPrefix },
      ScanIndexForward: false,
      ConsistentRead: true,
    };
  }

  public indexQuery(partition: string): QueryCommandInput {
    return {
      TableName: this.table,
      IndexName: REGISTRY_KEYS.digestIndex,
      KeyConditionExpression: 'gsi1pk = :pk',
      ExpressionAttributeValues: { ':pk': partition },
    };
  }

  public async write(parts: readonly Write[]): Promise<void> {
    await this.db.send(new TransactWriteCommand({ TransactItems: [...parts] }));
  }

  public addModel(model: RegisteredModel): readonly Write[] {
    return [this.add({ ...nameKey(model.name), modelId: model.modelId }), this.add(modelItem(model))];
  }

  public addVersion(version: ModelVersion): readonly Write[] {
    return [this.add(versionItem(version)), this.add({ ...runKey(version.modelId, version.runId), version: version.version })];
  }

  /** The next link of a model's history, and the parts that write it. Nobody else may have written one since the model was read. */
  public chain(model: ModelState, draft: HistoryDraft): { readonly entry: HistoryEntry; readonly parts: readonly Write[] } {
    const entry = chainEntry(model.modelId, model.head, draft, new Date().toISOString());
    const nextVersion = entry.action === 'Registered' ? entry.version + 1 : model.nextVersion;
    return {
      entry,
      parts: [
        {
          Update: {
            TableName: this.table,
            Key: modelKey(model.modelId),
            UpdateExpression: 'SET nextVersion = :next, historySequence = :sequence, historyHash = :hash, historyAt = :at',
            ConditionExpression: 'historySequence = :read AND historyHash = :readHash',
            ExpressionAttributeValues: {
              ':next': nextVersion,
              ':sequence': entry.sequence,
              ':hash': entry.hash,
              ':at': entry.at,
              ':read': model.head.sequence,
              ':readHash': model.head.hash,
            },
          },
        },
        { Put: { TableName: this.historyTable, Item: historyItem(entry), ConditionExpression: 'attribute_not_exists(pk)' } },
      ],
    };
  }

  public move(version: ModelVersion, to: VersionState, at: string): Write {
    return {
      Update: {
        TableName: this.table,
        Key: versionKey(version.modelId, version.version),
        UpdateExpression: 'SET #state = :to, updatedAt = :at',
        ConditionExpression: '#state = :from',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':to': to, ':at': at, ':from': version.state },
      },
    };
  }

  public point(champion: ModelVersion, previous: ChampionPointer | undefined): Write {
    const pointer: ChampionPointer = {
      version: champion.version,
      previousVersion: previous?.version,
      revision: (previous?.revision ?? 0) + 1,
      record: champion,
    };
    return {
      Put: {
        TableName: this.table,
        Item: { ...championKey(champion.modelId), ...pointer },
        ...(previous
          ? { ConditionExpression: 'revision = :revision', ExpressionAttributeValues: { ':revision': previous.revision } }
          : { ConditionExpression: 'attribute_not_exists(pk)' }),
      },
    };
  }

  private add(item: Item): Write {
    return { Put: { TableName: this.table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' } };
  }

  private async get(key: Item): Promise<Item | undefined> {
    return (await this.db.send(new GetCommand({ TableName: this.table, Key: key, ConsistentRead: true }))).Item;
  }
}
