import { invalid } from './errors';

export interface ListRequest {
  readonly NameContains?: string;
  readonly StatusEquals?: string;
  readonly CreationTimeAfter?: number | string | Date;
  readonly CreationTimeBefore?: number | string | Date;
  readonly LastModifiedTimeAfter?: number | string | Date;
  readonly LastModifiedTimeBefore?: number | string | Date;
  readonly SortBy?: string;
  readonly SortOrder?: string;
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

export interface Listed {
  readonly name: string;
  readonly arn: string;
  readonly created: Date;
  readonly modified: Date;
  readonly status?: string;
}

export interface Rules {
  /** As ARNs spell the kind: training-job. */
  readonly kind: string;
  readonly unknown: (name: string, arn: string) => Error;
  readonly descendingByDefault?: boolean;
  /** Endpoint names collide whatever their case. */
  readonly caseInsensitive?: boolean;
}

const seconds = (value: number | string | Date): number => (typeof value === 'number' ? value * 1000 : new Date(value).getTime());

/** The records of one kind, with the paging and sorting that all List operations share. */
export class Records<T extends Listed> {
  private readonly byName = new Map<string, T>();

  constructor(
    private readonly rules: Rules,
    private readonly region: string,
    private readonly accountId: string,
  ) {}

  arnOf(name: string): string {
    return `arn:aws:sagemaker:${this.region}:${this.accountId}:${this.rules.kind}/${name.toLowerCase()}`;
  }

  add(record: T): void {
    this.byName.set(record.name, record);
  }

  remove(name: string): void {
    this.byName.delete(name);
  }

  has(name: string): boolean {
    if (!this.rules.caseInsensitive) return this.byName.has(name);
    return [...this.byName.keys()].some((known) => known.toLowerCase() === name.toLowerCase());
  }

  find(name: string): T | undefined {
    return this.byName.get(name);
  }

  get(name: string): T {
    const record = this.byName.get(name);
    if (!record) throw this.rules.unknown(name, this.arnOf(name));
    return record;
  }

  values(): T[] {
    return [...this.byName.values()];
  }

  page(request: ListRequest, wanted: (record: T) => boolean = () => true): { items: T[]; NextToken?: string } {
    const sorted = this.sorted(request).filter(wanted);
    const start = request.NextToken === undefined ? 0 : positionOf(request.NextToken, sorted);
    const end = start + (request.MaxResults ?? 10);
    const items = sorted.slice(start, end);
    if (end >= sorted.length) return { items };
    return { items, NextToken: Buffer.from(JSON.stringify([items[items.length - 1].name, end])).toString('base64url') };
  }

  private sorted(request: ListRequest): T[] {
    const filtered = this.values().filter(
      (record) =>
        (request.NameContains === undefined || record.name.toLowerCase().includes(request.NameContains.toLowerCase())) &&
        (request.StatusEquals === undefined || record.status === request.StatusEquals) &&
        (request.CreationTimeAfter === undefined || record.created.getTime() > seconds(request.CreationTimeAfter)) &&
        (request.CreationTimeBefore === undefined || record.created.getTime() < seconds(request.CreationTimeBefore)) &&
        (request.LastModifiedTimeAfter === undefined || record.modified.getTime() > seconds(request.LastModifiedTimeAfter)) &&
        (request.LastModifiedTimeBefore === undefined || record.modified.getTime() < seconds(request.LastModifiedTimeBefore)),
    );
    const by = request.SortBy ?? 'CreationTime';
    const compare = (a: T, b: T) => {
      if (by === 'Name') return a.name.localeCompare(b.name);
      if (by === 'Status') return (a.status ?? '').localeCompare(b.status ?? '');
      return a.created.getTime() - b.created.getTime();
    };
    const descending = (request.SortOrder ?? (this.rules.descendingByDefault ? 'Descending' : 'Ascending')) === 'Descending';
    // Insertion order decides between equals, so that pages never overlap.
    return filtered
      .map((record, index) => ({ record, index }))
      .sort((a, b) => (compare(a.record, b.record) || a.index - b.index) * (descending ? -1 : 1))
      .map(({ record }) => record);
  }
}

function positionOf(token: string, sorted: readonly Listed[]): number {
  try {
    const [name, end] = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as [string, number];
    const last = sorted.findIndex((record) => record.name === name);
    return last < 0 ? Math.min(end, sorted.length) : last + 1;
  } catch {
    throw invalid('Invalid pagination token');
  }
}

/** A request as Describe repeats it: tags are asked for by themselves. */
export function withoutTags<T extends { Tags?: unknown }>(request: T): Omit<T, 'Tags'> {
  const fields = { ...request };
  delete fields.Tags;
  return fields;
}

function withDates(value: unknown, convert: (date: Date) => number): unknown {
  if (value instanceof Date) return convert(value);
  if (Array.isArray(value)) return value.map((inner) => withDates(inner, convert));
  if (typeof value !== 'object' || value === null) return value;
  const present = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(present.map(([key, inner]) => [key, withDates(inner, convert)]));
}

/** JSON 1.1 has timestamps as seconds of the epoch, events have milliseconds. */
export const toWire = (value: unknown) => withDates(value, (date) => date.getTime() / 1000);
export const toEvent = (value: unknown) => withDates(value, (date) => date.getTime()) as Record<string, unknown>;
