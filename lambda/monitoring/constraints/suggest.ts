import type { BaselineFeature } from '../baseline/types';
import { number, percent } from '../words';
import { relationsOf } from './candidates';
import { checkedFeature, checkedRelations, type Fold } from './folds';
import { addPairs } from './pairs';
import type { ConstraintFile, RowCountConstraint } from './types';

export interface SuggestionInput {
  readonly model: string;
  /**
   * @default - the number of rows
   */
  readonly origin?: string;
  /** Rows of the training data. */
  readonly rows: number;
  /** Columns of a request row, each of which must be there. */
  readonly columns: readonly string[];
  /** Of the training data; predictions among them are passed over. */
  readonly features: readonly BaselineFeature[];
  /** Parts of the training data in time order, counted under the features' shapes; five do. Without them nothing is held out; the file says so. */
  readonly folds?: readonly Fold[];
  /** Rows of the windows that the training data would have been, in order. */
  readonly windowRows?: readonly number[];
  readonly windowSeconds?: number;
  /** Longest time between two rows that follow each other, in seconds. */
  readonly longestGapSeconds?: number;
}

/** Fewer windows do not tell how many rows a window has. */
const FEWEST_WINDOWS = 5;
/** How many times fewer or more rows than ever before a window may have; the first that held-out windows keep is taken. */
const ROW_FACTORS = [2, 4, 8] as const;

/** Constraints that the training data suggests, each checked on parts of it that it was not made from. The data itself keeps all of them. */
export function suggestConstraints(input: SuggestionInput): ConstraintFile {
  const { model, origin, rows, columns, features, folds = [] } = input;
  const checked = features.filter(({ role }) => role !== 'prediction').map((feature) => checkedFeature(feature, folds));
  const relations = checkedRelations(relationsOf(addPairs(folds.map(({ pairs = [] }) => pairs))), folds);
  const rowCount = rowCountOf(input.windowRows ?? []);
  const notes = [
    folds.length < 2
      ? 'not checked on held-out parts of the data: none were given'
      : `checked on ${folds.length} parts of the data that follow each other, each against what the others suggest`,
    ...checked.flatMap((feature) => feature.notes),
    ...relations.notes,
    ...rowCount.notes,
  ];
  return {
    schemaVersion: 1,
    model,
    origin: origin ?? `${number(rows)} rows of training data`,
    features: checked.map(({ constraints }) => constraints),
    consistency: relations.kept,
    columns: { names: columns, severity: 'error' },
    ...(rowCount.constraint && { rowCount: rowCount.constraint }),
    ...freshnessOf(input),
    dataset: { rowCount: { atLeast: Math.floor(rows / 2), severity: 'warning' } },
    notes,
  };
}

function rowCountOf(all: readonly number[]): { readonly constraint?: RowCountConstraint; readonly notes: readonly string[] } {
  // The data begins and ends within a window.
  const windows = all.slice(1, -1);
  if (windows.length < FEWEST_WINDOWS) return { notes: [] };
  const size = Math.ceil(windows.length / FEWEST_WINDOWS);
  const failing = (factor: number): number =>
    windows.filter((rows, index) => {
      const part = Math.floor(index / size);
      const { atLeast = 0, atMost = 0 } = bounds(windows.filter((_, other) => Math.floor(other / size) !== part), factor);
      return rows < atLeast || rows > atMost;
    }).length;
  const factor = ROW_FACTORS.find((candidate) => failing(candidate) === 0);
  const share = percent(failing(ROW_FACTORS[0]) / windows.length);
  if (factor === undefined) return { notes: [`rowCount: dropped, ${share} of the windows have far fewer or more rows than the others`] };
  const notes = factor === ROW_FACTORS[0] ? [] : [`rowCount: wider, since ${share} of the held-out windows had other numbers of rows`];
  return { constraint: { ...bounds(windows, factor), severity: 'warning' }, notes };
}

const bounds = (windows: readonly number[], factor: number): { readonly atLeast: number; readonly atMost: number } => ({
  atLeast: Math.floor(windows.reduce((least, rows) => Math.min(least, rows), Infinity) / factor),
  atMost: windows.reduce((most, rows) => Math.max(most, rows), 0) * factor,
});

function freshnessOf({ longestGapSeconds, windowSeconds }: SuggestionInput): Pick<ConstraintFile, 'freshness'> {
  const atMostSeconds = Math.ceil((longestGapSeconds ?? Infinity) * 2);
  // A window whose newest row may be as old as the window is long cannot break it.
  if (!(atMostSeconds > 0) || windowSeconds === undefined || atMostSeconds >= windowSeconds) return {};
  return { freshness: { atMostSeconds, severity: 'warning' } };
}
