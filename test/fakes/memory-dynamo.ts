import { ConditionalCheckFailedException, DynamoDBServiceException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { Expressions, holds, Item, projected, updated } from './dynamo-expressions';

interface Write extends Expressions {
  readonly TableName?: string;
  readonly ConditionExpression?: string;
  readonly Item?: Item;
  readonly Key?: Item;
  readonly UpdateExpression?: string;
  readonly ReturnValuesOnConditionCheckFailure?: string;
}

const INDEX_KEYS: readonly [string, string] = ['gsi1pk', 'gsi1sk'];
const TABLE_KEYS: readonly [string, string] = ['pk', 'sk'];
const LARGEST_ITEM = 400 * 1024;
const LARGEST_TRANSACTION = 4 * 1024 * 1024;

/** A copy as DynamoDB would give it: no undefined members, bytes stay bytes. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return Uint8Array.from(value);
  if (value instanceof Set) return new Set(value);
  if (Array.isArray(value)) return value.map((member) => plain(member));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, plain(member)]),
  );
};

const copy = (item: Item): Item => plain(item) as Item;

const sizeOf = (value: unknown): number => {
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (value instanceof Uint8Array) return value.length;
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).reduce((sum, [name, member]) => sum + 1 + (Array.isArray(value) ? 0 : Buffer.byteLength(name)) + sizeOf(member), 3);
  }
  return 10;
};

const invalid = (message: string): DynamoDBServiceException =>
  new DynamoDBServiceException({ name: 'ValidationException', $fault: 'client', message, $metadata: { httpStatusCode: 400 } });

/**
 * DynamoDB behind the document client's edge, as far as the clients of this product use it: keys pk and sk, one index, the expression language,
 * batches, and transactions that do all or nothing, with DynamoDB's limits. What it does not know it refuses.
 */
export class MemoryDynamo {
  /** Called before each command; what it throws, the command fails with. */
  before: (command: object) => void = () => undefined;
  /** The largest page of a query. */
  pageSize = Infinity;
  private readonly tables = new Map<string, Map<string, Item>>();

  client(): DynamoDBDocumentClient {
    return { send: (command: object) => this.send(command) } as unknown as DynamoDBDocumentClient;
  }

  /** Every document client of the test file talks to this instance. */
  install(): jest.SpyInstance {
    return jest.spyOn(DynamoDBDocumentClient.prototype, 'send').mockImplementation(((command: object) => this.send(command)) as never);
  }

  items(table: string): Item[] {
    return [...this.table(table).values()].map(copy);
  }

  put(table: string, item: Item): void {
    this.table(table).set(this.id(item), copy(item));
  }

  clear(): void {
    this.tables.clear();
  }

  async send(command: object): Promise<unknown> {
    this.before(command);
    if (command instanceof GetCommand) {
      const found = this.find(command.input.TableName!, command.input.Key as Item);
      return { Item: found && projected(command.input.ProjectionExpression, found, command.input) };
    }
    if (command instanceof QueryCommand) return this.query(command.input);
    if (command instanceof BatchGetCommand) return this.batchGet(command.input.RequestItems ?? {});
    if (command instanceof BatchWriteCommand) return this.batchWrite((command.input.RequestItems ?? {}) as Record<string, Record<string, Write>[]>);
    if (command instanceof TransactWriteCommand) return this.transact((command.input.TransactItems ?? []) as Record<string, Write>[]);
    if (command instanceof PutCommand || command instanceof UpdateCommand || command instanceof DeleteCommand) {
      const write = command.input as Write;
      const Item = this.find(write.TableName!, (write.Key ?? write.Item)!);
      if (!holds(write.ConditionExpression, Item ?? {}, write)) {
        const shown = write.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' ? { Item: Item as never } : {};
        throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {}, ...shown });
      }
      return { Attributes: this.apply(command.constructor.name.replace('Command', ''), write) };
    }
    throw new Error(`not stubbed: ${command.constructor.name}`);
  }

  private batchGet(requests: NonNullable<BatchGetCommand['input']['RequestItems']>): object {
    if (Object.values(requests).reduce((sum, { Keys }) => sum + Keys!.length, 0) > 100)
      throw invalid('Too many items requested for the BatchGetItem call');
    const found = Object.entries(requests).map(([table, { Keys, ...rest }]) => [
      table,
      Keys!
        .flatMap((key): Item[] => [this.find(table, key as Item)].filter((item) => item !== undefined))
        .map((item) => projected(rest.ProjectionExpression, item, rest as Expressions)),
    ]);
    return { Responses: Object.fromEntries(found) as object, UnprocessedKeys: {} };
  }

  private batchWrite(requests: Record<string, Record<string, Write>[]>): object {
    if (Object.values(requests).reduce((sum, writes) => sum + writes.length, 0) > 25)
      throw invalid('Too many items requested for the BatchWriteItem call');
    for (const [TableName, writes] of Object.entries(requests)) {
      for (const [kind, write] of writes.flatMap((one) => Object.entries(one))) this.apply(kind.replace('Request', ''), { ...write, TableName });
    }
    return { UnprocessedItems: {} };
  }

  private transact(parts: readonly Record<string, Write>[]): object {
    const writes = parts.flatMap((part) => Object.entries(part));
    if (writes.length > 100) throw invalid('Member must have length less than or equal to 100');
    const keys = writes.map(([, write]) => `${write.TableName} ${this.id((write.Key ?? write.Item)!)}`);
    if (new Set(keys).size < keys.length) throw invalid('Transaction request cannot include multiple operations on one item');
    const bytes = writes.reduce((sum, [, write]) => sum + sizeOf(write.Item ?? write.ExpressionAttributeValues ?? {}), 0);
    if (bytes > LARGEST_TRANSACTION) throw invalid('Transaction is larger than 4 MB');
    const kept = writes.map(([, write]) => holds(write.ConditionExpression, this.find(write.TableName!, (write.Key ?? write.Item)!) ?? {}, write));
    if (kept.includes(false)) {
      throw new TransactionCanceledException({
        message: 'Transaction cancelled',
        $metadata: {},
        CancellationReasons: kept.map((held) => ({ Code: held ? 'None' : 'ConditionalCheckFailed' })),
      });
    }
    for (const [kind, write] of writes) if (kind !== 'ConditionCheck') this.apply(kind, write);
    return {};
  }

  private apply(kind: string, write: Write): Item | undefined {
    const table = this.table(write.TableName!);
    if (kind === 'Delete') return void table.delete(this.id(write.Key!));
    if (kind !== 'Put' && kind !== 'Update') throw new Error(`not stubbed: ${kind}`);
    const before: Item = { ...write.Key, ...table.get(this.id((write.Key ?? write.Item)!)) };
    const item = copy(kind === 'Put' ? write.Item! : updated(write.UpdateExpression!, before, write));
    if (sizeOf(item) > LARGEST_ITEM) throw invalid('Item size has exceeded the maximum allowed size');
    table.set(this.id(item), item);
    return kind === 'Put' ? undefined : copy(item);
  }

  private query(input: QueryCommand['input']): object {
    const [partition, sort] = input.IndexName === undefined ? TABLE_KEYS : INDEX_KEYS;
    const direction = input.ScanIndexForward === false ? -1 : 1;
    const order = (item: Item): string => Buffer.from(`${item[sort] as string}\u0000${this.id(item)}`).toString('latin1');
    const found = [...this.table(input.TableName!).values()]
      .filter((item) => item[partition] !== undefined && holds(input.KeyConditionExpression, item, input))
      .sort((a, b) => (order(a) < order(b) ? -direction : direction));
    const start = input.ExclusiveStartKey as Item | undefined;
    const from = start === undefined ? 0 : this.after(found, { ...start, ...this.find(input.TableName!, start) }, order, direction);
    const page = found.slice(from, from + Math.min(input.Limit ?? Infinity, this.pageSize));
    const last = page.at(-1);
    const more = last !== undefined && from + page.length < found.length;
    const kept = page.filter((item) => holds(input.FilterExpression, item, input));
    return {
      Items: kept.map((item) => projected(input.ProjectionExpression, copy(item), input)),
      LastEvaluatedKey: more ? { pk: last.pk, sk: last.sk } : undefined,
    };
  }

  /** The start key need not exist: the page begins where it would stand. */
  private after(found: readonly Item[], start: Item, order: (item: Item) => string, direction: number): number {
    const place = found.findIndex((item) => (direction === 1 ? order(item) > order(start) : order(item) < order(start)));
    return place === -1 ? found.length : place;
  }

  private find(table: string, key: Item): Item | undefined {
    const found = this.table(table).get(this.id(key));
    return found && copy(found);
  }

  private id({ pk, sk }: Item): string {
    return JSON.stringify([pk, sk]);
  }

  private table(name: string): Map<string, Item> {
    if (!this.tables.has(name)) this.tables.set(name, new Map());
    return this.tables.get(name)!;
  }
}
