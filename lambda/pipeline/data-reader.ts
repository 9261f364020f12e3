import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { PipelineSpec } from '../../lib/pipeline/contract';
import { readCategory, readNumeric, readTime } from '../monitoring/values';
import { dataInvalid } from './data-invalid';
import { CsvRecords } from './rows/csv-records';
import type { CsvRow } from './rows/csv-row';

/** A row that cannot be used. */
export interface Rejection {
  readonly file: string;
  /** Version of the file, where the bucket keeps versions. */
  readonly versionId?: string;
  /** Line of the file, the header is line 1. */
  readonly row: number;
  readonly rule: string;
  /** The row as it stands; only where it could not be read as one. */
  readonly line?: string;
  /** What the values that break constraints look like, by column; the values themselves stay in the file. */
  readonly samples?: Readonly<Record<string, string>>;
}

/** Takes what a file holds, in order. */
export interface DataRows {
  columns(names: readonly string[]): void;
  /** A row that can be used, with its event time in milliseconds and its target. `row` is reused. */
  row(row: CsvRow, time: number | undefined, target: string): void;
  /** A row that cannot be read as one. */
  rejected(rejection: Rejection): void;
  /** A row that can be read but breaks a constraint. */
  violating(rejection: Rejection): void;
}

/** Judges a row that can be read by the rules on the data: what it answers sets the row aside. */
export type RowJudge = (columns: readonly string[], record: readonly string[], where: string) => Pick<Rejection, 'rule' | 'samples'> | undefined;

type Task = PipelineSpec['task'];

/**
 * Reads one CSV file with a header, once and as it comes. A row that breaks a rule is set aside with the rule; a file that breaks one fails.
 *
 * @param expected header of the files before this one
 * @returns rows that can be used, and the SHA-256 of the bytes
 */
export const readDataFile = async (
  stream: Readable,
  file: string,
  task: Task,
  to: DataRows,
  expected?: readonly string[],
  judge?: RowJudge,
): Promise<{ readonly rows: number; readonly sha256: string }> => {
  const hash = createHash('sha256');
  let check: RowCheck | undefined;
  let [rows, others] = [0, 0];
  const reject = (row: number, rule: string, line: string): void => {
    others += 1;
    to.rejected({ file, row, rule, line });
  };
  const records = new CsvRecords(file, {
    misquoted: (line) => reject(line, 'a quote stands in the wrong place', ''),
    row: (row) => {
      if (!check) {
        check = new RowCheck(task, checkedHeader(row.cells(), file, task, expected));
        to.columns(check.columns);
        return;
      }
      const broken = check.broken(row);
      if (broken !== undefined) {
        reject(row.line, broken, row.toString());
        return;
      }
      const finding = judge?.(check.columns, row.cells(), `${file}, row ${row.line}`);
      if (finding) {
        others += 1;
        to.violating({ file, row: row.line, ...finding });
      } else {
        rows += 1;
        to.row(row, check.time, check.target);
      }
    },
  });
  for await (const text of asUtf8(stream, hash)) records.push(text);
  records.finish();
  if (!check) throw dataInvalid(file, 'the file is empty', 'remove it, or write a header and rows');
  if (rows + others === 0) throw dataInvalid(file, 'the file has a header but no rows', 'remove it, or add the rows');
  return { rows, sha256: hash.digest('hex') };
};

/** The bytes as they are digested, in UTF-8: of the other encodings UTF-16 says by its byte order mark that it is one. */
async function* asUtf8(stream: Readable, hash: { update(bytes: Buffer): unknown }): AsyncGenerator<Uint8Array> {
  let start: Buffer | undefined = Buffer.alloc(0);
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    hash.update(chunk);
    let bytes = chunk;
    if (start) {
      bytes = start.length === 0 ? chunk : Buffer.concat([start, chunk]);
      if (bytes.length < 3) {
        start = bytes;
        continue;
      }
      start = undefined;
      if (bytes[0] === 0xff && bytes[1] === 0xfe) decoder = new TextDecoder('utf-16le');
    }
    yield decoder ? Buffer.from(decoder.decode(bytes, { stream: true })) : bytes;
  }
  if (start) yield start;
  if (decoder) yield Buffer.from(decoder.decode());
}

const checkedHeader = (found: readonly string[], file: string, task: Task, expected?: readonly string[]): readonly string[] => {
  const columns = found.map((name) => name.trim());
  const twice = columns.find((name, index) => columns.indexOf(name) !== index);
  if (columns.includes('')) throw dataInvalid(`${file}, row 1`, 'a column of the header has no name', 'name every column');
  if (twice !== undefined) throw dataInvalid(`${file}, row 1`, `the column '${twice}' stands twice in the header`, 'name every column once');
  for (const [role, name] of [
    ['target', task.target],
    ['time', task.timeColumn],
  ] as const) {
    if (name !== undefined && !columns.includes(name)) {
      throw dataInvalid(`${file}, row 1`, `the ${role} column '${name}' is missing`, `add it, or name one of ${columns.join(', ')} in the task`);
    }
  }
  if (expected) {
    const missing = expected.filter((name) => !columns.includes(name));
    const added = columns.filter((name) => !expected.includes(name));
    const parts = [missing.length > 0 && `missing: ${missing.join(', ')}`, added.length > 0 && `added: ${added.join(', ')}`].filter(Boolean);
    const difference = parts.length > 0 ? parts.join('; ') : 'the same columns in another order';
    if (columns.join('\n') !== expected.join('\n')) {
      throw dataInvalid(`${file}, row 1`, `the header differs from the files before (${difference})`, 'write every file with the same header');
    }
  }
  return columns;
};

class RowCheck {
  /** Of the last row without fault. */
  time: number | undefined;
  target = '';
  private readonly targetAt: number;
  private readonly timeAt: number;
  private timeText?: string;

  constructor(
    private readonly task: Task,
    readonly columns: readonly string[],
  ) {
    this.targetAt = columns.indexOf(task.target);
    this.timeAt = task.timeColumn === undefined ? -1 : columns.indexOf(task.timeColumn);
  }

  /** The rule that the row breaks. */
  broken(row: CsvRow): string | undefined {
    if (row.length !== this.columns.length) return `the row has ${row.length} columns, the header ${this.columns.length}`;
    this.target = row.cell(this.targetAt);
    if (this.task.kind === 'REGRESSION') {
      if (typeof readNumeric(this.target) !== 'number') return `the target '${this.task.target}' is ${not('a number', this.target)}`;
    } else if (readCategory(this.target) === undefined) return `the target '${this.task.target}' is empty`;
    if (this.timeAt === -1) return undefined;
    const text = row.cell(this.timeAt);
    // Rows of one time often follow each other.
    if (text !== this.timeText) {
      const time = readTime(text);
      if (time === undefined) return `the time '${this.task.timeColumn}' is ${not('ISO 8601', text)}`;
      this.timeText = text;
      this.time = time;
    }
    return undefined;
  }
}

/** The cell itself stays in the quarantine: rules reach logs, events and the record of the run, and cells may be personal data. */
const not = (wanted: string, cell: string): string => (cell.trim() === '' ? `empty, not ${wanted}` : `not ${wanted}`);
