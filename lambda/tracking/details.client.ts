import { DynamoDBDocumentClient, TransactWriteCommand, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { DatasetInput, TRACKING_ERRORS, TRACKING_KEYS } from '../../lib/tracking/contract';
import { Item, queryAll } from '../common/dynamo.client';
import { NamedError } from '../common/errors';
import { joined, pack, Packed, packedBytes, unpack } from '../common/packed';
import { PackedPoint } from './metric-points';
import { bucketOfPiece, Outside, Section } from './section';

/** Sections of a row and the bytes each may take in it, compressed: together they leave a row at 64 KB. */
const SHARES = { params: 16_384, tags: 16_384, metrics: 16_384, datasets: 8_192, models: 4_096 } as const;
export type Kind = keyof typeof SHARES;
const KINDS = Object.keys(SHARES) as Kind[];

export type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** All that stands outside of a row, compressed: one transaction can write it, with the row and with metric points. */
const MOST_BYTES_OUTSIDE = 3_200_000;
/** DynamoDB takes 4 MB and 100 items in one transaction; keys and numbers need some of it. */
const TRANSACTION_BYTES = 4_100_000;
const TRANSACTION_ITEMS = 100;
/** Fewer buckets than this are read one by one, more in one query. */
const SINGLE_BUCKETS = 3;

/** The row was written between the reads of it and of what stands outside of it. */
class TornRead extends Error {}

const TORN_READS = 30;

export const isTorn = (error: unknown): boolean => error instanceof TornRead;

/** Runs a read again while writers are quicker than it. */
export const untilWhole = async <T>(read: () => Promise<T>): Promise<T> => {
  for (let count = 1; ; count += 1) {
    try {
      return await read();
    } catch (error) {
      if (!isTorn(error) || count >= TORN_READS) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * count));
    }
  }
};

/** Parameters, tags, latest metrics, data sets and models of one row: read as far as they are needed, written as far as they changed. */
export class Details {
  public readonly params: Section<string>;
  public readonly tags: Section<string>;
  public readonly metrics: Section<PackedPoint>;
  public readonly datasets: Section<DatasetInput>;
  /** `in:<id>` and `out:<id>` to the step. */
  public readonly models: Section<number>;

  /** @param partition where the items outside of the row stand */
  constructor(
    private readonly table: string,
    private readonly db: DynamoDBDocumentClient,
    private readonly partition: string,
    row: Item,
  ) {
    const outside = row.more === undefined ? {} : unpack<Partial<Record<Kind, Outside>>>(row.more as Packed);
    const section = <V>(kind: Kind): Section<V> => new Section<V>(SHARES[kind], row[kind] as Packed | undefined, outside[kind]);
    this.params = section('params');
    this.tags = section('tags');
    this.metrics = section('metrics');
    this.datasets = section('datasets');
    this.models = section('models');
  }

  public get changed(): boolean {
    return KINDS.some((kind) => this[kind].changed);
  }

  /** Makes everything readable. */
  public async loadAll(): Promise<void> {
    const wanted = KINDS.flatMap((kind) => this[kind].missing().map((bucket) => `${kind}#${bucket}`));
    if (wanted.length > 0) this.take(await this.query(TRACKING_KEYS.morePrefix), new Set(wanted));
  }

  /** Makes these keys of one section readable; every key where they are left out. */
  public async load(kind: Kind, keys?: Iterable<string>): Promise<void> {
    const buckets = this[kind].missing(keys);
    if (buckets.length === 0) return;
    const prefixes = buckets.length <= SINGLE_BUCKETS
      ? buckets.map((bucket) => TRACKING_KEYS.more(kind, bucket * 1_000).slice(0, -3))
      : [TRACKING_KEYS.more(kind, 0).slice(0, -6)];
    const items = (await Promise.all(prefixes.map((prefix) => this.query(prefix)))).flat();
    this.take(items, new Set(buckets.map((bucket) => `${kind}#${bucket}`)));
  }

