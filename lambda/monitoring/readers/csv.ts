import { isUtf8 } from 'node:buffer';
import type { Rejections } from '../rejections';
import type { Chunks, RowSink, TextRow } from '../rows';
import { withoutBom } from './bom';
import { textOf } from './bytes';
import { CsvScanner } from './csv-scanner';
import { BLANK, splitCsv } from './csv-text';
import type { RecordScanner } from './feeder';
import { Feeder, LINE_LIMIT_NAME, UnreadableData } from './feeder';
import { RecordEnd } from './record-end';

/** More columns than this are no table. */
export const MOST_COLUMNS = 20_000;

export interface CsvRange {
  /** The bytes begin within a line that belongs to the range before: nothing is read up to the first newline. @default false */
  readonly skipFirstPartialLine?: boolean;
  /**
   * Rows that begin at this offset of the chunks or later belong to the next range; the chunks go on beyond it, so that the last row is whole, and
   * are read no further than that. @default - to the end
   */
  readonly length?: number;
}

export interface CsvRangeAnswer {
  readonly rows: number;
  /**
   * A newline between quotes was met: ranges of this file may have been cut between quotes. What was delivered so far of all its ranges is void; it
   * has to be read as one range. Where no range answers this the ranges give exactly the rows of one pass.
   */
  readonly quotedNewline: boolean;
}

/** A table with a header. Rows with too many or too few fields, broken quotes, or text that is no UTF-8 are rejected by cause. */
export async function readCsv(
  chunks: Chunks,
  where: string,
  open: (columns: readonly string[]) => RowSink,
  rejections: Rejections,
): Promise<{ rows: number }> {
  const header = new HeaderScanner(where);
  let table: CsvScanner | undefined;
  const feeder = new Feeder({
    scan: (bytes, from, to) => {
      let position = from;
      if (table === undefined) {
        position = header.scan(bytes, from, to);
        if (header.columns === undefined) {
          return position;
        }
        table = tableOf(header.columns.length, open(header.columns), where, rejections, header.lines);
      }
      return position < to ? table.scan(bytes, position, to) : to;
    },
    end: (bytes, from, to, fresh) => (table ?? header).end(bytes, from, to, fresh),
    tooLong: (lines) => (table ?? header).tooLong(lines),
    unfinished: (lines) => (table ?? header).unfinished(lines),
  });
  for await (const chunk of withoutBom(chunks)) {
    feeder.push(chunk);
  }
  feeder.finish();
  if (table === undefined) {
    rejections.add('header-missing', where, 'there is no header line');
  }
  return { rows: (table as CsvScanner | undefined)?.rows ?? 0 };
}

/** Rows of a table without a header, or a range of the bytes behind header and byte order mark: see `csvRanges`. */
export async function readCsvRows(
  chunks: Chunks,
  where: string,
  columns: readonly string[],
  sink: RowSink,
  rejections: Rejections,
  range: CsvRange = {},
): Promise<CsvRangeAnswer> {
  const table = tableOf(columns.length, sink, where, rejections, 0);
  const feeder = new Feeder(table, range.skipFirstPartialLine);
  const isPart = range.skipFirstPartialLine === true || range.length !== undefined;
  let left = range.length ?? Infinity;
  for await (const chunk of isPart ? chunks : withoutBom(chunks)) {
    if (left > 0) {
      const within = Math.min(left, chunk.length);
      left -= within;
      feeder.push(chunk.subarray(0, within));
      if (left === 0 && within < chunk.length && pushLine(feeder, chunk.subarray(within))) {
        break;
      }
    } else if (pushLine(feeder, chunk)) {
      break;
    }
    if (isPart && table.quotedNewline) {
      return { rows: table.rows, quotedNewline: true };
    }
  }
  feeder.finish();
  return { rows: table.rows, quotedNewline: isPart && table.quotedNewline };
}

