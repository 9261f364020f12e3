import * as z from 'zod';
import { ALL_MONTHS, ColumnProfiler, FeatureProfile, SkippedColumn } from './profile';
import { readPrediction, readTruth, RuntimeTask, taskMetrics } from './task-metrics';
import { Cell, monthOf, readTime } from './values';

const counts = z.object({
  rows: z.number().int(),
  missing: z.number().int(),
  invalid: z.number().int(),
  counts: z.array(z.number().int()),
  offsets: z.array(z.number()).optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  unlisted: z.record(z.string(), z.number().int()).optional(),
});

const shape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('numeric'), edges: z.array(z.number()), mean: z.number(), deviation: z.number().positive() }),
  z.object({ kind: z.literal('categorical'), categories: z.array(z.string()), hasOther: z.boolean() }),
]);

/** `baseline.json`: what the data and the predictions of one model version looked like before it served. */
export const BaselineSchema = z.object({
  schemaVersion: z.literal(1),
  model: z.string(),
  runId: z.string(),
  /** Columns of a request row, in order. */
  columns: z.array(z.string()),
  timeColumn: z.string().optional(),
  trainRows: z.number().int(),
  features: z.array(
    z.object({ name: z.string(), role: z.enum(['feature', 'prediction', 'target']), shape, months: z.record(z.string(), counts) }),
  ),
  skipped: z.array(z.object({ name: z.string(), reason: z.string() })),
  holdout: z.object({ rows: z.number().int(), metrics: z.record(z.string(), z.number()) }),
});

export type Baseline = Readonly<z.infer<typeof BaselineSchema>>;

/** Rows of a CSV file with a header, in order. */
export type CsvRows = AsyncIterable<readonly string[]>;

export interface BaselineInput {
  readonly model: string;
  readonly runId: string;
  readonly task: RuntimeTask;
  readonly train: CsvRows;
  readonly holdout: CsvRows;
  /** One prediction for each holdout row, in its order. */
  readonly scores: AsyncIterable<Cell>;
}

/** Profiles the training data and the candidate's predictions of the holdout. */
export async function buildBaseline(input: BaselineInput): Promise<Baseline> {
  const { columns, trainRows, profiles } = await profileTraining(input.task, input.train);
  const holdout = await profileHoldout(input, columns);
  const all = [...profiles, holdout.prediction];
  return {
    schemaVersion: 1,
    model: input.model,
    runId: input.runId,
    columns: columns.filter((name) => name !== input.task.target),
    ...(input.task.timeColumn !== undefined && { timeColumn: input.task.timeColumn }),
    trainRows,
    features: all.filter((profile): profile is FeatureProfile => 'shape' in profile) as Baseline['features'],
    skipped: all.filter((profile): profile is SkippedColumn => 'reason' in profile),
    holdout: { rows: holdout.rows, metrics: holdout.metrics },
  };
}

async function profileTraining(task: RuntimeTask, rows: CsvRows) {
  let columns: readonly string[] | undefined;
  let profilers: (ColumnProfiler | undefined)[] = [];
  let trainRows = 0;
  for await (const row of rows) {
    if (columns === undefined) {
      columns = row;
      requireColumns(task, columns, 'training data');
      profilers = columns.map((name) =>
        name === task.timeColumn ? undefined : new ColumnProfiler(name, name === task.target ? 'target' : 'feature'),
      );
      continue;
    }
    trainRows += 1;
    const month = monthOfRow(task, columns, row, trainRows);
    profilers.forEach((profiler, column) => profiler?.add(row[column], month));
  }
  if (columns === undefined || trainRows === 0) {
    throw new Error('the training data holds no row: no baseline can be made');
  }
  return { columns, trainRows, profiles: profilers.filter((profiler) => profiler !== undefined).map((profiler) => profiler.profile()) };
}

async function profileHoldout(input: BaselineInput, trainColumns: readonly string[]) {
  const { task } = input;
  const profiler = new ColumnProfiler(predictionName(trainColumns), 'prediction');
  const pairs: { truth: number | string; prediction: number | string }[] = [];
  const scores = input.scores[Symbol.asyncIterator]();
  let columns: readonly string[] | undefined;
  let rows = 0;
  for await (const row of input.holdout) {
    if (columns === undefined) {
      columns = row;
      requireColumns(task, columns, 'holdout');
      continue;
    }
    rows += 1;
    const score = await scores.next();
    if (score.done) {
      throw new Error(`the candidate's scores end after ${rows - 1} rows, the holdout goes on: scores and holdout must be of one run`);
    }
    profiler.add(score.value, monthOfRow(task, columns, row, rows));
    const truth = readTruth(task, row[columns.indexOf(task.target)]);
    const prediction = readPrediction(task, score.value);
    if (truth === undefined || prediction === undefined) {
      const what = truth === undefined ? 'the target' : 'the prediction';
      throw new Error(`holdout row ${rows}: ${what} cannot be read as the task ${task.kind} needs it`);
    }
    pairs.push({ truth, prediction });
  }
  if (rows === 0) {
    throw new Error('the holdout holds no row: no baseline can be made');
  }
  if (!(await scores.next()).done) {
    throw new Error(`the candidate has more scores than the holdout has rows (${rows}): scores and holdout must be of one run`);
  }
  return { rows, prediction: profiler.profile(), metrics: taskMetrics(task, pairs) };
}

/** Name under which predictions are watched; a column of that name keeps it. */
const predictionName = (columns: readonly string[]): string => (columns.includes('prediction') ? 'prediction (model)' : 'prediction');

function monthOfRow(task: RuntimeTask, columns: readonly string[], row: readonly string[], number: number): string {
  if (task.timeColumn === undefined) {
    return ALL_MONTHS;
  }
  const time = readTime(row[columns.indexOf(task.timeColumn)]);
  if (time === undefined) {
    throw new Error(`row ${number}: column ${task.timeColumn} is no ISO 8601 time`);
  }
  return monthOf(time);
}

function requireColumns(task: RuntimeTask, columns: readonly string[], where: string): void {
  const missing = [task.target, ...(task.timeColumn === undefined ? [] : [task.timeColumn])].filter((name) => !columns.includes(name));
  if (missing.length > 0) {
    throw new Error(`the header of the ${where} lacks ${missing.join(' and ')}: it has ${columns.join(', ')}`);
  }
}
