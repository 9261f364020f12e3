/** How features are counted. Counts of any parts of the data under one shape add up, in any order, to the same counts. */

export interface NumericShape {
  readonly kind: 'numeric';
  /**
   * At most 999, ascending and distinct: quantiles of the training data. Bin i holds the values above edge i-1 up to edge i, the last bin those above
   * every edge.
   */
  readonly edges: readonly number[];
  readonly mean: number;
  readonly deviation: number;
}

export interface CategoricalShape {
  readonly kind: 'categorical';
  /** Counted by name, most frequent first. */
  readonly categories: readonly string[];
  /** Whether the training data held more categories than these: then what is not listed is "other", else it was never seen. */
  readonly hasOther: boolean;
}

export type Shape = NumericShape | CategoricalShape;
export type Role = 'feature' | 'prediction' | 'target' | 'group';

export interface Counts {
  readonly rows: number;
  readonly missing: number;
  /** Not a number where one is wanted, NaN and infinities included. */
  readonly invalid: number;
  /** Numeric: per bin. Categorical: per category, then what is not listed. */
  readonly counts: readonly number[];
  /**
   * Numeric: per bin, the sum of the values' distances from the mean in whole steps of a fraction of the deviation: integers, so that sums are exact.
   */
  readonly offsets?: readonly number[];
  readonly minimum?: number;
  readonly maximum?: number;
  /** Numeric: values below zero, values that are not whole. */
  readonly negative?: number;
  readonly fractional?: number;
  /** Commonest names that the shape does not list, at most 1,000. */
  readonly unlisted?: Readonly<Record<string, number>>;
  /** Sketch of the distinct values, base64. */
  readonly sketch?: string;
}

/** A feature as it is watched: where its values stand in a row (the prediction has no column) and how they are counted. */
export interface WatchedFeature {
  readonly name: string;
  readonly role: Role;
  /** Index of the model's columns; absent for the prediction. */
  readonly column?: number;
  readonly shape: Shape;
}

/** Counters of a part of the data. */
export interface Profile {
  readonly rows: number;
  readonly features: ReadonlyMap<string, Counts>;
}

/**
 * Cells of a feature in calibration: numeric, hundred groups of neighbouring bins; categorical, the commonest hundred categories, the last cell that
 * of the rest where there are more. Two more follow.
 */
export const CELLS = 100;

/**
 * Coarse counts of one block of one feature: its cells, then what the reference never held (categorical; 0 for numeric), then missing and invalid
 * together. Always `cellCount(shape) + 2` long.
 */
export type BlockCells = readonly number[];

/** Counts per block of time (or of consecutive rows) in order. */
export interface BlockTable {
  /** time: blocks of the monitor's windows. rows: consecutive rows, where rows have no time. */
  readonly kind: 'time' | 'rows';
  readonly windowSeconds: number;
  readonly blocks: readonly { readonly start: number; readonly rows: number }[];
  /** By feature name, one entry for each block; the prediction's only where it is known (the holdout). */
  readonly cells: Readonly<Record<string, readonly (BlockCells | null)[]>>;
}