/** Feeds the rest of the record that the feeder is within; answers whether it has ended. */
function pushLine(feeder: Feeder, bytes: Uint8Array): boolean {
  if (feeder.isWithinRecord) {
    const newline = bytes.indexOf(10);
    feeder.push(newline < 0 ? bytes : bytes.subarray(0, newline + 1));
  }
  return !feeder.isWithinRecord;
}

export interface CsvPart extends CsvRange {
  /** Where the chunks of this range begin in the file. */
  readonly offset: number;
  readonly skipFirstPartialLine: boolean;
  readonly length: number;
}

/**
 * Cuts the rows of a file, which begin at `start` behind the header, into ranges of about the same size. The chunks of a range are the file's bytes
 * from its `offset` on: read lazily, since only the rest of one line beyond its `length` is taken.
 */
export function csvRanges(start: number, byteLength: number, parts: number): CsvPart[] {
  const size = byteLength - start;
  const cuts = Array.from({ length: parts + 1 }, (_, part) => start + Math.floor((size * part) / parts));
  // A range looks at the byte before it: where that is a newline its first line is whole.
  return cuts.slice(0, -1).flatMap((cut, part) => {
    const offset = part === 0 ? cut : cut - 1;
    return cuts[part + 1] > cut ? [{ offset, skipFirstPartialLine: part > 0, length: cuts[part + 1] - offset }] : [];
  });
}

/** Columns of a table from its first bytes, and the offset behind the header line; undefined where the header does not end within these bytes. */
export function csvHeader(bytes: Uint8Array, where: string): { columns: readonly string[]; length: number } | undefined {
  const header = new HeaderScanner(where);
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  const length = header.scan(bytes, bom, bytes.length);
  return header.columns === undefined ? undefined : { columns: header.columns, length };
}

function tableOf(columns: number, sink: RowSink, where: string, rejections: Rejections, linesBefore: number): CsvScanner {
  const row = (values: TextRow): void => sink.text(values);
  return new CsvScanner({ columns, place: (line) => `${where} line ${line + linesBefore}`, rejections, row });
}

/** Finds the first line that is not blank. */
class HeaderScanner implements RecordScanner {
  public columns: readonly string[] | undefined;
  public lines = 0;
  private readonly pending = new RecordEnd();

  constructor(private readonly where: string) {}

  public scan(bytes: Uint8Array, from: number, to: number): number {
    let start = from;
    while (start < to && this.columns === undefined) {
      const end = this.pending.find(bytes, start, to, true);
      if (end < 0) {
        break;
      }
      this.read(bytes, start, end);
      start = end + 1;
    }
    return start;
  }

  public end(bytes: Uint8Array, from: number, to: number, fresh: boolean): number {
    return this.pending.find(bytes, from, to, fresh);
  }

  public tooLong(): void {
    throw new UnreadableData(`${this.where}: the header line is longer than ${LINE_LIMIT_NAME}: is this CSV?`);
  }

  public unfinished(): void {
    throw new UnreadableData(`${this.where}: a quote in the header is not closed`);
  }

  private read(bytes: Uint8Array, start: number, end: number): void {
    if (!isUtf8(bytes.subarray(start, end))) {
      throw new UnreadableData(`${this.where}: the header is no UTF-8: save the file as UTF-8`);
    }
    const text = textOf(bytes, start, end).replace(/\r$/, '');
    this.lines += 1;
    if (!BLANK.test(text)) {
      this.columns = this.names(text);
      this.lines += text.split('\n').length - 1;
    }
  }

  private names(text: string): string[] {
    const names = splitCsv(text)?.[0].map((name) => name.trim());
    if (names === undefined) {
      throw new UnreadableData(`${this.where}: a quote in the header does not end before the comma or the end of the line`);
    }
    if (names.length > MOST_COLUMNS) {
      throw new UnreadableData(`${this.where}: ${names.length} columns are more than ${MOST_COLUMNS}`);
    }
    const known = new Set<string>();
    for (const name of names) {
      if (known.has(name)) {
        throw new UnreadableData(`${this.where}: the header names column ${JSON.stringify(name.slice(0, 100))} more than once: rename one of them`);
      }
      known.add(name);
    }
    return names;
  }
}
