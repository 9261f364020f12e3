import type { DriftPromise, FalseAlarmSpec, FeatureResult, ReferenceComparison, ReferenceSpec } from '../../../lib/monitoring/contract';
import type { BlockCells, Counts, Shape } from '../profile/types';

/** A feature whose blocks are compared. */
export interface BlockFeature {
  readonly name: string;
  readonly shape: Shape;
}

/** A block, or the window that is judged. */
export interface Block {
  readonly start: number;
  readonly rows: number;
  readonly cells: ReadonlyMap<string, BlockCells>;
}

export interface CalibrationOptions {
  readonly windowSeconds: number;
  readonly minimumRows: number;
  readonly persistence: { readonly breaches: number; readonly windows: number };
  readonly falseAlarms: FalseAlarmSpec;
  /** Part of the whole budget that this reference may spend. */
  readonly share: number;
  /** How sentences name the blocks: "The season's 4 blocks of 7 days (January 2011)"; the default counts them. */
  readonly subject?: string;
}

/** Score of a window with what made it, by feature. */
export interface WindowScore {
  readonly score: number;
  readonly features: ReadonlyMap<
    string,
    { readonly score: number; readonly component: NonNullable<FeatureResult['component']>; readonly effect: number; readonly minimumEffect: number }
  >;
}

/** A reference made ready: a fixed score function from its first half, null scores from its second. */
export interface Calibration {
  readonly promise: DriftPromise;
  /** Largest judged score that is no drift; absent where nothing can be judged. */
  readonly threshold?: number;
  readonly nullScores: readonly number[];
  score(window: Block): WindowScore;
  pValue(judgedScore: number): number;
}

/** A comparison with what its charts show. */
export interface JudgedComparison {
  readonly result: ReferenceComparison;
  /** By feature name: the distributions that were compared. */
  readonly charts: ReadonlyMap<string, FeatureChart>;
}

export interface FeatureChart {
  readonly shape: Shape;
  /** Full counters where the reference is all training rows, else cells. */
  readonly reference?: Counts | BlockCells;
  readonly window: Counts;
}

export type { ReferenceSpec };
