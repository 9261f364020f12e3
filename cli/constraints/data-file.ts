import { createReadStream } from 'node:fs';
import { type CsvError, parse } from 'csv-parse';
import { readTable, type TableSource } from '../../lambda/monitoring/baseline/table';
import { countTraining } from '../../lambda/monitoring/baseline/train';
import { suggestConstraints } from '../../lambda/monitoring/constraints/suggest';
import type { ConstraintFile } from '../../lambda/monitoring/constraints/types';
import { BlockCounter, isSkipped, Sampler, type ShapedColumn, shapesOf } from '../../lambda/monitoring/profile';
import { CliError, UsageError } from '../errors';

/** Local CSV data with a header. */
export interface DataFile {
  readonly path: string;
  readonly time?: string;
  readonly target?: string;
}

/** Reads the file three times at most and keeps no rows. */
export async function suggestFrom({ path, time, target }: DataFile, model: string, windowSeconds: number): Promise<ConstraintFile> {
  const source: TableSource = () => [{ where: path, chunks: createReadStream(path) }];
  let sampler: Sampler | undefined;
  const { rows } = await readTable(source, (columns) => {
    requireColumns(columns, [time, target], path);
    sampler = new Sampler(columns);
    return sampler;
  });
  if (!sampler || rows === 0) throw new CliError(`${path} holds no rows`, 'name a CSV file with a header and rows');
  const { columns } = sampler;
  const made = shapesOf(sampler, columns.filter((name) => name !== time));
  const shapes = { columns, rows, shaped: made.filter((column): column is ShapedColumn => !isSkipped(column)), skipped: made.filter(isSkipped) };
  const timeColumn = time === undefined ? {} : { timeColumn: columns.indexOf(time) };
  const blocks = new BlockCounter([], { windowSeconds, rowsPerBlock: rows, ...timeColumn });
  const task = { kind: '', target: target ?? '', ...(time !== undefined && { timeColumn: time }) };
  const counted = await countTraining({ task }, source, shapes, blocks);
  return suggestConstraints({
    model,
    origin: `${rows.toLocaleString('en-US')} rows of ${path}`,
    rows,
    columns: columns.filter((name) => name !== target),
    features: counted.features.filter(({ role }) => role !== 'target'),
    folds: counted.folds,
    ...(time !== undefined && { windowSeconds, windowRows: blocks.toTable().blocks.map((block) => block.rows) }),
    ...(counted.longestGapSeconds !== undefined && { longestGapSeconds: counted.longestGapSeconds }),
  });
}

export interface NumberedRow {
  /** Line of the file, the header is line 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** Rows with the lines that they end on; the first one is the header. */
export async function* numberedRows(path: string): AsyncGenerator<NumberedRow> {
  const broken: NumberedRow[] = [];
  const onSkip = (error: CsvError): void => void broken.push({ line: Number(error.lines), cells: [] });
  const options = { bom: true, info: true, relax_column_count: true, skip_empty_lines: true, skip_records_with_error: true };
  const parser = createReadStream(path).pipe(parse({ ...options, on_skip: onSkip as never }));
  for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
    yield* broken.splice(0);
    yield { line: info.lines, cells: record };
  }
  yield* broken;
}

export function requireColumns(columns: readonly string[], wanted: readonly (string | undefined)[], path: string): void {
  const missing = wanted.filter((name) => name !== undefined && !columns.includes(name));
  if (missing.length > 0) throw new UsageError(`${path} has no column ${missing.join(' and ')}`, `its columns: ${columns.join(', ')}`);
}
