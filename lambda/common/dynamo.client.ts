import { DynamoDBClient, TransactionCanceledException, TransactionInProgressException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, QueryCommand, QueryCommandInput } from '@aws-sdk/lib-dynamodb';

export type Item = Record<string, unknown>;

const TABLE_ATTRIBUTES = new Set(['pk', 'sk', 'gsi1pk', 'gsi1sk']);

/** What an item says, without the attributes that only place it in its table and index. */
export const withoutKeys = <T>(item: Item): T => Object.fromEntries(Object.entries(item).filter(([name]) => !TABLE_ATTRIBUTES.has(name))) as T;

/** One page of a list; `cursor` asks for the next one and is absent on the last. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly cursor?: string;
}

export interface PageOptions {
  /** 1 to 1000, 50 where left out. */
  readonly limit?: number;
  readonly cursor?: string;
}

const DEFAULT_LIMIT = 50;

/** Document client: plain values, undefined ones left out. */
export const createDocumentClient = (client: DynamoDBClient = new DynamoDBClient({})): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });

export const encodeCursor = (key: Item): string => Buffer.from(JSON.stringify(key)).toString('base64url');

export const decodeCursor = (cursor: string): Item => {
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (typeof key === 'object' && key !== null) return key as Item;
  } catch {
    // Falls through to the message that a caller can act on.
  }
  throw new Error(`'${cursor}' is no cursor of this list: pass one that a previous page returned`);
};

export const queryPage = async (
  client: DynamoDBDocumentClient,
  query: Omit<QueryCommandInput, 'Limit' | 'ExclusiveStartKey'>,
  options: PageOptions = {},
): Promise<Page<Item>> => {
  const answer = await client.send(
    new QueryCommand({
      ...query,
      Limit: options.limit ?? DEFAULT_LIMIT,
      ExclusiveStartKey: options.cursor === undefined ? undefined : decodeCursor(options.cursor),
    }),
  );
  return { items: answer.Items ?? [], cursor: answer.LastEvaluatedKey && encodeCursor(answer.LastEvaluatedKey) };
};

/** The pages of a query as DynamoDB gives them. */
export async function* queryPages(client: DynamoDBDocumentClient, query: Omit<QueryCommandInput, 'ExclusiveStartKey'>): AsyncGenerator<Item[]> {
  let start: Item | undefined;
  do {
    const answer = await client.send(new QueryCommand({ ...query, ExclusiveStartKey: start }));
    yield answer.Items ?? [];
    start = answer.LastEvaluatedKey;
  } while (start);
}

/** Every item of a query, page after page. */
export async function* queryAll(client: DynamoDBDocumentClient, query: Omit<QueryCommandInput, 'ExclusiveStartKey'>): AsyncGenerator<Item> {
  for await (const page of queryPages(client, query)) yield* page;
}

const LOST_RACE = new Set(['None', 'ConditionalCheckFailed', 'TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded']);

/** Whether a transaction failed only because somebody else wrote first (or DynamoDB was busy): read again and try again. */
export const lostRace = (error: unknown): boolean =>
  // A request that timed out and is sent again meets itself.
  error instanceof TransactionInProgressException ||
  (error instanceof TransactionCanceledException && (error.CancellationReasons ?? []).every(({ Code }) => LOST_RACE.has(Code ?? 'None')));

const BUSY = new Set([
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

/** Whether DynamoDB only asks for patience, beyond what its client waits by itself. */
export const isBusy = (error: unknown): boolean => error instanceof Error && BUSY.has(error.name);

export interface RetryOptions {
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/** Enough for a hundred writers of one item: later attempts are spread over a second, a transaction takes some 10 ms. */
const PATIENT: RetryOptions = { attempts: 60, firstDelayMs: 20, longestDelayMs: 1_000 };

/** Runs read-decide-write until the write wins; full jitter, bounded; the last lost race is thrown. */
export const untilWon = async <T>(attempt: () => Promise<T>, options: RetryOptions = PATIENT): Promise<T> => {
  for (let count = 1; ; count += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(lostRace(error) || isBusy(error)) || count >= options.attempts) throw error;
      const ceiling = Math.min(options.longestDelayMs, options.firstDelayMs * 2 ** Math.min(count, 20));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * ceiling));
    }
  }
};
