import type { Baseline } from '../../lambda/monitoring/baseline/types';
import { tableQuality } from '../../lambda/monitoring/quality/holdout';
import type { QualityTable } from '../../lambda/monitoring/quality/table';
import { type TrendPoint, trendPointOf } from '../../lambda/monitoring/report/types';
import type { RuntimeTask } from '../../lambda/monitoring/task-metrics';
import type { MonitorResult, MonitorSpec } from '../../lib/monitoring/contract';
import { CliError, UsageError } from '../errors';
import { baselineFeatures, columnsOfBoth, type Columns, requireColumns, type Roles, watchedIn } from './columns';
import { named } from './formats';
import { judgeWindow, type Judged } from './judge';
import { countPass, qualityPass, samplePass, spanPass, windowPass } from './passes';
import type { Table } from './table';
import { taskOf, type TaskOptions } from './task';
import type { WindowProfile } from './window-profiles';

export interface CompareOptions extends TaskOptions {
  readonly roles: Roles;
  /** Length of a window in seconds. */
  readonly windowSeconds?: number;
  readonly minimumRows: number;
  /** Accepted probability that a comparison without a change says drift. */
  readonly falseAlarm: number;
}

export interface Compared {
  /** In order of time; one where the current data is compared as a whole. */
  readonly windows: readonly Judged[];
  readonly spec: MonitorSpec;
  readonly baseline: Baseline;
  readonly columns: Columns;
}

/** Tells what is read and how far, 0 to 1. */
export type Tell = (what: string, share: number) => void;

const DAY = 86_400;
/** Lengths on the grid of windows, in seconds. */
const LENGTHS = [...[1, 2, 3, 4, 6, 8, 12].map((hours) => hours * 3600), ...Array.from({ length: 31 }, (_, day) => (day + 1) * DAY)];
/** Blocks of rows that a reference is cut into where the current data would give fewer: half of them tell what is usual. */
const WANTED_BLOCKS = 100;

export async function compareTables(reference: Table, current: Table, options: CompareOptions, tell: Tell): Promise<Compared> {
  const { roles, minimumRows } = options;
  requireColumns(reference, [['--time', roles.time], ['--target', roles.target], ['--prediction', roles.prediction]]);
  requireColumns(current, [['--time', roles.time]]);
  if (!current.isServed) requireColumns(current, [['--target', roles.target], ['--prediction', roles.prediction]]);
  const share = (what: string, table: Table): ((bytes: number) => void) => {
    let done = 0;
    tell(what, 0);
    return (bytes) => tell(what, Math.min(1, (done += bytes) / table.bytes));
  };
  const { sampler, predictions } = await samplePass(reference, share('learning from the reference', reference));
  if (sampler.rows === 0) throw new CliError(`${reference.place} holds no row that can be read`, firstRejection(reference));
  const columns = columnsOfBoth(reference, current, roles, sampler, predictions);
  if (columns.features.length === 0) {
    const fix = `the reference has ${named(reference.columns)}, the current data ${named(current.columns)}`;
    throw new UsageError('the two sides have no column in common that could be compared', fix);
  }
  const length = await windowLength(current, options, share('finding the times of the current data', current));
  const cut = roles.time !== undefined && length.isCut ? { column: current.columns.indexOf(roles.time), windowSeconds: length.seconds } : undefined;
  const watched = watchedIn(current, columns.features);
  const profiles = await windowPass(current, watched, cut, share('reading the current data', current), roles.time === undefined);
  const rows = Math.max(1, ...profiles.map(({ profile }) => profile.rows));
  const size = {
    windowSeconds: length.seconds,
    rowsPerBlock: Math.max(minimumRows, Math.min(rows, Math.floor(sampler.rows / WANTED_BLOCKS))),
    time: roles.time,
  };
  const counted = await countPass(reference, watchedIn(reference, columns.features), size, share('reading the reference', reference));
  const measured = await measure(reference, current, columns, options, { reference: sampler.rows, current: sum(profiles) }, share);
  const spec = specOf(options, length.seconds, profiles.length, measured?.task);
  const baseline = baselineOf(reference, columns, counted, options, spec, measured);
  const windows = profiles.map((one): Judged => {
    const start = one.start ?? length.first ?? 0;
    const end = one.start === undefined ? (length.last ?? start) : one.start + length.seconds * 1000;
    return judgeWindow({
      spec,
      baseline,
      blocks: counted.blocks,
      window: { start, end, profile: one.profile },
      ...(measured && { quality: { table: measured.current, from: length.first ?? 0, to: length.last ?? 0 } }),
      falseAlarm: options.falseAlarm / profiles.length,
      names: { reference: reference.place, current: current.place },
      states: statesOf(columns, counted.untimed + length.untimed),
      ...rejectionsOf(reference, current),
    });
  });
  return { windows, spec, baseline, columns };
}

const sum = (profiles: readonly WindowProfile[]): number => profiles.reduce((total, { profile }) => total + profile.rows, 0);

const firstRejection = (table: Table): string | undefined => Object.values(table.rejections.samples())[0];

interface Length {
  readonly seconds: number;
  /** Whether the current data holds several windows of this length. */
  readonly isCut: boolean;
  readonly first?: number;
  readonly last?: number;
  readonly untimed: number;
}

