import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { type DatasetViolation, RowChecker } from '../../lambda/monitoring/constraints/check-rows';
import { shareText } from '../../lambda/monitoring/constraints/shares';
import type { ConstraintFile } from '../../lambda/monitoring/constraints/types';
import { readTime } from '../../lambda/monitoring/values';
import { percent } from '../../lambda/monitoring/words';
import { MOST_REJECTED as MOST_MALFORMED } from '../../lambda/pipeline/prepare';
import { CliError } from '../errors';
import { bad, fields, good, shorten, table } from '../format';
import { type Io, readInput } from '../io';
import { emit, jsonOption } from '../options';
import { numberedRows, requireColumns } from './data-file';
import { readConstraintFile } from './put';

interface Options {
  readonly constraints: string;
  readonly time?: string;
  readonly target?: string;
  readonly quarantine?: string;
  readonly json?: boolean;
}

interface BrokenRow {
  readonly row: number;
  readonly rule: string;
  readonly samples: Readonly<Record<string, string>>;
}

interface Checked {
  readonly file: string;
  readonly rows: number;
  /** Rows that a training run would set aside. */
  readonly setAside: number;
  readonly violations: readonly DatasetViolation[];
  readonly sample: readonly BrokenRow[];
}

const SHOWN = 20;
/** The data would stop a training run. */
const VIOLATED = 3;

export const register = (parent: Command, io: Io): void => {
  jsonOption(
    parent
      .command('check')
      .description('check a local CSV file as the first step of a training run would')
      .argument('<file>', 'CSV with a header')
      .requiredOption('--constraints <file>', 'constraint file (docs/schemas/constraints.schema.json)')
      .option('--time <column>', 'time of a row, for the age of the newest one')
      .option('--target <column>', 'what is predicted: a column that the constraints need not list')
      .option('--quarantine <file>', 'write each row that would be set aside as a JSON line: number, rule, sample without its values')
      .addHelpText('after', '\nExit code 0: a run would use the data, 3: a run would stop, 1: it cannot be checked.'),
  ).action(async (file: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const constraints = await readConstraintFile(io, options.constraints);
    await readInput(io, file);
    const { broken, ...checked } = await check(file, constraints, options);
    if (options.quarantine !== undefined) writeFileSync(options.quarantine, broken.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const stops = checked.violations.some(({ severity }) => severity === 'error');
    emit(io, options, { ...checked, verdict: stops ? 'violated' : 'ok' }, () => text(io, checked, stops));
    if (stops) process.exitCode = VIOLATED;
  });
};

type Result = Checked & { readonly broken: readonly BrokenRow[] };

async function check(file: string, constraints: ConstraintFile, { time, target }: Options): Promise<Result> {
  let columns: readonly string[] | undefined;
  let checker: RowChecker | undefined;
  let newestRow: number | undefined;
  let rows = 0;
  let malformed = 0;
  const broken: BrokenRow[] = [];
  for await (const { line, cells } of numberedRows(file)) {
    if (!columns || !checker) {
      columns = cells.map((name) => name.trim());
      requireColumns(columns, [time, target], file);
      checker = new RowChecker(constraints, columns);
      continue;
    }
    rows += 1;
    if (cells.length !== columns.length) {
      malformed += 1;
      const rule = cells.length === 0 ? 'a quote stands in the wrong place' : `the row has ${cells.length} columns, the header ${columns.length}`;
      broken.push({ row: line, rule, samples: {} });
      continue;
    }
    const at = time === undefined ? undefined : readTime(cells[columns.indexOf(time)]);
    if (at !== undefined && !(at <= (newestRow ?? -Infinity))) newestRow = at;
    const errors = checker.check(cells, `row ${line}`).filter(({ severity }) => severity === 'error');
    if (errors.length === 0) continue;
    const samples = Object.fromEntries(errors.map(({ column, sample }) => [column, sample]));
    broken.push({ row: line, rule: errors.map(({ rule }) => rule).join('; '), samples });
  }
  if (!checker) throw new CliError(`${file} is empty`, 'name a CSV file with a header and rows');
  const violations = [
    ...(malformed > rows * MOST_MALFORMED ? [tooManyMalformed(malformed, rows)] : []),
    ...checker.finish({ ...(target !== undefined && { tolerated: [target] }), newestRow, now: Date.now() }),
  ];
  return { file, rows, setAside: broken.length, violations, sample: broken.slice(0, SHOWN), broken };
}

const tooManyMalformed = (malformed: number, rows: number): DatasetViolation => ({
  constraint: 'rows',
  severity: 'error',
  observed: shareText(malformed, rows, 'rows'),
  allowed: `at most ${percent(MOST_MALFORMED)}`,
  description: `${shareText(malformed, rows, 'rows')} cannot be read as rows, at most ${percent(MOST_MALFORMED)} may.`,
});

function text(io: Io, { file, rows, setAside, violations, sample }: Checked, stops: boolean): string {
  const verdict = stops ? bad(io, 'a training run would stop') : good(io, 'a training run would use it');
  const grid = (head: readonly string[], lines: readonly (readonly string[])[]): string[] => (lines.length === 0 ? [] : [table(io, head, lines)]);
  return [
    fields(io, { file, rows: String(rows), 'set aside': String(setAside), verdict }),
    ...grid(
      ['severity', 'broken rule', 'first'],
      violations.map(({ severity, description, first }) => [severity, shorten(description, 110), first ?? '']),
    ),
    ...grid(
      ['row', 'rule', 'looks like'],
      sample.map(({ row, rule, samples }) => [String(row), shorten(rule, 80), shorten(Object.values(samples).join(', '), 40)]),
    ),
    ...(setAside > sample.length ? [`${setAside - sample.length} more rows; --quarantine writes all\n`] : []),
  ].join('\n');
}
