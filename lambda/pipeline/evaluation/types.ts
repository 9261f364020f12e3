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
  /** Of the candidate; `missing` says why where it is absent. */
  readonly importance?: Importance;
}

/** How much worse the deciding metric gets where a feature's values are shuffled among sampled rows of the holdout. */
export interface Importance {
  readonly metric: string;
  /** Of the sample. */
  readonly rows: number;
  /** How often each feature was shuffled. */
  readonly repeats: number;
  /** The metric on the sample as it is. */
  readonly baseline: number;
  /** The most important one first; mean and standard deviation over the repeats, in the metric's unit, positive where shuffling makes it worse. */
  readonly features: readonly FeatureImportance[];
  /** Features without which the metric is not defined on the sample. */
  readonly notComputable: readonly string[];
}

export interface FeatureImportance {
  readonly name: string;
  readonly mean: number;
  readonly standardDeviation: number;
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
