import { CategoricalShape, Counts, NumericShape, Shape, binMeans, usable } from './counters';
import { chiSquareTwoSample, ksPValue, populationStabilityIndex, twoProportionPValue, wassersteinDistance } from './statistics';

/** A way in which a window can differ from its reference: how sure, and how much against the least difference that counts. */
export interface Finding {
  readonly kind: 'distribution' | 'missing' | 'unseen';
  readonly pValue: number;
  /** Difference in units of its threshold: 1 and more is large enough. */
  readonly effect: number;
  readonly text: string;
}

/** What the counters of a feature say about reference and window; undefined where a figure does not exist. */
export interface Comparison {
  readonly referenceRows: number;
  readonly rows: number;
  readonly psiDebiased?: number;
  readonly ks?: { readonly statistic: number; readonly pValue: number };
  readonly chiSquare?: { readonly statistic: number; readonly degreesOfFreedom: number; readonly pValue: number };
  /** In standard deviations of the reference. */
  readonly wasserstein?: number;
  readonly missingShare: number;
  readonly referenceMissingShare: number;
  readonly invalidShare: number;
  readonly unseenShare?: number;
  readonly unseen?: readonly string[];
  readonly findings: readonly Finding[];
}

/** Least differences that count, whatever the significance. */
export const EFFECTS = { psi: 0.1, wasserstein: 0.2, missing: 0.05, unseen: 0.05 } as const;

const GROUPS = 10;
/** Fewest rows that a cell of a chi-square test should expect. */
const EXPECTED = 5;
const UNSEEN_NAMES = 10;

/** `minimumRows`: usable rows below which the distributions are not compared; missing and unseen shares always are. */
export function compare(shape: Shape, reference: Counts, window: Counts, minimumRows: number): Comparison {
  const enough = usable(window) >= minimumRows && usable(reference) >= minimumRows;
  const distribution = enough ? compareDistributions(shape, reference, window) : {};
  const shares = compareShares(shape, reference, window);
  return {
    referenceRows: reference.rows,
    rows: window.rows,
    ...distribution,
    ...shares.figures,
    findings: [...(enough ? distributionFinding(distribution) : []), ...shares.findings],
  };
}

type Distribution = Pick<Comparison, 'psiDebiased' | 'ks' | 'chiSquare' | 'wasserstein'>;

function compareDistributions(shape: Shape, reference: Counts, window: Counts): Distribution {
  const groups = shape.kind === 'numeric' ? quantileGroups(reference.counts) : categoryGroups(shape, reference, window);
  const inGroups = (side: Counts): number[] => groups.map((group) => group.reduce((sum, cell) => sum + side.counts[cell], 0));
  const [referenceCells, windowCells] = [inGroups(reference), inGroups(window)];
  const [n, m] = [usable(reference), usable(window)];
  const psi = populationStabilityIndex(referenceCells.map((count) => count / n), windowCells.map((count) => count / m), {
    zeroPolicy: 'floor',
    // An empty cell only says that the share is below about half a row of the smaller side.
    floor: 0.5 / Math.min(n, m),
  });
  const chiSquare = chiSquareTwoSample(referenceCells, windowCells);
  return {
    // Under no change the index is not zero on average but (cells - 1)(1/n + 1/m).
    psiDebiased: psi - (groups.length - 1) * (1 / n + 1 / m),
    ...(chiSquare && { chiSquare }),
    ...(shape.kind === 'numeric' && compareNumbers(shape, reference, window)),
  };
}

function compareNumbers(shape: NumericShape, reference: Counts, window: Counts): Distribution {
  const [n, m] = [usable(reference), usable(window)];
  let [below, belowWindow, statistic] = [0, 0, 0];
  reference.counts.forEach((count, bin) => {
    below += count;
    belowWindow += window.counts[bin];
    statistic = Math.max(statistic, Math.abs(below / n - belowWindow / m));
  });
  const [expected, seen] = [binMeans(shape, reference), binMeans(shape, window)];
  const distance = wassersteinDistance(expected.values, seen.values, expected.weights, seen.weights);
  const deviation = deviationOf(expected.values, expected.weights, n);
  return {
    ks: { statistic, pValue: ksPValue(statistic, n, m) },
    ...(distance !== undefined && deviation > 0 && { wasserstein: distance / deviation }),
  };
}

function deviationOf(values: readonly number[], weights: readonly number[], total: number): number {
  const mean = values.reduce((sum, value, index) => sum + (value * weights[index]) / total, 0);
  return Math.sqrt(values.reduce((sum, value, index) => sum + ((value - mean) ** 2 * weights[index]) / total, 0));
}

