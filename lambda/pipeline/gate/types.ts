import type { Estimate } from '../../../lib/monitoring/contract';
import type { GateSpec } from '../../../lib/pipeline/contract';
import type { HoldoutBlocks } from '../evaluation/scored-holdout';
import type { Evaluation } from '../evaluation/types';
import type { PairedInterval } from './paired-interval';

/** `gate.json`: docs/schemas/gate-report.schema.json is its schema. */

export type RuleName =
  | 'beats-champion'
  | 'not-worse-than-champion'
  | 'first-version'
  | 'bound'
  | 'group'
  | 'time-per-row'
  | 'model-size'
  | 'time-order'
  | 'duplicates-candidate'
  | 'duplicates-champion';

/**
 * failed: the figure breaks the rule. not-computable: there is no figure, which is no pass either. warning: what could not be checked of the champion
 * alone, which can only make the comparison harder for the candidate.
 */
export type RuleVerdict = 'passed' | 'failed' | 'not-computable' | 'warning';

export interface RuleResult {
  readonly rule: RuleName;
  readonly verdict: RuleVerdict;
  /** Whether the gate may pass as far as this rule goes. */
  readonly passed: boolean;
  /** What came of it, in a sentence without its point. */
  readonly text: string;
  readonly metric?: string;
  /** Of `group`. */
  readonly column?: string;
  readonly value?: number;
  readonly unit?: 'share' | 'difference' | 'milliseconds' | 'bytes';
  /** The worst value that is accepted. */
  readonly bound?: number;
  /** Of the value, or of the improvement where a champion was compared. */
  readonly interval?: PairedInterval | Required<Estimate>;
  readonly championValue?: number;
  /** How much better the candidate is, negative where it is worse: a share of the champion's value, or the difference where that is zero (`unit`). */
  readonly improvement?: number;
  readonly minimumImprovement?: number;
  readonly groups?: readonly GroupResult[];
}

export interface GroupResult {
  readonly group: string;
  readonly rows: number;
  /** Fewer rows than the rule asks for. */
  readonly small: boolean;
  readonly worse: boolean;
  readonly value?: number;
  readonly low?: number;
  readonly high?: number;
}

/** What was found of rows that are in a model's training data and in the holdout. */
export type Leakage =
  | {
      readonly status: 'checked';
      /** Columns that identify a row. */
      readonly columns: readonly string[];
      readonly trainRows: number;
      readonly sharedRows: number;
      readonly share: number;
      readonly trainTo?: string;
      /** Holdout rows that are not newer than the model's last training row; they need not be training rows. */
      readonly rowsInTrainingPeriod?: number;
    }
  /** There never were keys to check with, or they are of columns that are gone. */
  | { readonly status: 'not-checkable'; readonly reason: string }
  /** The keys that there have to be are not. */
  | { readonly status: 'lost'; readonly reason: string }
  | { readonly status: 'no-model' };

export interface GateEvidence {
  readonly leakage: { readonly candidate: Leakage; readonly champion: Leakage };
  /** Of the transform job that scored the holdout with the candidate; absent where it told no times. */
  readonly scoringMilliseconds?: number;
  /** Rows that the same job scored beside the holdout; absent where there were none. */
  readonly permutedRows?: number;
  /** Of model.tar.gz; absent where it is not there. */
  readonly modelBytes?: number;
}

export interface GateDecision {
  readonly passed: boolean;
  /** What decided: the rules that are broken, else all. */
  readonly reason: string;
  readonly rows: number;
  readonly blocks: HoldoutBlocks;
  readonly metrics: Readonly<Record<string, number>>;
  readonly championMetrics?: Readonly<Record<string, number>>;
  readonly rules: readonly RuleResult[];
}

export interface GateReport extends GateDecision, Evaluation {
  readonly schemaVersion: 2;
  readonly model: string;
  readonly runId: string;
  /** 0; grows where the candidate was judged once more, against another champion. */
  readonly round: number;
  readonly championVersion: number | null;
  readonly holdoutUri: string;
  readonly from?: string;
  readonly to?: string;
  readonly task: { readonly kind: string; readonly target: string; readonly timeColumn?: string; readonly positiveLabel?: string };
  readonly gate: GateSpec;
  readonly leakage: GateEvidence['leakage'];
  readonly scoringMilliseconds?: number;
  readonly permutedRows?: number;
  readonly modelBytes?: number;
  /** What a reader may look for, and why it is not here. */
  readonly missing: readonly { readonly what: string; readonly why: string }[];
}
