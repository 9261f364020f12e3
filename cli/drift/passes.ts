import { BlockCounter, ImportanceCounter, Sampler, timeOfText } from '../../lambda/monitoring/profile';
import type { BlockTable, Profile, WatchedFeature } from '../../lambda/monitoring/profile/types';
import { dayOf, QualityTable } from '../../lambda/monitoring/quality/table';
import { textOf } from '../../lambda/monitoring/readers/bytes';
import type { Cell } from '../../lambda/monitoring/rows';
import { readPrediction, readTruth, type RuntimeTask } from '../../lambda/monitoring/task-metrics';
import { readCategory, readTime } from '../../lambda/monitoring/values';
import { profileFiles } from './profile-files';
import type { Table } from './table';
import { type WindowCut, type WindowProfile, WindowProfiles } from './window-profiles';

/** What is taken from each pass over a table. */

export type Progress = (bytes: number) => void;

export interface Sampled {
  readonly sampler: Sampler;
  readonly predictions: Sampler;
}

/** The first pass: how the columns are counted. */
export async function samplePass(table: Table, progress: Progress): Promise<Sampled> {
  const sampler = new Sampler(table.columns);
  const predictions = new Sampler(['prediction']);
  await table.read(
    { text: (row) => sampler.text(row), cells: (row) => sampler.cells(row), prediction: (cell) => predictions.cells([cell]) },
    progress,
    true,
  );
  return { sampler, predictions };
}

export interface Counted {
  readonly profile: Profile;
  readonly blocks: BlockTable;
  readonly importance: ReadonlyMap<string, number>;
  readonly untimed: number;
}

export interface BlockSize {
  readonly windowSeconds: number;
  readonly rowsPerBlock: number;
  readonly time?: string;
}

/** Counts the reference as a whole, and at the same time by blocks; where predictions are known, also what each column means to them. */
export async function countPass(table: Table, watched: readonly WatchedFeature[], size: BlockSize, progress: Progress): Promise<Counted> {
  const [[whole], parts] = await Promise.all([
    windowPass(table, watched, undefined, () => undefined, false),
    blockPass(table, watched, size, progress),
  ]);
  return { profile: whole.profile, ...parts };
}

async function blockPass(
  table: Table,
  watched: readonly WatchedFeature[],
  { windowSeconds, rowsPerBlock, time }: BlockSize,
  progress: Progress,
): Promise<Omit<Counted, 'profile'>> {
  const timeColumn = time === undefined ? undefined : table.columns.indexOf(time);
  const blocks = new BlockCounter(watched, { windowSeconds, rowsPerBlock, ...(timeColumn !== undefined && { timeColumn }) });
  const predicted = watched.find(({ role }) => role === 'prediction');
  const importance = predicted && new ImportanceCounter([...watched.filter(({ role }) => role === 'feature'), { ...predicted, column: undefined }]);
  const column = predicted?.column;
  await table.read(
    {
      text: (row) => {
        blocks.text(row);
        importance?.text(row);
        if (column !== undefined) importance?.prediction(textOf(row.bytes, row.starts[column], row.ends[column]));
      },
      cells: (row) => {
        blocks.cells(row);
        importance?.cells(row);
        if (column !== undefined) importance?.prediction(row[column]);
      },
      prediction: (cell) => {
        blocks.prediction(cell);
        importance?.prediction(cell);
      },
      nextPart: () => blocks.nextPart(),
    },
    progress,
  );
  return { blocks: blocks.toTable(), importance: importance?.toImportance() ?? new Map(), untimed: blocks.untimed };
}

export interface Span {
  /** First and last event time in milliseconds; absent where rows have none. */
  readonly first?: number;
  readonly last?: number;
  readonly untimed: number;
}

/** Range of a column of times. */
export async function spanPass(table: Table, time: string, progress: Progress): Promise<Span> {
  const column = table.columns.indexOf(time);
  let [first, last, untimed] = [Infinity, -Infinity, 0];
  const add = (value: number): void => {
    if (Number.isNaN(value)) untimed += 1;
    first = Math.min(first, Number.isNaN(value) ? Infinity : value);
    last = Math.max(last, Number.isNaN(value) ? -Infinity : value);
  };
  await table.read(
    { text: ({ bytes, starts, ends }) => add(timeOfText(bytes, starts[column], ends[column])), cells: (row) => add(readTime(row[column]) ?? NaN) },
    progress,
    true,
  );
  return { untimed, ...(last >= first && { first, last }) };
}

/** Profiles of a table, one for each window of the grid, or one for all rows; of files on this machine over all cores. */
export async function windowPass(
  table: Table,
  watched: readonly WatchedFeature[],
  cut: WindowCut | undefined,
  progress: Progress,
  first: boolean,
): Promise<readonly WindowProfile[]> {
  const { files, format, columns } = table;
  const local = files.flatMap(({ name, path, bytes }) => (path === undefined ? [] : [{ name, path, bytes }]));
  if (local.length === files.length && format !== 'parquet' && format !== 'transform') {
    const { windows, rejections } = await profileFiles({ files: local, format, columns, features: watched, cut, onProgress: progress });
    if (first) table.rejections.merge(rejections.counts(), rejections.samples());
    return windows;
  }
  const windows = new WindowProfiles(watched, cut, table.place);
  await table.read(windows, progress, first);
  return windows.toProfiles();
}

/** Rows without a time are taken for independent: a hundred parts of them do as well as single rows. */
const UNTIMED_BLOCKS = 100;

export interface QualityColumns {
  readonly task: RuntimeTask;
  readonly prediction: string;
  readonly groups: readonly string[];
  readonly time?: string;
  readonly rows: number;
}

/** Truth and prediction of each row. */
export async function qualityPass(table: Table, { task, prediction, groups, time, rows }: QualityColumns, progress: Progress): Promise<QualityTable> {
  const quality = new QualityTable(task, groups);
  const [truthAt, predictionAt, timeAt] = [task.target, prediction, time].map((name) => (name === undefined ? -1 : table.columns.indexOf(name)));
  const groupsAt = groups.map((name) => table.columns.indexOf(name));
  let row = 0;
  const add = (cell: (column: number) => Cell): void => {
    const moment = timeAt < 0 ? undefined : readTime(cell(timeAt));
    const answer = readPrediction(task, cell(predictionAt));
    const block = timeAt < 0 ? Math.floor((row * UNTIMED_BLOCKS) / Math.max(1, rows)) : moment === undefined ? undefined : dayOf(moment);
    row += 1;
    if (answer === undefined || block === undefined) return;
    quality.add(block, answer, readTruth(task, cell(truthAt)), groupsAt.map((column) => readCategory(cell(column))));
  };
  await table.read(
    {
      text: ({ bytes, starts, ends }) => add((column) => textOf(bytes, starts[column], ends[column])),
      cells: (values) => add((column) => values[column]),
    },
    progress,
  );
  return quality;
}
