import { ConditionalCheckFailedException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';

type Item = Record<string, unknown>;

interface Expressions {
  readonly TableName?: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Item;
}

interface Write extends Expressions {
  readonly Item?: Item;
  readonly Key?: Item;
  readonly UpdateExpression?: string;
}

const INDEX_KEYS: readonly [string, string] = ['gsi1pk', 'gsi1sk'];
const TABLE_KEYS: readonly [string, string] = ['pk', 'sk'];

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const plain = (item: Item): Item => JSON.parse(JSON.stringify(item)) as Item;

/**
 * DynamoDB behind the document client's edge, as far as the clients of this product use it: keys pk and sk, one index, conditions of AND, IN,
 * equality, existence and prefixes, SET and REMOVE, transactions that do all or nothing. What it does not know it refuses.
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
    return [...this.table(table).values()].map(plain);
  }

  put(table: string, item: Item): void {
    this.table(table).set(this.id(item), plain(item));
  }

  clear(): void {
    this.tables.clear();
  }

  async send(command: object): Promise<unknown> {
    this.before(command);
    if (command instanceof GetCommand) return { Item: this.find(command.input.TableName!, command.input.Key as Item) };
    if (command instanceof QueryCommand) return this.query(command.input);
    if (command instanceof TransactWriteCommand) return this.transact((command.input.TransactItems ?? []) as Record<string, Write>[]);
    if (command instanceof PutCommand || command instanceof UpdateCommand || command instanceof DeleteCommand) {
      const write = command.input as Write;
      if (!this.holds(write)) throw new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} });
      return { Attributes: this.apply(command.constructor.name.replace('Command', ''), write) };
    }
    throw new Error(`not stubbed: ${command.constructor.name}`);
  }

  private transact(parts: readonly Record<string, Write>[]): object {
    const writes = parts.flatMap((part) => Object.entries(part));
    const kept = writes.map(([, write]) => this.holds(write));
    if (kept.includes(false)) {
      throw new TransactionCanceledException({
        message: 'Transaction cancelled',
        $metadata: {},
        CancellationReasons: kept.map((held) => ({ Code: held ? 'None' : 'ConditionalCheckFailed' })),
      });
    }
    for (const [kind, write] of writes) this.apply(kind, write);
    return {};
  }

  private apply(kind: string, write: Write): Item | undefined {
    const table = this.table(write.TableName!);
    if (kind === 'Delete') return void table.delete(this.id(write.Key!));
    if (kind === 'Put') return void table.set(this.id(write.Item!), plain(write.Item!));
    if (kind !== 'Update') throw new Error(`not stubbed: ${kind}`);
    const item: Item = { ...write.Key, ...table.get(this.id(write.Key!)) };
    const { set, remove } = /^SET (?<set>.*?)(?: REMOVE (?<remove>.*))?$/.exec(write.UpdateExpression ?? '')?.groups ?? {};
    if (set === undefined) throw new Error(`not stubbed: ${write.UpdateExpression}`);
    for (const assignment of set.split(', ')) {
      const [name, value] = assignment.split(' = ');
      item[this.name(write, name)] = this.value(write, value);
    }
    for (const name of remove?.split(', ') ?? []) delete item[this.name(write, name)];
    table.set(this.id(item), plain(item));
    return plain(item);
  }

  private query(input: QueryCommand['input']): object {
    const [partition, sort] = input.IndexName === undefined ? TABLE_KEYS : INDEX_KEYS;
    const direction = input.ScanIndexForward === false ? -1 : 1;
    const order = (item: Item): string => `${item[sort] as string}\u0000${this.id(item)}`;
    const found = [...this.table(input.TableName!).values()]
      .filter((item) => item[partition] !== undefined && this.matches(input.KeyConditionExpression!, item, input as Expressions))
      .sort((a, b) => (order(a) < order(b) ? -direction : direction));
    const start = input.ExclusiveStartKey;
    const from = start === undefined ? 0 : found.findIndex((item) => item.pk === start.pk && item.sk === start.sk) + 1;
    const page = found.slice(from, from + Math.min(input.Limit ?? Infinity, this.pageSize));
    const last = page.at(-1);
    const more = last !== undefined && from + page.length < found.length;
    return { Items: page.map(plain), LastEvaluatedKey: more ? { pk: last.pk, sk: last.sk } : undefined };
  }

  private holds(write: Write): boolean {
    const item = this.find(write.TableName!, (write.Key ?? write.Item)!);
    return write.ConditionExpression === undefined || this.matches(write.ConditionExpression, item ?? {}, write);
  }

  private matches(expression: string, item: Item, write: Expressions): boolean {
    return expression.split(' AND ').every((term) => {
      const call = /^(\w+)\(([^,)]+)(?:, (:\w+))?\)$/.exec(term);
      if (call) {
        const found = item[this.name(write, call[2])];
        if (call[1] === 'attribute_not_exists') return found === undefined;
        if (call[1] === 'attribute_exists') return found !== undefined;
        if (call[1] === 'begins_with') return typeof found === 'string' && found.startsWith(this.value(write, call[3]) as string);
      }
      const among = /^(\S+) IN \((.*)\)$/.exec(term);
      if (among) return among[2].split(', ').some((value) => same(this.read(write, item, among[1]), this.value(write, value)));
      const equal = /^(\S+) = (\S+)$/.exec(term);
      if (equal) return same(this.read(write, item, equal[1]), this.value(write, equal[2]));
      throw new Error(`not stubbed: ${term}`);
    });
  }

  private read(write: Expressions, item: Item, place: string): unknown {
    return place.split('.').reduce<unknown>((value, name) => (value as Item | undefined)?.[this.name(write, name)], item);
  }

  private name(write: Expressions, name: string): string {
    return name.startsWith('#') ? write.ExpressionAttributeNames![name] : name;
  }

  private value(write: Expressions, name: string): unknown {
    const value = write.ExpressionAttributeValues?.[name];
    if (value === undefined) throw new Error(`no value for ${name}`);
    return value;
  }

  private find(table: string, key: Item): Item | undefined {
    const found = this.table(table).get(this.id(key));
    return found && plain(found);
  }

  private id({ pk, sk }: Item): string {
    return JSON.stringify([pk, sk]);
  }

  private table(name: string): Map<string, Item> {
    if (!this.tables.has(name)) this.tables.set(name, new Map());
    return this.tables.get(name)!;
  }
}
