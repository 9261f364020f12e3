import type { FeatureResult } from '../../../lib/monitoring/contract';
import type { BlockCells, Shape } from '../profile/types';

/** One way in which a feature of a window can differ from a reference. */
export interface Measure {
  readonly component: NonNullable<FeatureResult['component']>;
  /** Distances below it never count, however sure they are. */
  readonly minimumEffect: number;
  /** Squared mean distance of a single independent row to the reference: of n rows it is an n-th of it. */
  readonly noise: number;
  /** Rows that the distance rests on. */
  size(cells: BlockCells): number;
  /** Needs a size above zero. */
  distance(cells: BlockCells): number;
}

/** Least distances that count: of distribution functions, Jensen–Shannon in base 2, and of shares. */
const MINIMUM_EFFECTS = { distribution: 0.1, shape: 0.1, unseen: 0.05, missing: 0.05 } as const;

/** Mean of Kolmogorov's law, √(π/2) ln 2, squared. */
const KOLMOGOROV_MEAN_SQUARED = (Math.PI / 2) * Math.LN2 ** 2;
const GROUPS = 10;
/** Categories are taken together until they hold this share of the reference. */
const COMMON = 0.01;

/** Measures of a feature against the sum of the cells of its reference. */
export function measuresOf(shape: Shape, reference: BlockCells): Measure[] {
  const present = presentOf(reference);
  const absent = reference[reference.length - 1];
  const missing = shareMeasure('missing', absent, present + absent, rowsOf, (cells) => cells[cells.length - 1]);
  if (present === 0) {
    return [missing];
  }
  if (shape.kind === 'numeric') {
    const grouped = quantileGroups(reference, present);
    return [kolmogorov(reference, present), ...(Math.max(...grouped) > 0 ? [jensenShannon('shape', grouped, reference)] : []), missing];
  }
  const unseen = shareMeasure('unseen', reference[reference.length - 2], present, presentOf, (cells) => cells[cells.length - 2]);
  const grouped = commonGroups(reference, present);
  return [
    ...(Math.max(...grouped) > 0 ? [jensenShannon('distribution', grouped, reference)] : []),
    // Where the training data held too many categories to keep, what is not listed is one category among the others.
    ...(shape.hasOther ? [] : [unseen]),
    missing,
  ];
}

/** Rows with a value of the right type. */
function presentOf(cells: BlockCells): number {
  let sum = 0;
  for (let cell = cells.length - 2; cell >= 0; cell -= 1) {
    sum += cells[cell];
  }
  return sum;
}

/** Rows with a value that the reference knows. */
const listedOf = (cells: BlockCells): number => presentOf(cells) - cells[cells.length - 2];

export const rowsOf = (cells: BlockCells): number => presentOf(cells) + cells[cells.length - 1];

/** Largest distance of the distribution functions at the cells' borders. */
function kolmogorov(reference: BlockCells, present: number): Measure {
  const last = reference.length - 2;
  const below = new Float64Array(last);
  let sum = 0;
  for (let cell = 0; cell < last; cell += 1) {
    sum += reference[cell];
    below[cell] = sum / present;
  }
  return {
    component: 'distribution',
    minimumEffect: MINIMUM_EFFECTS.distribution,
    noise: KOLMOGOROV_MEAN_SQUARED,
    size: presentOf,
    distance: (cells) => {
      const n = presentOf(cells);
      let [counted, largest] = [0, 0];
      for (let cell = 0; cell < last; cell += 1) {
        counted += cells[cell];
        largest = Math.max(largest, Math.abs(counted / n - below[cell]));
      }
      return largest;
    },
  };
}

/** Jensen–Shannon distance in base 2 over groups of cells, less what chance alone adds to its square. */
function jensenShannon(component: 'distribution' | 'shape', groupOf: Uint8Array, reference: BlockCells): Measure {
  const groups = Math.max(...groupOf) + 1;
  const expected = grouped(reference, groupOf, groups);
  const total = expected.reduce((sum, count) => sum + count, 0);
  const p = expected.map((count) => count / total);
  const freedom = groups - 1;
  return {
    component,
    minimumEffect: MINIMUM_EFFECTS[component],
    // Mean root of the positive part of (χ² - freedom) / (8 ln 2), squared, with χ² as good as normal.
    noise: (0.169 * Math.sqrt(2 * freedom)) / (8 * Math.LN2),
    size: listedOf,
    distance: (cells) => {
      const counts = grouped(cells, groupOf, groups);
      const n = listedOf(cells);
      let divergence = 0;
      for (let group = 0; group < groups; group += 1) {
        const q = counts[group] / n;
        const middle = (p[group] + q) / 2;
        divergence += (p[group] > 0 ? p[group] * Math.log2(p[group] / middle) : 0) + (q > 0 ? q * Math.log2(q / middle) : 0);
      }
      return Math.sqrt(Math.max(0, divergence / 2 - (freedom * (1 / n + 1 / total)) / (8 * Math.LN2)));
    },
  };
}

function shareMeasure(
  component: 'unseen' | 'missing',
  count: number,
  total: number,
  size: (cells: BlockCells) => number,
  of: (cells: BlockCells) => number,
): Measure {
  const before = total > 0 ? count / total : 0;
  // With half a row more on either side a share of 0 or 1 keeps some chance.
  const chance = (count + 0.5) / (total + 1);
  return {
    component,
    minimumEffect: MINIMUM_EFFECTS[component],
    noise: (2 / Math.PI) * chance * (1 - chance),
    size,
    distance: (cells) => Math.abs(of(cells) / size(cells) - before),
  };
}

function grouped(cells: BlockCells, groupOf: Uint8Array, groups: number): Float64Array {
  const counts = new Float64Array(groups);
  for (let cell = 0; cell < groupOf.length; cell += 1) {
    counts[groupOf[cell]] += cells[cell];
  }
  return counts;
}

/** Neighbouring cells taken together to about a tenth of the reference each. */
function quantileGroups(reference: BlockCells, present: number): Uint8Array {
  const groups = new Uint8Array(reference.length - 2);
  let [group, sum, closedAt] = [0, 0, 0];
  for (let cell = 0; cell < groups.length; cell += 1) {
    groups[cell] = group;
    sum += reference[cell];
    if (sum - closedAt >= present / GROUPS - 1e-9 && present - sum >= present / GROUPS / 2) {
      group += 1;
      closedAt = sum;
    }
  }
  return groups;
}

/** Categories, commonest first, taken together until they are common; what is left is group 0. Names never seen are a measure of their own. */
function commonGroups(reference: BlockCells, present: number): Uint8Array {
  const groups = new Uint8Array(reference.length - 2);
  let [next, from, sum] = [1, 0, 0];
  for (let cell = 0; cell < groups.length; cell += 1) {
    sum += reference[cell];
    if (sum >= COMMON * present) {
      groups.fill(next, from, cell + 1);
      [next, from, sum] = [next + 1, cell + 1, 0];
    }
  }
  return groups;
}
