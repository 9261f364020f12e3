import { MlflowError } from '../errors';
import { comparator, type SortKey } from './compare';
import type { Order } from './query';

/** How long a search may take and how large its answer may get. */
export interface Budget {
  /** @default 20000 */
  readonly milliseconds?: number;
  /** Estimate of the answer's JSON. @default 5242880 */
  readonly bytes?: number;
  /** @default Date.now */
  readonly now?: () => number;
}

export interface Found<T> {
  readonly records: T[];
  /** Key of the last record looked at, where there may be more behind it. */
  readonly next?: SortKey;
}

/** What to look for. */
export interface Wanted<T> {
  readonly matches: (record: T) => boolean;
  readonly orders: readonly Order[];
  readonly keyOf: (record: T) => SortKey;
  readonly limit: number;
  readonly after?: SortKey;
  readonly budget?: Budget;
}

/** How long the search goes on behind a full page to find out whether another one follows. */
const LOOK_AHEAD_MS = 1000;

export class Clock {
  readonly bytes: number;
  private readonly now: () => number;
  private readonly end: number;

  constructor({ milliseconds = 20_000, bytes = 5 * 1024 * 1024, now = Date.now }: Budget = {}) {
    this.bytes = bytes;
    this.now = now;
    this.end = now() + milliseconds;
  }

  get isOver(): boolean {
    return this.now() >= this.end;
  }

  /** Whether that many milliseconds from now still fit. */
  until(milliseconds: number): () => boolean {
    const end = Math.min(this.end, this.now() + milliseconds);
    return () => this.now() < end;
  }
}

interface Described {
  readonly tags: Readonly<Record<string, string>>;
  readonly params?: unknown;
}

const count = (map: unknown): number => (typeof map === 'object' && map !== null ? Object.keys(map).length : 0);

/** Bytes that a record takes in the answer: its JSON, and what each tag and param gets around it there. */
const sizeOf = (record: Described): number => 1.1 * Buffer.byteLength(JSON.stringify(record)) + 32 * (count(record.tags) + count(record.params));

/** A page of records that come in the wanted order: stops as soon as it is full, or says where to go on when the budget ends. */
export const streamed = async <T extends Described>(pages: AsyncIterable<readonly T[]>, wanted: Wanted<T>): Promise<Found<T>> => {
  const clock = new Clock(wanted.budget);
  const compare = comparator(wanted.orders);
  const records: T[] = [];
  let bytes = 0;
  let lastSeen: SortKey | undefined;
  let goesOn = (): boolean => !clock.isOver;
  for await (const page of pages) {
    for (const record of page) {
      const key = wanted.keyOf(record);
      if (wanted.after !== undefined && compare(key, wanted.after) <= 0) {
        continue;
      }
      if (!wanted.matches(record)) {
        lastSeen = key;
        continue;
      }
      const size = sizeOf(record);
      if (records.length === wanted.limit || (records.length > 0 && bytes + size > clock.bytes)) {
        return { records, next: lastSeen };
      }
      records.push(record);
      bytes += size;
      lastSeen = key;
      if (records.length === wanted.limit) {
        goesOn = clock.until(LOOK_AHEAD_MS);
      }
    }
    if (!goesOn() && (lastSeen ?? wanted.after) !== undefined) {
      return { records, next: lastSeen ?? wanted.after };
    }
  }
  return { records };
};

/** A page of records that come in any order: keeps the first ones of those behind the page before, and no more than the answer holds. */
export const collected = async <T extends Described>(
  pages: AsyncIterable<readonly T[]>,
  wanted: Wanted<T>,
  advice: string,
): Promise<Found<T>> => {
  const clock = new Clock(wanted.budget);
  const first = new First<T>(comparator(wanted.orders), wanted.limit, clock.bytes);
  const compare = comparator(wanted.orders);
  let seen = 0;
  for await (const page of pages) {
    for (const record of page) {
      seen++;
      if (!wanted.matches(record)) {
        continue;
      }
      const key = wanted.keyOf(record);
      if (wanted.after === undefined || compare(key, wanted.after) > 0) {
        first.offer(key, record);
      }
    }
    if (clock.isOver) {
      // A client comes again and again after 429 and 5xx, and would end here each time.
      throw new MlflowError('BAD_REQUEST', `The search read ${seen} records and was not done in time. ${advice}`);
    }
  }
  return first.page();
};

interface Entry<T> {
  readonly key: SortKey;
  readonly record: T;
  readonly size: number;
}

/** The first records of an order, as many as one page holds: a heap with the last of them on top. */
class First<T extends Described> {
  private readonly heap: Entry<T>[] = [];
  private bytes = 0;
  private dropped = false;

