import { HIGHER_IS_BETTER } from '../../lib/common/contract';
import type { MonitorResult, MonitorSpec } from '../../lib/monitoring/contract';
import { taskMetrics } from './task-metrics';

/** Labelled rows that are enough for a verdict on quality, where the drift minimum is larger. */
const ENOUGH_LABELS = 100;

export interface LabelledRow {
  readonly truth: number | string;
  readonly prediction: number | string;
}

/** Metrics of the labelled rows against the bounds, each in its own direction. */
export function judgeQuality(spec: MonitorSpec, rows: number, labelled: readonly LabelledRow[]): MonitorResult['quality'] {
  const metrics = taskMetrics(spec.task, labelled);
  const base = { labelled: labelled.length, coverage: rows > 0 ? labelled.length / rows : 0, metrics, exceeded: [] };
  const needed = Math.min(spec.minimumRows, ENOUGH_LABELS);
  if (rows === 0) {
    return { ...base, verdict: 'no-traffic', reason: 'No recorded request falls into the window.' };
  }
  if (spec.qualityBounds.length === 0) {
    return { ...base, verdict: 'no-bounds', reason: 'No bound is stated for this model: its quality is measured, not judged.' };
  }
  if (labelled.length < needed) {
    const reason = `${labelled.length} of ${rows} rows have a prediction and a label, a verdict needs ${needed}.`;
    return { ...base, verdict: 'insufficient-labels', reason };
  }
  const exceeded = spec.qualityBounds
    .filter(({ metric, worseThan }) => metric in metrics && isWorse(metric, metrics[metric], worseThan))
    .map(({ metric, worseThan }) => ({ metric, value: metrics[metric], bound: worseThan }));
  if (exceeded.length > 0) {
    const list = exceeded.map(({ metric, value, bound }) => `${metric} ${round(value)} is worse than ${bound}`).join(', ');
    return { ...base, exceeded, verdict: 'degraded', reason: `${list}, on ${labelled.length} labelled rows.` };
  }
  const unknown = spec.qualityBounds.filter(({ metric }) => !(metric in metrics)).map(({ metric }) => metric);
  if (unknown.length > 0) {
    return { ...base, verdict: 'insufficient-labels', reason: `The labelled rows leave ${unknown.join(', ')} undefined, e.g. for want of a class.` };
  }
  return { ...base, verdict: 'ok', reason: `${within(spec, metrics)}, on ${labelled.length} labelled rows.` };
}

const within = (spec: MonitorSpec, metrics: Record<string, number>): string =>
  spec.qualityBounds.map(({ metric, worseThan }) => `${metric} ${round(metrics[metric])} is within ${worseThan}`).join(', ');

function isWorse(metric: string, value: number, bound: number): boolean {
  if (!(metric in HIGHER_IS_BETTER)) {
    throw new Error(`the direction of metric ${metric} is not known: it cannot be judged`);
  }
  return HIGHER_IS_BETTER[metric] ? value < bound : value > bound;
}

const round = (value: number): number => Number(value.toPrecision(4));
