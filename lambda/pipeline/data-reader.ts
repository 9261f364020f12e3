import { createHash } from 'node:crypto';
import { pipeline, type Readable, Transform } from 'node:stream';
import { type CsvError, parse } from 'csv-parse';
import type { PipelineSpec } from '../../lib/pipeline/contract';
import { readCategory, readNumeric, readTime } from '../monitoring/values';
import { csvLine } from './csv-line';
import { dataInvalid } from './data-invalid';

export interface Row {
  /** The row as CSV, in the order of the header. */
  readonly line: string;
  /** Event time in milliseconds. */
  readonly time?: number;
}

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

export interface FileContent {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly rejections: readonly Rejection[];
  /** Rows that can be read but break a constraint. */
  readonly violating: readonly Rejection[];
  readonly sha256: string;
}

/** Judges a row that can be read by the rules on the data: what it answers sets the row aside. */
export type RowJudge = (columns: readonly string[], record: readonly string[], where: string) => Pick<Rejection, 'rule' | 'samples'> | undefined;

type Task = PipelineSpec['task'];

interface Parsed {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads one CSV file with a header, once. A row that breaks a rule is set aside with the rule; a file that breaks one fails.
 *
 * @param expected header of the files before this one
 */
export const readDataFile = async (
  stream: Readable,
  file: string,
  task: Task,
  expected?: readonly string[],
  judge?: RowJudge,
): Promise<FileContent> => {
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const rejections: Rejection[] = [];
  const broken = (error: CsvError): void => {
    // Everything after an open quote is one cell of one row: setting that row aside would lose all of it in silence.
    if (error.code === 'CSV_QUOTE_NOT_CLOSED')
      throw dataInvalid(`${file}, row ${error.lines ?? '?'}`, 'a quote is never closed', 'close it or double it');
    rejections.push({ file, row: Number(error.lines), rule: 'a quote stands in the wrong place', line: '' });
  };
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: broken as never,
  });
  // An error of the source ends the parser, which throws it to the loop below.
  pipeline(stream, hashing, parser, () => undefined);

  let check: RowCheck | undefined;
  const rows: Row[] = [];
  const violating: Rejection[] = [];
  for await (const { record, info } of parser as AsyncIterable<Parsed>) {
    if (!check) {
      check = new RowCheck(task, checkedHeader(record, file, task, expected));
      continue;
    }
    const result = check.judge(record);
    if (typeof result === 'string') {
      rejections.push({ file, row: info.lines, rule: result, line: csvLine(record) });
      continue;
    }
    const finding = judge?.(check.columns, record, `${file}, row ${info.lines}`);
    if (finding) violating.push({ file, row: info.lines, ...finding });
    else rows.push(result);
  }
  if (!check) throw dataInvalid(file, 'the file is empty', 'remove it, or write a header and rows');
  const found = rows.length + violating.length + rejections.length;
  if (found === 0) throw dataInvalid(file, 'the file has a header but no rows', 'remove it, or add the rows');
  return { columns: check.columns, rows, rejections, violating, sha256: hash.digest('hex') };
};

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
  private readonly target: number;
  private readonly time: number;

  constructor(
    private readonly task: Task,
    readonly columns: readonly string[],
  ) {
    this.target = columns.indexOf(task.target);
    this.time = task.timeColumn === undefined ? -1 : columns.indexOf(task.timeColumn);
  }

  /** The row, or the rule that it breaks. */
  judge(record: readonly string[]): Row | string {
    if (record.length !== this.columns.length) return `the row has ${record.length} columns, the header ${this.columns.length}`;
    const truth = record[this.target];
    if (this.task.kind === 'REGRESSION' && typeof readNumeric(truth) !== 'number')
      return `the target '${this.task.target}' is ${not('a number', truth)}`;
    if (readCategory(truth) === undefined) return `the target '${this.task.target}' is empty`;
    if (this.time === -1) return { line: csvLine(record) };
    const time = readTime(record[this.time]);
    return time === undefined ? `the time '${this.task.timeColumn}' is ${not('ISO 8601', record[this.time])}` : { line: csvLine(record), time };
  }
}

/** The cell itself stays in the quarantine: rules reach logs, events and the record of the run, and cells may be personal data. */
const not = (wanted: string, cell: string): string => (cell.trim() === '' ? `empty, not ${wanted}` : `not ${wanted}`);