  constructor(
    private readonly compare: (a: SortKey, b: SortKey) => number,
    private readonly limit: number,
    private readonly most: number,
  ) {}

  offer(key: SortKey, record: T): void {
    if (this.heap.length > 0 && this.isFull && this.compare(key, this.heap[0].key) >= 0) {
      this.dropped = true;
      return;
    }
    const entry = { key, record, size: sizeOf(record) };
    this.bytes += entry.size;
    this.heap.push(entry);
    this.rise(this.heap.length - 1);
    while (this.heap.length > this.limit || (this.heap.length > 1 && this.bytes > this.most)) {
      this.drop();
    }
  }

  page(): Found<T> {
    const entries = this.heap.sort((a, b) => this.compare(a.key, b.key));
    return { records: entries.map(({ record }) => record), next: this.dropped ? entries.at(-1)?.key : undefined };
  }

  /** Once a record was dropped, everything behind the last one kept belongs to a later page. */
  private get isFull(): boolean {
    return this.dropped || this.heap.length === this.limit;
  }

  private drop(): void {
    this.dropped = true;
    const last = this.heap.pop()!;
    const top = this.heap.length > 0 ? this.heap[0] : last;
    if (top !== last) {
      this.heap[0] = last;
      this.sink(0);
    }
    this.bytes -= top.size;
  }

  private rise(at: number): void {
    for (let parent = (at - 1) >> 1; at > 0 && this.isAfter(at, parent); at = parent, parent = (at - 1) >> 1) {
      this.swap(at, parent);
    }
  }

  private sink(at: number): void {
    for (;;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let later = at;
      if (left < this.heap.length && this.isAfter(left, later)) later = left;
      if (right < this.heap.length && this.isAfter(right, later)) later = right;
      if (later === at) return;
      this.swap(at, later);
      at = later;
    }
  }

  private isAfter(a: number, b: number): boolean {
    return this.compare(this.heap[a].key, this.heap[b].key) > 0;
  }

  private swap(a: number, b: number): void {
    [this.heap[a], this.heap[b]] = [this.heap[b], this.heap[a]];
  }
}

/** Several lists in one order as one: pages of them, each read only when its turn comes. */
export async function* merged<T>(sources: readonly AsyncGenerator<readonly T[]>[], isBefore: (a: T, b: T) => boolean): AsyncGenerator<readonly T[]> {
  if (sources.length === 1) {
    yield* sources[0];
    return;
  }
  const heads = (await Promise.all(sources.map(headOf))).filter((head) => head !== undefined);
  while (heads.length > 0) {
    const batch: T[] = [];
    let ended = -1;
    while (ended < 0) {
      let first = 0;
      for (let index = 1; index < heads.length; index++) {
        if (isBefore(heads[index].page[heads[index].at], heads[first].page[heads[first].at])) {
          first = index;
        }
      }
      const head = heads[first];
      batch.push(head.page[head.at++]);
      if (head.at === head.page.length) {
        ended = first;
      }
    }
    yield batch;
    const next = await headOf(heads[ended].source);
    heads.splice(ended, 1, ...(next === undefined ? [] : [next]));
  }
}

interface Head<T> {
  readonly source: AsyncGenerator<readonly T[]>;
  readonly page: readonly T[];
  at: number;
}

const headOf = async <T>(source: AsyncGenerator<readonly T[]>): Promise<Head<T> | undefined> => {
  for (;;) {
    const { done, value } = await source.next();
    if (done) {
      return undefined;
    }
    if (value.length > 0) {
      return { source, page: value, at: 0 };
    }
  }
};

/** How many lists are read at once. */
const AT_ONCE = 4;

/** Several lists as one in any order; the next page of each is on its way while one is looked at. */
export async function* unordered<T>(sources: readonly AsyncGenerator<readonly T[]>[]): AsyncGenerator<readonly T[]> {
  const waiting = [...sources];
  const asked = new Map<AsyncGenerator<readonly T[]>, Promise<Arrival<T>>>();
  const ask = (source: AsyncGenerator<readonly T[]>): void => {
    const arrival = source.next().then((result) => ({ source, result }));
    // A search may end before this page arrives; its fault then is nobody's.
    arrival.catch(() => undefined);
    asked.set(source, arrival);
  };
  waiting.splice(0, AT_ONCE).forEach(ask);
  while (asked.size > 0) {
    const { source, result } = await Promise.race(asked.values());
    if (result.done) {
      asked.delete(source);
      waiting.splice(0, 1).forEach(ask);
    } else {
      ask(source);
      yield result.value;
    }
  }
}

interface Arrival<T> {
  readonly source: AsyncGenerator<readonly T[]>;
  readonly result: IteratorResult<readonly T[]>;
}
