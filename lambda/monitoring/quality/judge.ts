import {
  type Estimate,
  FEWEST_BLOCKS,
  type MonitorResult,
  type MonitorSpec,
  type QualityBreach,
  type QualityMetric,
  type QualityRuleSpec,
} from '../../../lib/monitoring/contract';
import type { HoldoutQuality } from '../baseline/types';
import { type BlockEstimate, differenceOf, estimateOf, intervalOf } from './block-value';
import { verdictError } from './budget';
import { directionOf, rangeOf } from './directions';
import { figuresOf } from './estimate';
import type { QualityTable } from './table';
import { figure, interval, listed, rowsText } from './words';

/** Labelled rows that are enough for a verdict, where the drift minimum is larger. */
const ENOUGH_LABELS = 100;
/** Days of the holdout below which its own error is not known well enough for a rule relative to it. */
const FEWEST_BASELINE_BLOCKS = 5;

export type QualitySpec = Pick<MonitorSpec, 'task' | 'falseAlarms' | 'qualityRules' | 'minimumRows'>;

export interface QualityInput {
  readonly spec: QualitySpec;
  /** Rows of the serving version from `from` up to `to`, labelled or not, in blocks of whole days. */
  readonly table: QualityTable;
  /** Milliseconds of event time. */
  readonly from: number;
  readonly to: number;
  /** Quality of the serving version on its holdout. */
  readonly baseline?: HoldoutQuality;
}

type Quality = MonitorResult['quality'];

/** What came of one rule: a breach, an all-clear with its sentence, or why it cannot be judged. */
type Outcome = { readonly breach: QualityBreach; readonly sentence: string } | { readonly clear: string } | { readonly unknown: string };

/** The metrics of the labelled rows against the rules, each in its own direction, at the error that the false-alarm budget leaves to each. */
export function judgeQuality({ spec, table, from, to, baseline }: QualityInput): Quality {
  const oneSided = verdictError(spec, spec.falseAlarms.shares.quality) / Math.max(1, spec.qualityRules.length);
  const { rows, labelled } = table;
  const [{ metrics: figures }] = figuresOf(table);
  const estimates = Object.fromEntries(Object.entries(figures).map(([name, one]) => [name, estimateOf(one)]));
  const metrics = Object.fromEntries(
    Object.entries(figures).map(([name, { value }]): [string, QualityMetric] => [name, shown(name, value, estimates[name], oneSided, baseline)]),
  );
  const blocks = labelledBlocks(table);
  const labelAgeSeconds = table.medianAge();
  const base = {
    from: new Date(from).toISOString(),
    to: new Date(to).toISOString(),
    rows,
    labelled,
    coverage: rows > 0 ? labelled / rows : 0,
    ...(labelAgeSeconds === undefined ? {} : { labelAgeSeconds }),
    blocks,
    confidence: 1 - 2 * oneSided,
    metrics,
    exceeded: [],
  };
  if (rows === 0) {
    return { ...base, verdict: 'no-traffic', reason: 'No recorded request falls into the days that quality is judged on.' };
  }
  if (spec.qualityRules.length === 0) {
    return { ...base, verdict: 'no-rules', reason: 'No rule is stated for this model: its quality is measured, not judged.' };
  }
  const needed = Math.min(spec.minimumRows, ENOUGH_LABELS);
  if (labelled < needed) {
    return { ...base, verdict: 'insufficient-labels', reason: `${labelled} of ${rowsText(rows)} have a label; a verdict needs ${needed}.` };
  }
  const outcomes = spec.qualityRules.map((rule) => judgeRule(rule, estimates[rule.metric], figures[rule.metric]?.value, oneSided, baseline));
  const on = `on ${rowsText(labelled, 'labelled row')} of ${blocks} days`;
  const breaches = outcomes.filter((outcome) => 'breach' in outcome);
  if (breaches.length > 0) {
    const reason = `${listed(breaches.map(({ sentence }) => sentence))}, ${on}.`;
    return { ...base, exceeded: breaches.map(({ breach }) => breach), verdict: 'degraded', reason };
  }
  const unknown = outcomes.filter((outcome) => 'unknown' in outcome);
  if (unknown.length > 0) {
    return { ...base, verdict: 'insufficient-labels', reason: `${listed(unknown.map((outcome) => outcome.unknown))}, ${on}.` };
  }
  return { ...base, verdict: 'ok', reason: `${listed(outcomes.map((outcome) => ('clear' in outcome ? outcome.clear : '')))}, ${on}.` };
}

