import type { GateSpec } from '../../../lib/pipeline/contract';
import type { Judged } from '../evaluation/evaluate';
import type { HoldoutBlocks } from '../evaluation/scored-holdout';
import { improvementOf, type PairedInterval, pairedInterval } from './paired-interval';
import { directionOf, ruled, uncomputable, valueOf } from './rules';
import type { RuleResult } from './types';
import { percent, shown } from './words';

/** Rounding must not tell equal models apart. */
const ROUNDING = 1e-12;

/** Whether the candidate is shown to be as much better than the champion as the gate asks for; the first version has nobody to beat. */
export const judgeChampion = (spec: GateSpec, { candidate, champion }: Judged, blocks: HoldoutBlocks, seed: number): RuleResult => {
  const { metric, minimumImprovement } = spec;
  const direction = directionOf(metric);
  const value = valueOf(candidate.metrics, metric);
  const rule = !champion ? 'first-version' : minimumImprovement < 0 ? 'not-worse-than-champion' : 'beats-champion';
  if (direction === undefined || value === undefined) return ruled(rule, 'not-computable', uncomputable(metric, 'candidate', direction), { metric });
  if (!champion) return ruled(rule, 'passed', `${metric} ${shown(value)}, no champion to beat: the first version`, { metric, value });
  const championValue = valueOf(champion.metrics, metric);
  if (championValue === undefined) return ruled(rule, 'not-computable', uncomputable(metric, 'champion', direction), { metric, value });

  const { figure, unit } = improvementOf(candidate.metrics[metric], champion.metrics[metric], direction);
  const size = (improvement: number): string => (unit === 'share' ? percent(improvement) : shown(improvement));
  const noun = blocks.unit === 'day' ? 'days' : blocks.rowsPerBlock === 1 ? 'rows' : `blocks of ${blocks.rowsPerBlock} rows`;
  // A share of zero is zero, but better than nothing is still better.
  const mustBeBetter = minimumImprovement > 0;
  const needed = unit === 'share' ? minimumImprovement : 0;
  const given = { metric, unit, value, championValue, improvement: figure.value, minimumImprovement: needed };
  const verdict = `${figure.value < 0 ? `${size(-figure.value)} worse than` : figure.value > 0 ? `${size(figure.value)} better than` : 'equal to'}`;
  const said = `${metric} ${shown(value)} is ${verdict} the champion's ${shown(championValue)}`;
  const found = pairedInterval(figure, spec, noun, seed);
  if ('none' in found) return ruled(rule, 'not-computable', `${said}, but how certain that is cannot be told: ${found.none}`, given);
  if (!(Number.isFinite(found.low) && Number.isFinite(found.high))) {
    return ruled(rule, 'not-computable', `${said}, but how certain that is cannot be told: the champion's value is zero on some days`, given);
  }
  const passed = found.low >= needed - ROUNDING && (!mustBeBetter || found.low > ROUNDING);
  const text = `${said}; ${certainty(found, size, noun)}, ${wanted(needed, size, mustBeBetter)}`;
  return ruled(rule, passed ? 'passed' : 'failed', text, { ...given, interval: found });
};

const certainty = ({ confidence, low, blocks, method }: PairedInterval, size: (improvement: number) => string, noun: string): string => {
  const by = low >= 0 ? `at least ${size(low)} better` : `at most ${size(-low)} worse`;
  const how = method === 'student' ? ', too few for a bootstrap: Student\'s t' : '';
  return `with ${shown(confidence * 100)} % confidence it is ${by} (${blocks} ${noun}${how})`;
};

const wanted = (needed: number, size: (improvement: number) => string, mustBeBetter: boolean): string => {
  if (needed < 0) return `at most ${size(-needed)} worse is allowed`;
  if (needed > 0) return `at least ${size(needed)} better is needed`;
  return mustBeBetter ? 'better is needed' : 'not worse is needed';
};
