import { HIGHER_IS_BETTER } from '../../lib/common/contract';
import { type GateSpec, PIPELINE_ERRORS, type PipelineSpec } from '../../lib/pipeline/contract';
import { NamedError } from '../common/errors';
import { taskMetrics } from '../monitoring/task-metrics';
import { blockBootstrap, type Interval } from './bootstrap';

type Value = number | string;

/** The holdout with what both models make of it, row by row. */
export interface ScoredHoldout {
  readonly truth: readonly Value[];
  readonly candidate: readonly Value[];
  /** Absent for the first version. */
  readonly champion?: readonly Value[];
  /** Block of each row: its day (UTC), or nothing where rows have no time. */
  readonly days?: readonly string[];
}

export interface RuleResult {
  readonly rule: 'bound' | 'beats-champion' | 'first-version';
  readonly metric: string;
  readonly passed: boolean;
  readonly value: number;
  readonly bound?: number;
  readonly championValue?: number;
  /** Share of the champion's value by which the candidate is better; negative where it is worse. */
  readonly improvement?: number;
  readonly minimumImprovement?: number;
  /** Of the improvement; absent where the holdout is too small for one. */
  readonly interval?: Interval;
  readonly text: string;
}

export interface GateDecision {
  readonly passed: boolean;
  readonly reason: string;
  readonly rows: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly championMetrics?: Readonly<Record<string, number>>;
  readonly rules: readonly RuleResult[];
}

const incomplete = (message: string): NamedError => new NamedError(PIPELINE_ERRORS.gateIncomplete, message);

/** Judges a candidate. What cannot be computed is no pass: it throws, and the run ends without a version. */
export const decide = (spec: GateSpec, task: PipelineSpec['task'], holdout: ScoredHoldout, seed: number): GateDecision => {
  const rows = holdout.truth.length;
  if (rows === 0) throw incomplete('the holdout holds no row');
  requireSameRows('candidate', holdout.candidate, rows);
  if (holdout.champion) requireSameRows('champion', holdout.champion, rows);
  const metrics = taskMetrics(task, pairs(holdout.truth, holdout.candidate));
  const championMetrics = holdout.champion && taskMetrics(task, pairs(holdout.truth, holdout.champion));
  const rules = [
    ...spec.bounds.map((bound) => judgeBound(bound, metrics)),
    championMetrics ? judgeChampion(spec, task, holdout, metrics, championMetrics, seed) : firstVersion(spec.metric, metrics),
  ];
  const broken = rules.filter(({ passed }) => !passed);
  const reason = (broken.length > 0 ? broken : rules).map(({ text }) => text).join('; ');
  return { passed: broken.length === 0, reason, rows, metrics, ...(championMetrics && { championMetrics }), rules };
};

const judgeBound = ({ metric, worseThan }: GateSpec['bounds'][number], metrics: Readonly<Record<string, number>>): RuleResult => {
  const value = required(metrics, metric, 'candidate');
  const passed = directionOf(metric) > 0 ? value >= worseThan : value <= worseThan;
  const text = `${metric} ${shown(value)} is ${passed ? 'within' : 'worse than'} the bound ${shown(worseThan)}`;
  return { rule: 'bound', metric, passed, value, bound: worseThan, text };
};

const firstVersion = (metric: string, metrics: Readonly<Record<string, number>>): RuleResult => {
  const value = required(metrics, metric, 'candidate');
  return { rule: 'first-version', metric, passed: true, value, text: `${metric} ${shown(value)}, no champion to beat: the first version` };
};

const judgeChampion = (
  spec: GateSpec,
  task: PipelineSpec['task'],
  holdout: ScoredHoldout,
  metrics: Readonly<Record<string, number>>,
  championMetrics: Readonly<Record<string, number>>,
  seed: number,
): RuleResult => {
  const { metric, minimumImprovement } = spec;
  const value = required(metrics, metric, 'candidate');
  const championValue = required(championMetrics, metric, 'champion');
  const improvement = improvementOf(metric, value, championValue);
  const passed = improvement >= minimumImprovement;
  const { blocks, unit } = blocksOf(holdout);
  const on = (scores: readonly Value[], drawn: readonly number[]): number | undefined =>
    taskMetrics(task, drawn.map((row) => ({ truth: holdout.truth[row], prediction: scores[row] })))[metric];
  const resampled = (drawn: readonly number[]): number | undefined => {
    const [candidate, champion] = [on(holdout.candidate, drawn), on(holdout.champion ?? [], drawn)];
    return candidate === undefined || champion === undefined ? undefined : improvementOf(metric, candidate, champion);
  };
  const interval = blockBootstrap(blocks, unit, resampled, seed);
  const range = interval ? ` (95 % interval ${percent(interval.low)} to ${percent(interval.high)} over ${interval.blocks} ${unit}s)` : '';
  const needed = minimumImprovement > 0 ? `, ${percent(minimumImprovement)} needed` : '';
  const verdict = `${improvement >= 0 ? `${percent(improvement)} better than` : `${percent(-improvement)} worse than`} the champion's`;
  const text = `${metric} ${shown(value)} is ${verdict} ${shown(championValue)}${range}${needed}`;
  const figures = { value, championValue, improvement: finite(improvement), minimumImprovement, interval };
  return { rule: 'beats-champion', metric, passed, ...figures, text };
};

/** Share of the champion's value; against a value of zero only the sign is known. */
const improvementOf = (metric: string, candidate: number, champion: number): number => {
  const better = (candidate - champion) * directionOf(metric);
  if (better === 0) return 0;
  return champion === 0 ? Math.sign(better) * Infinity : better / Math.abs(champion);
};

const directionOf = (metric: string): 1 | -1 => {
  const higher = HIGHER_IS_BETTER[metric];
  if (higher === undefined) throw incomplete(`nothing says whether a larger ${metric} is better`);
  return higher ? 1 : -1;
};

const required = (metrics: Readonly<Record<string, number>>, metric: string, whose: string): number => {
  const value = metrics[metric];
  if (value === undefined || !Number.isFinite(value)) throw incomplete(`${metric} of the ${whose} cannot be computed on this holdout`);
  return value;
};

const requireSameRows = (whose: string, scores: readonly Value[], rows: number): void => {
  if (scores.length !== rows) throw incomplete(`the ${whose} has ${scores.length} scores for ${rows} holdout rows`);
};

const blocksOf = ({ truth, days }: ScoredHoldout): { blocks: number[][]; unit: Interval['blockUnit'] } => {
  if (!days) return { blocks: truth.map((_, row) => [row]), unit: 'row' };
  const byDay = new Map<string, number[]>();
  days.forEach((day, row) => {
    const block = byDay.get(day);
    if (block) block.push(row);
    else byDay.set(day, [row]);
  });
  return { blocks: [...byDay.values()], unit: 'day' };
};

const pairs = (truth: readonly Value[], prediction: readonly Value[]) => truth.map((value, row) => ({ truth: value, prediction: prediction[row] }));

const shown = (value: number): string => String(Number(value.toPrecision(4)));
const percent = (share: number): string => (Number.isFinite(share) ? `${(share * 100).toFixed(1)} %` : 'infinitely');
/** JSON knows no infinity. */
const finite = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);
