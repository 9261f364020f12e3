import type { Rejections } from '../rejections';
import type { Cell, Chunks, RowSink } from '../rows';
import { withoutBom } from './bom';
import type { RecordScanner } from './feeder';
import { Feeder } from './feeder';
import type { Fields } from './json-body';
import { cellOf, isFields, transpose, UnreadableBody } from './json-body';
import { isBlankLine, LineRejections, NOT_UTF8, parseLine, wholeLinesOf } from './lines';

const NEWLINE = 10;
/** Names of columns that are counted one by one. */
const MOST_NAMES = 1000;

/** How the objects differed from the columns. */
export interface ColumnChanges {
  /** Rows that held a column that is not read, by name. */
  readonly added: Readonly<Record<string, number>>;
  /** Rows that lacked a column, by name. */
  readonly missing: Readonly<Record<string, number>>;
  /** Rows whose columns stood in another order. */
  readonly reordered: number;
}

/**
 * A table in JSON Lines. A line is an object or array of values, a list of these, or one object with a list of values for each column. Without
 * `columns` those of the first object are read; rows that hold more, fewer or others are delivered all the same, and counted.
 */
export async function readJsonLines(
  chunks: Chunks,
  where: string,
  open: (columns: readonly string[]) => RowSink,
  rejections: Rejections,
  columns?: readonly string[],
): Promise<{ rows: number; changes: ColumnChanges }> {
  const scanner = new JsonLineScanner(where, open, rejections, columns);
  const feeder = new Feeder(scanner);
  for await (const chunk of withoutBom(chunks)) {
    feeder.push(chunk);
  }
  feeder.finish();
  return { rows: scanner.rows, changes: scanner.changes };
}

export class JsonLineScanner implements RecordScanner {
  public rows = 0;
  /** Rows so far, rejected ones included. */
  public records = 0;
  private readonly lines: LineRejections;
  private table: JsonTable | undefined;
  private readonly added = new NameCounts();
  private readonly missing = new NameCounts();
  private reordered = 0;

  constructor(
    where: string,
    private readonly open: (columns: readonly string[]) => RowSink,
    private readonly rejections: Rejections,
    columns?: readonly string[],
  ) {
    this.lines = new LineRejections(where, rejections);
    this.table = columns && new JsonTable(columns, open(columns));
  }

  public get changes(): ColumnChanges {
    return { added: this.added.toRecord(), missing: this.missing.toRecord(), reordered: this.reordered };
  }

  public scan(bytes: Uint8Array, from: number, to: number): number {
    const lines = wholeLinesOf(bytes, from, to);
    if (lines === undefined) {
      return from;
    }
    const { region, last, isText } = lines;
    for (let start = from; start <= last; ) {
      const end = region.indexOf(NEWLINE, start);
      this.lines.line += 1;
      if (!isBlankLine(bytes, start, end)) {
        this.readLine(bytes, start, end, isText);
      }
      start = end + 1;
    }
    return last + 1;
  }

  public end(bytes: Uint8Array, from: number, to: number): number {
    return this.lines.end(bytes, from, to);
  }

  public tooLong(): void {
    this.records += 1;
    this.lines.tooLong();
  }

  /** A line without a newline gets one. */
  public unfinished(): void {}

  private readLine(bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    const value = parseLine(bytes, start, end, isText);
    if (value === NOT_UTF8) {
      this.reject('not-utf8', 'the text is no UTF-8');
      return;
    }
    if (typeof value !== 'object' || value === null) {
      this.reject('row-malformed', 'the line is no JSON object or array');
      return;
    }
    try {
      this.readValue(value);
    } catch (error) {
      if (!(error instanceof UnreadableBody)) {
        throw error;
      }
      this.reject('row-malformed', error.message);
    }
  }

  private readValue(value: object): void {
    if (isFields(value)) {
      const lists = Object.values(value);
      if (lists.length > 0 && lists.every(Array.isArray)) {
        this.readColumns(value, lists);
      } else {
        this.readObject(value);
      }
    } else if (Array.isArray(value)) {
      const isList = value.length > 0 && value.every((item) => typeof item === 'object' && item !== null);
      if (isList) {
        value.forEach((item: unknown) => (isFields(item) ? this.readObject(item) : this.readArray(item as unknown[])));
      } else {
        this.readArray(value);
      }
    }
  }

  private readObject(value: Fields): void {
    const names = Object.keys(value);
    const { columns, row, sink } = this.tableOf(names);
    let found = 0;
    let isInOrder = true;
    for (let index = 0; index < columns.length; index += 1) {
      const name = columns[index];
      const isThere = names[index] === name || Object.hasOwn(value, name);
      isInOrder &&= names[index] === name || !isThere;
      row[index] = isThere ? cellOf(value[name]) : undefined;
      found += isThere ? 1 : 0;
    }
    if (found < columns.length || found < names.length) {
      this.countChanges(columns, names, value);
    } else if (!isInOrder) {
      this.reordered += 1;
    }
    this.deliver(sink, row);
  }

  private countChanges(columns: readonly string[], names: readonly string[], value: Fields): void {
    const known = this.table!.known;
    names.filter((name) => !known.has(name)).forEach((name) => this.added.add(name));
    columns.filter((name) => !Object.hasOwn(value, name)).forEach((name) => this.missing.add(name));
    const common = names.filter((name) => known.has(name));
    const expected = columns.filter((name) => Object.hasOwn(value, name));
    this.reordered += common.some((name, index) => name !== expected[index]) ? 1 : 0;
  }

  private readArray(values: readonly unknown[]): void {
    const { columns, sink } = this.tableOf(values.map((_, index) => `column_${index + 1}`));
    if (values.length === columns.length) {
      this.deliver(sink, values.map(cellOf));
    } else {
      this.reject('column-count', `${values.length} values instead of ${columns.length}`);
    }
  }

  private readColumns(value: Fields, lists: readonly unknown[][]): void {
    const names = Object.keys(value);
    const { columns, sink } = this.tableOf(names);
    const places = columns.map((name) => names.indexOf(name));
    for (const row of transpose(lists)) {
      if (names.length !== columns.length || places.includes(-1)) {
        this.countChanges(columns, names, value);
      }
      this.deliver(sink, places.map((place) => (place < 0 ? undefined : row[place])));
    }
  }

  private tableOf(names: readonly string[]): JsonTable {
    this.table ??= new JsonTable(names, this.open(names));
    return this.table;
  }

  private deliver(sink: RowSink, row: readonly Cell[]): void {
    this.rows += 1;
    this.records += 1;
    sink.cells(row);
  }

  private reject(cause: string, why: string): void {
    this.records += 1;
    this.rejections.add(cause, this.lines.place, why);
  }
}

class JsonTable {
  public readonly row: Cell[];
  public readonly known: ReadonlySet<string>;

  constructor(
    public readonly columns: readonly string[],
    public readonly sink: RowSink,
  ) {
    this.row = columns.map(() => undefined);
    this.known = new Set(columns);
  }
}

class NameCounts {
  private readonly counts = new Map<string, number>();

  public add(name: string): void {
    const key = this.counts.has(name) || this.counts.size < MOST_NAMES ? name : 'others';
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
  }

  public toRecord(): Record<string, number> {
    return Object.fromEntries(this.counts);
  }
}
