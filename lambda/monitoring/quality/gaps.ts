import { FEWEST_BLOCKS, type Estimate } from '../../../lib/monitoring/contract';
import { type BlockValue, combined, estimateOf, intervalOf } from './block-value';
import { rangeOf } from './directions';

/** What a gap is made of: which rates it compares, the classes these need, and how two groups are compared. */
interface GapKind {
  readonly rates: readonly { readonly name: string; readonly needs: 'rows' | 'positives' | 'negatives' }[];
  readonly compare: 'difference' | 'ratio';
}

const TRUE_POSITIVE = { name: 'truePositiveRate', needs: 'positives' } as const;
const FALSE_POSITIVE = { name: 'falsePositiveRate', needs: 'negatives' } as const;
const SELECTION = { name: 'selectionRate', needs: 'rows' } as const;

/** Fairlearn's definitions. */
export const FAIRNESS_GAPS: Readonly<Record<string, GapKind>> = {
  demographicParityDifference: { rates: [SELECTION], compare: 'difference' },
  demographicParityRatio: { rates: [SELECTION], compare: 'ratio' },
  equalOpportunityDifference: { rates: [TRUE_POSITIVE], compare: 'difference' },
  equalizedOddsDifference: { rates: [TRUE_POSITIVE, FALSE_POSITIVE], compare: 'difference' },
};

/** A figure of one group that is large enough to be judged. */
export interface GroupFigure {
  readonly group: string;
  readonly figure: BlockValue;
}

export interface Gap extends Estimate {
  readonly between: readonly string[];
  readonly breached: boolean;
  /** Whether every pair of groups shares enough blocks for an interval. */
  readonly judged: boolean;
}

/**
 * Widest difference between groups (largest less smallest), or ratio (smallest to largest). The interval holds for all pairs at once: each has its
 * share of the error. Breached where some pair's near end is beyond the bound. Undefined below two groups.
 */
export function gapOf(
  metric: string,
  groups: readonly GroupFigure[],
  compare: GapKind['compare'],
  oneSided: number,
  bound?: number,
): Gap | undefined {
  if (groups.length < 2) {
    return undefined;
  }
  const sorted = [...groups].sort((a, b) => b.figure.value - a.figure.value || (a.group < b.group ? -1 : 1));
  const [most, least] = [sorted[0], sorted[sorted.length - 1]];
  const ratio = compare === 'ratio';
  const value = ratio ? quotient(least.figure.value, most.figure.value) : most.figure.value - least.figure.value;
  if (!Number.isFinite(value)) {
    return undefined;
  }
  // Either of two groups may be the better one.
  const each = oneSided / (sorted.length * (sorted.length - 1));
  let [low, high, judged, breached] = [ratio ? Infinity : 0, ratio ? Infinity : 0, true, false];
  for (let upper = 0; upper < sorted.length; upper += 1) {
    for (let lower = upper + 1; lower < sorted.length; lower += 1) {
      const [a, b] = [sorted[upper].figure, sorted[lower].figure];
      const estimate = ratio ? estimateOf(combined(b, a, quotient)) : estimateOf(combined(a, b, (x, y) => x - y));
      if (estimate === undefined || fewestBlocks(a, b) < FEWEST_BLOCKS) {
        judged = false;
        continue;
      }
      const pair = intervalOf(estimate, each);
      low = ratio ? Math.min(low, pair.low) : Math.max(low, pair.low);
      high = ratio ? Math.min(high, pair.high) : Math.max(high, pair.high);
      breached ||= bound !== undefined && (ratio ? pair.high < bound : pair.low > bound);
    }
  }
  const range = ratio ? { low: 0, high: 1 } : { low: 0, high: rangeOf(metric).high };
  const ends = judged ? { low: clip(low, range), high: clip(high, range) } : {};
  return { value, ...ends, between: [most.group, least.group], breached, judged };
}

/** The worse of two gaps over the same bound, each with half of the error. */
export function worseOf(gaps: readonly (Gap | undefined)[]): Gap | undefined {
  const known = gaps.filter((gap) => gap !== undefined);
  if (known.length < gaps.length || known.length === 0) {
    return undefined;
  }
  const widest = known.reduce((worst, gap) => (gap.value > worst.value ? gap : worst));
  const judged = known.every((gap) => gap.judged);
  const ends = judged ? { low: Math.max(...known.map(({ low = 0 }) => low)), high: Math.max(...known.map(({ high = 1 }) => high)) } : {};
  return { value: widest.value, ...ends, between: widest.between, breached: known.some(({ breached }) => breached), judged };
}

const quotient = (part: number, whole: number): number => (whole > 0 ? part / whole : NaN);

const clip = (value: number, { low, high }: { low: number; high: number }): number => Math.min(high, Math.max(low, value));

const fewestBlocks = (a: BlockValue, b: BlockValue): number =>
  Math.min(...[a.weight, b.weight].map((weight) => weight.reduce((sum, one) => sum + (one > 0 ? 1 : 0), 0)));
