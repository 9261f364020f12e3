import type { DriftVerdict, MonitorSpec, ReferenceComparison } from '../../../lib/monitoring/contract';
import type { BlockCells, Counts } from '../profile/types';
import { number, percent, plural } from '../words';
import type { Figures } from './compare';
import { rowsOf } from './components';
import type { ChosenReference } from './reference';
import { countingScore, FeatureScore } from './score';
import type { Calibration, WindowScore } from './types';
import { listOf, round } from './words';

/** Sentences that say why a verdict is what it is. */

const COMPONENTS: Readonly<Record<FeatureScore['component'], (feature: { readonly numeric: boolean }) => string>> = {
  distribution: ({ numeric }) => (numeric ? 'Kolmogorov–Smirnov distance' : 'Jensen–Shannon distance'),
  shape: () => 'Jensen–Shannon distance of tenths',
  missing: () => 'Difference of the missing or invalid share',
  unseen: () => 'Difference of the unseen share',
};

const NAMED = 5;

/** A window beside one reference. */
export interface Judgement {
  readonly chosen: ChosenReference;
  readonly calibration: Calibration;
  readonly own: WindowScore;
  /** Those judged together with the window, oldest first, the window itself last. */
  readonly scores: readonly WindowScore[];
  readonly judged: number;
  readonly verdict: DriftVerdict;
}

export interface FeatureFacts {
  readonly figures: Figures;
  readonly score?: FeatureScore;
  readonly threshold?: number;
  readonly exceeds: boolean;
  readonly verdict: DriftVerdict;
  readonly reference: Counts | BlockCells | undefined;
  readonly window: Counts;
  /** Whether the reference has blocks that a score could be fitted to. */
  readonly fitted: boolean;
}

/** Statistic, value, least value that counts, score, threshold, rows of both sides, and both shares. */
export function featureReason(facts: FeatureFacts, spec: MonitorSpec): string {
  const { figures, score, threshold, exceeds, verdict, window } = facts;
  if (verdict === 'insufficient-data') {
    return `Not judged: ${plural(figures.rows, 'row')}, ${spec.minimumRows} needed.`;
  }
  if (score === undefined) {
    const why = facts.fitted ? 'too few of the reference\'s blocks know it' : 'the reference has no blocks to judge it by';
    return `Shown, not judged: ${why}.`;
  }
  const name = COMPONENTS[score.component]({ numeric: window.offsets !== undefined });
  const effect = `${name} ${score.effect.toFixed(3)} (counts from ${score.minimumEffect})`;
  const rows = `${number(figures.rows)} rows against ${number(figures.referenceRows)}`;
  const missing = `missing or invalid ${percent(missingShare(window))}, in the reference ${percent(missingShare(facts.reference))}`;
  const unseen = figures.unseen === undefined || score.component !== 'unseen' ? '' : `, unseen: ${listOf(figures.unseen.slice(0, NAMED))}`;
  const evidence = `${rows}; ${missing}${unseen}.`;
  if (countingScore(score) === -Infinity) {
    return `No difference that counts: ${lower(effect)}; ${evidence}`;
  }
  const bar = Number.isFinite(threshold) ? ` against a threshold of ${round(threshold ?? 0)}` : ' where no block of the reference differs by so much';
  const against = threshold === undefined ? '' : bar;
  const standing = `${effect}, score ${round(score.score)}${against}; ${evidence}`;
  if (!exceeds) {
    return standing;
  }
  return `${verdict === 'drift' ? 'Drifted' : 'Beyond the threshold in this window'}: ${lower(standing)}`;
}

const lower = (text: string): string => (text.startsWith('Difference') ? `d${text.slice(1)}` : text);

function missingShare(side: Counts | BlockCells | undefined): number {
  if (side === undefined) {
    return 0;
  }
  const [absent, rows] = 'counts' in side ? [side.missing + side.invalid, side.rows] : [side[side.length - 1], rowsOf(side)];
  return rows > 0 ? absent / rows : 0;
}

/** Why one comparison has its verdict. */
export function comparisonReason(judgement: Judgement, rows: number, spec: MonitorSpec): string {
  const { calibration, own, scores, judged, verdict } = judgement;
  const { breaches, windows } = spec.persistence;
  const { threshold, promise } = calibration;
  const few = fewRows(verdict, rows, spec);
  if (few !== undefined) {
    return few;
  }
  if (verdict === 'advisory') {
    const strongest = strongestOf([own], -Infinity);
    const largest = `The largest differences that count are of ${listOf(strongest)}`;
    const seen = strongest.length === 0 ? 'No feature differs by as much as counts' : largest;
    return `${seen}; this reference never alarms: ${promise.sentence}`;
  }
  const limit = threshold ?? Infinity;
  const exceeding = scores.filter(({ score }) => score > limit).length;
  const names = strongestOf(scores, limit);
  const span = scores.length === 1 ? 'the one window there is' : `the last ${scores.length} windows`;
  const needed = windows === 1 ? '' : `; ${breaches} of ${windows} windows are needed`;
  const bar = Number.isFinite(limit) ? `the threshold of ${round(limit)}` : 'anything that the reference shows without drift';
  const value = Number.isFinite(judged) ? `The judged score ${round(judged)}` : 'The judged score';
  if (verdict === 'drift') {
    const which = windows === 1 ? '' : ` in ${exceeding} of ${span}`;
    const sure = `p = ${round(calibration.pValue(judged))}, ${plural(promise.nullBlocks, 'block')} without drift`;
    return `${value} exceeds ${bar}${which} (${sure}): ${listOf(names)}.`;
  }
  if (exceeding > 0) {
    return `${exceeding} of ${span} ${exceeding === 1 ? 'exceeds' : 'exceed'} ${bar}, by ${listOf(names)}${needed}.`;
  }
  const strongest = Number.isFinite(own.score) ? `its score ${round(own.score)} stays below ${bar}` : 'no feature differs by as much as counts';
  return `No drift: ${strongest}; ${number(rows)} rows, ${plural(promise.nullBlocks, 'block')} without drift to judge by.`;
}

function fewRows(verdict: DriftVerdict, rows: number, spec: MonitorSpec): string | undefined {
  if (verdict === 'no-traffic') {
    return 'No recorded request falls into the window: there is nothing to compare.';
  }
  return verdict === 'insufficient-data'
    ? `The window holds ${plural(rows, 'row')} and a verdict needs ${number(spec.minimumRows)}: neither drift nor its absence can be told.`
    : undefined;
}

/** Names of the features above the limit in any of the windows, strongest first. */
function strongestOf(scores: readonly { readonly features: ReadonlyMap<string, FeatureScore> }[], limit: number): string[] {
  const best = new Map<string, number>();
  scores.forEach(({ features }) =>
    features.forEach((feature, name) => {
      const score = countingScore(feature);
      if (score > limit) {
        best.set(name, Math.max(score, best.get(name) ?? -Infinity));
      }
    }));
  const names = [...best].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([name]) => name);
  return names.length > NAMED ? [...names.slice(0, NAMED), `${names.length - NAMED} more`] : names;
}

/** Why the window has its verdict. */
export function driftReason(verdict: DriftVerdict, comparisons: readonly ReferenceComparison[], rows: number, spec: MonitorSpec): string {
  const few = fewRows(verdict, rows, spec);
  if (few !== undefined) {
    return few;
  }
  const deciding = comparisons.filter((each) => each.verdict === verdict);
  const reasons = [...new Set(deciding.map(({ reason }) => reason))];
  return reasons.length === 0 ? 'The monitor has no reference to compare with.' : reasons.join(' ');
}
