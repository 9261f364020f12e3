/** Rules on the data of a model, as people edit them: `constraints/<model>.json` in the data bucket, suggested from the baseline. */

export type Severity = 'error' | 'warning';

export type ValueType = 'integral' | 'fractional' | 'string' | 'boolean';

/** Shares are 0 to 1. What is left out is not checked. */
export interface FeatureConstraints {
  readonly name: string;
  /** Integral values are fractional ones too. */
  readonly type?: { readonly is: ValueType; readonly allowedShare: number; readonly severity: Severity };
  readonly presence?: { readonly atLeast: number; readonly severity: Severity };
  readonly domain?: { readonly values: readonly string[]; readonly allowedUnseenShare: number; readonly severity: Severity };
  readonly range?: { readonly from?: number; readonly to?: number; readonly allowedShare: number; readonly severity: Severity };
  readonly nonNegative?: { readonly severity: Severity };
  readonly unique?: { readonly atLeast: number; readonly severity: Severity };
}

/** Cross-column rules: `left` stands in the relation to `right` in every row but the allowed share. */
export interface ConsistencyConstraint {
  readonly left: string;
  readonly relation: '<=' | '<' | '=' | 'present-with';
  readonly right: string;
  readonly allowedShare: number;
  readonly severity: Severity;
}

export interface ConstraintFile {
  readonly schemaVersion: 1;
  readonly model: string;
  /** Where it came from: rows and time of the baseline, or "edited". */
  readonly origin: string;
  readonly features: readonly FeatureConstraints[];
  readonly consistency: readonly ConsistencyConstraint[];
  /** Columns beyond these are reported; each listed one must be there. */
  readonly columns?: { readonly names: readonly string[]; readonly severity: Severity };
  /** Rows of a window. */
  readonly rowCount?: RowCountConstraint;
  /** The newest row is at most this old, in seconds, at the window's end. */
  readonly freshness?: FreshnessConstraint;
  /** The same for a data set as a whole, which holds other numbers of rows than a window: its newest row is judged when the run starts. */
  readonly dataset?: { readonly rowCount?: RowCountConstraint; readonly freshness?: FreshnessConstraint };
  /** What was widened or dropped because held-out data broke it, and what else a reader should know; nothing reads it. */
  readonly notes?: readonly string[];
}

export interface RowCountConstraint {
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly severity: Severity;
}

export interface FreshnessConstraint {
  readonly atMostSeconds: number;
  readonly severity: Severity;
}