/** Neighbouring bins taken together to about a tenth of the reference each; values that are frequent by themselves keep their own group. */
function quantileGroups(counts: readonly number[]): number[][] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const groups: number[][] = [[]];
  let [cumulative, closedAt] = [0, 0];
  counts.forEach((count, bin) => {
    groups[groups.length - 1].push(bin);
    cumulative += count;
    if (cumulative - closedAt >= total / GROUPS - 1e-9 && total - cumulative >= total / GROUPS / 2) {
      groups.push([]);
      closedAt = cumulative;
    }
  });
  return groups.filter((group) => group.length > 0);
}

/** Categories from common to rare; rare ones taken together until a window of this size should hold five rows of them. */
function categoryGroups(shape: CategoricalShape, reference: Counts, window: Counts): number[][] {
  const scale = usable(window) / usable(reference);
  const known = shape.categories.map((_, cell) => cell).sort((a, b) => reference.counts[b] - reference.counts[a] || a - b);
  const groups: number[][] = [];
  let [open, expected]: [number[], number] = [[], 0];
  for (const cell of known) {
    open.push(cell);
    expected += reference.counts[cell] * scale;
    if (expected >= EXPECTED) {
      groups.push(open);
      [open, expected] = [[], 0];
    }
  }
  const rest = [...open, shape.categories.length];
  const occurs = rest.some((cell) => reference.counts[cell] + window.counts[cell] > 0);
  return occurs ? [...groups, rest] : groups;
}

function distributionFinding({ psiDebiased = 0, ks, chiSquare, wasserstein = 0 }: Distribution): Finding[] {
  const pValues = [ks, chiSquare].filter((test) => test !== undefined).map((test) => test.pValue);
  if (pValues.length === 0) {
    return [];
  }
  const parts = [`PSI ${Math.max(0, psiDebiased).toFixed(2)} (counts from ${EFFECTS.psi})`];
  if (ks !== undefined) {
    parts.push(`distance ${wasserstein.toFixed(2)} standard deviations (counts from ${EFFECTS.wasserstein})`);
  }
  return [
    {
      kind: 'distribution',
      pValue: Math.min(1, Math.min(...pValues) * pValues.length),
      effect: Math.max(psiDebiased / EFFECTS.psi, wasserstein / EFFECTS.wasserstein),
      text: parts.join(', '),
    },
  ];
}

function compareShares(shape: Shape, reference: Counts, window: Counts) {
  const share = (count: number, rows: number): number => (rows > 0 ? count / rows : 0);
  const absent = (counts: Counts): number => counts.missing + counts.invalid;
  const figures = {
    missingShare: share(window.missing, window.rows),
    referenceMissingShare: share(reference.missing, reference.rows),
    invalidShare: share(window.invalid, window.rows),
  };
  const findings: Finding[] = [];
  const missingP = twoProportionPValue(absent(reference), reference.rows, absent(window), window.rows);
  if (missingP !== undefined) {
    const [before, now] = [share(absent(reference), reference.rows), share(absent(window), window.rows)];
    const text =
      `${percent(now)} of the values are missing or invalid, ${percent(before)} in the reference ` +
      `(counts from a difference of ${percent(EFFECTS.missing)})`;
    findings.push({ kind: 'missing', pValue: missingP, effect: Math.abs(now - before) / EFFECTS.missing, text });
  }
  if (shape.kind === 'numeric' || shape.hasOther) {
    return { figures, findings };
  }
  const cell = shape.categories.length;
  const unseenShare = share(window.counts[cell], usable(window));
  const unseen = Object.entries(window.unlisted ?? {})
    .sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    .slice(0, UNSEEN_NAMES)
    .map(([name]) => name);
  const unseenP = twoProportionPValue(reference.counts[cell], usable(reference), window.counts[cell], usable(window));
  if (unseenP !== undefined) {
    const text = `${percent(unseenShare)} of the values were never seen in training (counts from ${percent(EFFECTS.unseen)})`;
    findings.push({ kind: 'unseen', pValue: unseenP, effect: unseenShare / EFFECTS.unseen, text });
  }
  return { figures: { ...figures, unseenShare, ...(unseen.length > 0 && { unseen }) }, findings };
}

export const percent = (share: number): string => `${Number((share * 100).toFixed(Math.abs(share) < 0.1 ? 1 : 0))} %`;
