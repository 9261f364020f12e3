import type { DriftPromise, Estimate, ReferenceSpec } from '../../../lib/monitoring/contract';
import type { ConstraintFile } from '../constraints/types';
import type { BlockTable, Counts, Role, Shape } from '../profile/types';

/** One column of the training data, or the prediction of the holdout. */
export interface BaselineFeature {
  readonly name: string;
  readonly role: Role;
  readonly shape: Shape;
  /** All training rows; for the prediction all holdout rows. */
  readonly counts: Counts;
  /** Distinct values: exact up to a million, estimated above. */
  readonly distinct: { readonly count: number; readonly exact: boolean };
  /** 0 to 1, as `importanceMethod` says; of the prediction there is none. */
  readonly importance?: number;
}

/** Quality on the holdout; intervals from whole days. */
export interface HoldoutQuality {
  readonly rows: number;
  readonly blocks: number;
  readonly metrics: Readonly<Record<string, Estimate & { readonly standardError?: number; readonly degreesOfFreedom?: number }>>;
  /** `column`, then group, then metric. */
  readonly groups: Readonly<Record<string, Readonly<Record<string, { readonly rows: number; readonly metrics: Readonly<Record<string, number>> }>>>>;
}

/** `baseline.json`: what the data and the predictions of one model version looked like before it served. */
export interface Baseline {
  readonly schemaVersion: 2;
  readonly model: string;
  readonly runId: string;
  /** Columns of a request row, in order. */
  readonly columns: readonly string[];
  readonly timeColumn?: string;
  readonly trainRows: number;
  readonly features: readonly BaselineFeature[];
  /**
   * permutation: how much worse the model's metric gets where the feature is shuffled, as a share of that of the most important one.
   * explained-variance (where absent too): share of the predictions' variance that the feature explains alone, its correlation ratio in the holdout.
   */
  readonly importanceMethod?: 'permutation' | 'explained-variance';
  readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  readonly holdout: HoldoutQuality;
  readonly constraints: ConstraintFile;
  /** What each reference of the monitor can promise with these blocks. */
  readonly promises: readonly { readonly reference: ReferenceSpec; readonly promise: DriftPromise }[];
}

/** Training and holdout rows by block; an object of its own beside the baseline. */
export type BaselineBlocks = BlockTable;