  /** Attributes of the row, and items to write with it in one transaction. */
  public async write(revision: number, owner: string): Promise<{ readonly attributes: Item; readonly items: readonly Item[] }> {
    const attributes: Item = {};
    const items: Item[] = [];
    const outside: Partial<Record<Kind, Outside>> = {};
    let bytes = 0;
    for (const kind of KINDS) {
      const section = this[kind] as Section<unknown>;
      if (section.overflows()) {
        await this.load(kind);
        section.moveOut();
      }
      const { packed, pieces } = section.write(revision);
      attributes[kind] = packed;
      items.push(...pieces.map(({ n, ...piece }) => ({ pk: this.partition, sk: TRACKING_KEYS.more(kind, n), ...piece })));
      if (section.outside.moved || Object.keys(section.outside.buckets).length > 0) outside[kind] = section.outside;
      bytes += section.bytesOutside;
    }
    if (bytes > MOST_BYTES_OUTSIDE) throw tooLarge(owner, bytes);
    return { attributes: { ...attributes, more: Object.keys(outside).length > 0 ? pack(outside) : undefined }, items };
  }

  private async query(prefix: string): Promise<Item[]> {
    const found: Item[] = [];
    const items = queryAll(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': this.partition, ':prefix': prefix },
      ConsistentRead: true,
    });
    for await (const item of items) found.push(item);
    return found;
  }

  private take(items: readonly Item[], wanted: ReadonlySet<string>): void {
    const pieces = new Map<string, Item[]>();
    for (const item of items) {
      const [, kind, n] = (item.sk as string).split('#');
      const name = `${kind}#${bucketOfPiece(Number(n))}`;
      pieces.set(name, [...(pieces.get(name) ?? []), item]);
    }
    for (const name of wanted) {
      const [kind, bucket] = name.split('#') as [Kind, string];
      const [revision, count] = this[kind].outside.buckets[bucket];
      const current = (pieces.get(name) ?? []).filter((item) => item.revision === revision);
      if (current.length !== count) throw new TornRead(`${this.partition} changed while it was read`);
      this[kind].load(Number(bucket), joined(current.map((item) => item.packed as Packed)));
    }
  }
}

/** A row and everything that is written with it. */
export interface RowWrite {
  readonly table: string;
  readonly db: DynamoDBDocumentClient;
  /** Keys, head, and the revision that was read; 0 for a row that is not stored yet. */
  readonly row: Item & { readonly revision: number };
  readonly details: Details;
  /** For messages. */
  readonly owner: string;
  readonly first?: readonly Write[];
  readonly last?: readonly Item[];
}

/** Writes a row in one transaction; only if nobody wrote it since it was read. */
export const writeRow = async ({ table, db, row, details, owner, first = [], last = [] }: RowWrite): Promise<void> => {
  const revision = row.revision + 1;
  const { attributes, items } = await details.write(revision, owner);
  const condition = row.revision === 0
    ? { ConditionExpression: 'attribute_not_exists(pk)' }
    : { ConditionExpression: 'revision = :read', ExpressionAttributeValues: { ':read': row.revision } };
  const others = [...items, ...last];
  const TransactItems: Write[] = [
    ...first,
    { Put: { TableName: table, Item: { ...row, ...attributes, revision }, ...condition } },
    ...others.map((Item) => ({ Put: { TableName: table, Item } })),
  ];
  const bytes = [attributes, ...others].flatMap((item) => Object.values(item)).reduce<number>((sum, value) => sum + bytesOf(value), 0);
  if (TransactItems.length > TRANSACTION_ITEMS || bytes > TRANSACTION_BYTES) {
    throw new NamedError(
      TRACKING_ERRORS.tooLarge,
      `one write to ${owner} would take ${TransactItems.length} items and ${megabytes(bytes)}: ` +
        `${TRANSACTION_ITEMS} items and ${megabytes(TRANSACTION_BYTES)} are the most, log less at once`,
    );
  }
  await db.send(new TransactWriteCommand({ TransactItems }));
};

const bytesOf = (value: unknown): number => (typeof value === 'string' || value instanceof Uint8Array ? packedBytes(value) : 8);

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

const tooLarge = (owner: string, bytes: number): NamedError =>
  new NamedError(
    TRACKING_ERRORS.tooLarge,
    `${owner} would hold ${megabytes(bytes)} of parameters, tags, metrics and data sets (compressed): ` +
      `${megabytes(MOST_BYTES_OUTSIDE)} is the most, log large texts as artifacts`,
  );