function judgeRule(
  rule: QualityRuleSpec,
  estimate: BlockEstimate | undefined,
  value: number | undefined,
  oneSided: number,
  baseline: HoldoutQuality | undefined,
): Outcome {
  const { metric, tolerance } = rule;
  const higher = directionOf(metric, rule.higherIsBetter);
  if (value === undefined) {
    return { unknown: `the labelled rows leave ${metric} undefined` };
  }
  if (estimate === undefined || estimate.blocks < FEWEST_BLOCKS) {
    const there = estimate?.blocks ?? 0;
    return { unknown: `${metric} is ${figure(value)}; its interval needs ${FEWEST_BLOCKS} days, there are ${there} with what it is made of` };
  }
  const before = tolerance === undefined ? undefined : baselineEstimate(metric, baseline);
  if (tolerance !== undefined && before === undefined) {
    return { unknown: `the baseline has no ${metric} with an error of its own, for which the holdout needs ${FEWEST_BASELINE_BLOCKS} days` };
  }
  const sign = higher ? -1 : 1;
  const bound = before === undefined ? (rule.worseThan ?? NaN) : before.value + sign * (tolerance ?? 0);
  // The baseline is an estimate too: its error widens the interval.
  const { standardError, degreesOfFreedom } = before === undefined ? estimate : differenceOf(estimate, before);
  const { low, high } = intervalOf({ ...estimate, standardError, degreesOfFreedom }, oneSided);
  const origin = before === undefined ? '' : ` (the baseline's ${figure(before.value)} with a tolerance of ${figure(tolerance ?? 0)})`;
  const against = `${figure(bound)}${origin}`;
  if (higher ? high < bound : low > bound) {
    return { breach: { metric, value, bound, low, high }, sentence: `${metric} ${interval({ value, low, high })} is worse than ${against}` };
  }
  return { clear: `${metric} ${interval({ value, low, high })} is not shown to be worse than ${against}` };
}

/** Error of the baseline's metric; degrees of freedom of the days that it was measured on. */
function baselineEstimate(metric: string, baseline: HoldoutQuality | undefined): BlockEstimate | undefined {
  const known = baseline === undefined || !Object.hasOwn(baseline.metrics, metric) ? undefined : baseline.metrics[metric];
  if (baseline === undefined || known?.standardError === undefined || baseline.blocks < FEWEST_BASELINE_BLOCKS) {
    return undefined;
  }
  const { value, standardError, degreesOfFreedom = baseline.blocks - 1 } = known;
  return { value, standardError, degreesOfFreedom, blocks: baseline.blocks };
}

function shown(
  metric: string,
  value: number,
  estimate: BlockEstimate | undefined,
  oneSided: number,
  baseline: HoldoutQuality | undefined,
): QualityMetric {
  const before = baseline !== undefined && Object.hasOwn(baseline.metrics, metric) ? baseline.metrics[metric] : undefined;
  return {
    ...estimateShown(metric, value, estimate, oneSided),
    ...(before === undefined ? {} : { baseline: { value: before.value, low: before.low, high: before.high } }),
  };
}

/** A value with its interval within the metric's range; without one where the blocks are too few. */
export function estimateShown(
  metric: string,
  value: number,
  estimate: BlockEstimate | undefined,
  oneSided: number,
  fewest = FEWEST_BLOCKS,
): Estimate {
  if (estimate === undefined || estimate.blocks < fewest) {
    return { value };
  }
  const range = rangeOf(metric);
  const { low, high } = intervalOf(estimate, oneSided);
  return { value, low: Math.max(range.low, low), high: Math.min(range.high, high) };
}

/** Days that hold a labelled row. */
export function labelledBlocks(table: QualityTable): number {
  const seen = new Uint8Array(table.blockIds.length);
  for (let row = 0; row < table.rows; row += 1) {
    if (!Number.isNaN(table.truth[row])) {
      seen[table.block[row]] = 1;
    }
  }
  return seen.reduce((sum, one) => sum + one, 0);
}
