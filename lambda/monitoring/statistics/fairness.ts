/** Group gaps by Fairlearn's definitions (between groups). */

export interface GroupFairness {
  readonly selectionRate: Readonly<Record<string, number>>;
  /** Absent for a group without a positive. */
  readonly truePositiveRate: Readonly<Record<string, number | undefined>>;
  /** Absent for a group without a negative. */
  readonly falsePositiveRate: Readonly<Record<string, number | undefined>>;
  readonly demographicParityDifference: number | undefined;
  readonly demographicParityRatio: number | undefined;
  readonly equalOpportunityDifference: number | undefined;
  readonly equalizedOddsDifference: number | undefined;
}

interface Cell {
  rows: number;
  selected: number;
  positives: number;
  truePositives: number;
  falsePositives: number;
}

/** Labels and predictions are 1 and 0; rates per group, gaps over all groups. */
export function groupFairness(groups: readonly string[], labels: readonly number[], predictions: readonly number[]): GroupFairness {
  if (groups.length !== labels.length || groups.length !== predictions.length) {
    throw new RangeError(`Groups, labels and predictions need the same length, got ${groups.length}, ${labels.length}, ${predictions.length}.`);
  }
  const cells = new Map<string, Cell>();
  groups.forEach((group, index) => {
    const cell = cells.get(group) ?? { rows: 0, selected: 0, positives: 0, truePositives: 0, falsePositives: 0 };
    const [positive, selected] = [labels[index] === 1, predictions[index] === 1];
    cell.rows += 1;
    cell.selected += selected ? 1 : 0;
    cell.positives += positive ? 1 : 0;
    cell.truePositives += positive && selected ? 1 : 0;
    cell.falsePositives += !positive && selected ? 1 : 0;
    cells.set(group, cell);
  });
  const selection = rates(cells, (cell) => cell.selected / cell.rows);
  const truePositive = rates(cells, (cell) => share(cell.truePositives, cell.positives));
  const falsePositive = rates(cells, (cell) => share(cell.falsePositives, cell.rows - cell.positives));
  const opportunity = gap(truePositive);
  const falseAlarms = gap(falsePositive);
  return {
    selectionRate: selection as Record<string, number>,
    truePositiveRate: truePositive,
    falsePositiveRate: falsePositive,
    demographicParityDifference: gap(selection),
    demographicParityRatio: lowestToHighest(selection),
    equalOpportunityDifference: opportunity,
    equalizedOddsDifference: opportunity === undefined || falseAlarms === undefined ? undefined : Math.max(opportunity, falseAlarms),
  };
}

const share = (part: number, whole: number): number | undefined => (whole > 0 ? part / whole : undefined);

const rates = (cells: Map<string, Cell>, of: (cell: Cell) => number | undefined): Record<string, number | undefined> =>
  Object.fromEntries([...cells].map(([group, cell]) => [group, of(cell)]));

/** A gap needs the rate of every group: one that is unknown could be the widest. */
function gap(byGroup: Record<string, number | undefined>): number | undefined {
  const known = complete(byGroup);
  return known === undefined ? undefined : Math.max(...known) - Math.min(...known);
}

function lowestToHighest(byGroup: Record<string, number | undefined>): number | undefined {
  const known = complete(byGroup);
  return known === undefined ? undefined : share(Math.min(...known), Math.max(...known));
}

function complete(byGroup: Record<string, number | undefined>): number[] | undefined {
  const known = Object.values(byGroup).filter((rate) => rate !== undefined);
  return known.length === 0 || known.length < Object.keys(byGroup).length ? undefined : known;
}
