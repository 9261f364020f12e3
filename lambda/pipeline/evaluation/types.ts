import type { Estimate } from '../../../lib/monitoring/contract';

/** What the holdout says about a candidate beyond the rules of its gate. */
export interface Evaluation {
  /** Two-sided confidence of all intervals of this part. */
  readonly confidence: number;
  /** By metric. */
  readonly estimates: Readonly<Record<string, Estimate>>;
  readonly championEstimates?: Readonly<Record<string, Estimate>>;
  /** By metric: how much better the candidate is on the same rows, as a share of the champion's value; by Student's t over the blocks. */
  readonly improvements?: Readonly<Record<string, Estimate>>;
  /** The deciding metric block by block; of many blocks neighbours go together. */
  readonly overTime: readonly TimePoint[];
  readonly groups: readonly GroupTable[];
  readonly confusion?: Confusion;
  readonly championConfusion?: Confusion;
  readonly calibration?: readonly CalibrationBin[];
  readonly championCalibration?: readonly CalibrationBin[];
  readonly curves?: Curves;
  readonly championCurves?: Curves;
}

export interface TimePoint {
  /** First day, or first row from 1. */
  readonly name: string;
  readonly rows: number;
  readonly candidate?: number;
  readonly champion?: number;
}

export interface GroupTable {
  readonly column: string;
  readonly groups: readonly { readonly group: string; readonly rows: number; readonly metrics: Readonly<Record<string, Estimate>> }[];
  /** Groups that are not listed. */
  readonly leftOut: number;
}

/** Rows of the matrix are the truth, columns the prediction. */
export interface Confusion {
  readonly labels: readonly string[];
  readonly counts: readonly (readonly number[])[];
  /** Score from which on the positive label is predicted; binary tasks. */
  readonly threshold?: number;
}

/** Rows with neighbouring predictions: what was predicted on average, and what came. Of a binary task both are shares of the positive label. */
export interface CalibrationBin {
  readonly rows: number;
  readonly predicted: number;
  readonly observed: Estimate;
}

/** Points of a binary classifier's curves by falling threshold. */
export interface Curves {
  readonly roc: readonly (readonly [falsePositiveRate: number, truePositiveRate: number])[];
  readonly precisionRecall: readonly (readonly [recall: number, precision: number])[];
}