/** The window's length: as asked for, or the current data's own, rounded up to the grid. */
async function windowLength(current: Table, { roles, windowSeconds }: CompareOptions, progress: (bytes: number) => void): Promise<Length> {
  if (roles.time === undefined) return { seconds: DAY, isCut: false, untimed: 0 };
  const { first, last, untimed } = await spanPass(current, roles.time, progress);
  if (first === undefined || last === undefined) {
    throw new CliError(`column ${roles.time} of ${current.place} holds no ISO 8601 time`, 'times look like 2026-03-01T14:00:00Z');
  }
  const own = (last - first) / 1000;
  const grid = LENGTHS.find((length) => length >= own) ?? LENGTHS[LENGTHS.length - 1];
  const seconds = windowSeconds ?? grid;
  return { seconds, isCut: own > seconds, first, last: Math.max(last + 1, first + 1000), untimed };
}

/** Comparisons by hand stand alone: each is judged by itself, at the rate that was asked for. */
function specOf(options: CompareOptions, windowSeconds: number, windows: number, task: RuntimeTask | undefined): MonitorSpec {
  const { roles, minimumRows, falseAlarm } = options;
  return {
    model: 'files',
    task: { ...(task ?? { kind: 'REGRESSION', target: roles.target ?? '' }), ...(roles.time !== undefined && { timeColumn: roles.time }) },
    endpointName: '',
    variantName: '',
    servingKind: 'SERVERLESS',
    samplingPercentage: 100,
    windowSeconds,
    delaySeconds: 0,
    minimumRows,
    references: [{ kind: 'TRAINING' }],
    falseAlarms: { episodes: falseAlarm / windows, days: windowSeconds / DAY, shares: { drift: 1, quality: 0.05, groups: 0.05 } },
    persistence: { breaches: 1, windows: 1 },
    qualitySeconds: windowSeconds,
    qualityRules: [],
    groupColumns: roles.groups,
    groupRules: [],
    groupMinimum: { rows: 30, perClass: 10 },
    featureMetrics: 0,
  };
}

interface Measured {
  readonly task: RuntimeTask;
  readonly reference: QualityTable;
  readonly current: QualityTable;
}

/** Truth against prediction on both sides, where both columns are named. */
async function measure(
  reference: Table,
  current: Table,
  { features }: Columns,
  options: CompareOptions,
  rows: { readonly reference: number; readonly current: number },
  share: (what: string, table: Table) => (bytes: number) => void,
): Promise<Measured | undefined> {
  const { target, prediction, groups, time } = options.roles;
  const [truth, answer] = [target, prediction].map((name) => features.find((feature) => feature.name === name)?.shape);
  if (target === undefined || prediction === undefined || current.isServed) return undefined;
  if (truth === undefined || answer === undefined) return undefined;
  requireColumns(reference, groups.map((name) => ['--groups', name]));
  requireColumns(current, groups.map((name) => ['--groups', name]));
  const task = taskOf(target, truth, answer, options);
  const columns = { task, prediction, groups, time };
  return {
    task,
    reference: await qualityPass(reference, { ...columns, rows: rows.reference }, share('measuring the reference', reference)),
    current: await qualityPass(current, { ...columns, rows: rows.current }, share('measuring the current data', current)),
  };
}

function baselineOf(
  reference: Table,
  columns: Columns,
  counted: Awaited<ReturnType<typeof countPass>>,
  { roles }: CompareOptions,
  spec: MonitorSpec,
  measured: Measured | undefined,
): Baseline {
  return {
    schemaVersion: 2,
    model: spec.model,
    runId: reference.place,
    columns: reference.columns,
    ...(roles.time !== undefined && { timeColumn: roles.time }),
    trainRows: counted.profile.rows,
    features: baselineFeatures(columns.features, counted.profile, counted.importance),
    skipped: columns.skipped,
    holdout: measured ? tableQuality(spec, measured.reference) : { rows: 0, blocks: 0, metrics: {}, groups: {} },
    constraints: { schemaVersion: 1, model: spec.model, origin: reference.place, features: [], consistency: [] },
    promises: [],
  };
}

function statesOf({ onlyReference, onlyCurrent }: Columns, untimed: number): MonitorResult['states'] {
  const parts = [
    ...(onlyReference.length > 0 ? [`only the reference has ${named(onlyReference)}`] : []),
    ...(onlyCurrent.length > 0 ? [`only the current data has ${named(onlyCurrent)}`] : []),
  ];
  const count = onlyReference.length + onlyCurrent.length;
  const changed = { state: 'changed-schema' as const, count, sentence: `${parts.join('; ')}.` };
  const unread = { state: 'unreadable-lines' as const, count: untimed, sentence: 'Rows without a readable time are in no block.' };
  return [...(parts.length > 0 ? [changed] : []), ...(untimed > 0 ? [unread] : [])];
}

const rejectionsOf = (reference: Table, current: Table): Pick<MonitorResult, 'rejected' | 'rejectedSamples'> => {
  const all = [reference, current].map(({ rejections }) => ({ counts: rejections.counts(), samples: rejections.samples() }));
  const causes = [...new Set(all.flatMap(({ counts }) => Object.keys(counts)))];
  return {
    rejected: Object.fromEntries(causes.map((cause) => [cause, all.reduce((total, { counts }) => total + (counts[cause] ?? 0), 0)])),
    rejectedSamples: Object.fromEntries(causes.map((cause) => [cause, all.find(({ samples }) => samples[cause])?.samples[cause] ?? ''])),
  };
};

/** The window that a report is about: the one that drifted most. */
export function mostNotable(windows: readonly Judged[]): { readonly judged: Judged; readonly trend: readonly TrendPoint[] } {
  const score = ({ result }: Judged): number => (result.drift.verdict === 'drift' ? 1e9 : 0) + (result.drift.comparisons[0]?.judgedScore ?? -1e6);
  const judged = [...windows].sort((a, b) => score(b) - score(a))[0];
  return { judged, trend: windows.filter((one) => one !== judged).map(({ result }) => trendPointOf(result)) };
}

