// Shared by synth time and run time: imports nothing.

export const MONITORING_ENV = {
  /** JSON of MonitorSpec. */
  spec: 'MLOPS_MONITOR_SPEC',
  /** JSON of those of MONITOR_LIMITS that a run shall have other values of, where there is one. */
  limits: 'MLOPS_MONITOR_LIMITS',
  /** JSON of the names of the models whose labels may come as events; any model's where it is left out. */
  labelModels: 'MLOPS_LABEL_MODELS',
} as const;

const HOUR = 3600;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;

/**
 * Windows lie on a grid in UTC: whole hours that divide a day, or whole days. Weeks begin on Monday, other lengths are counted from 1970.
 * Answers the start (milliseconds) of the window of `windowSeconds` that holds `time`.
 */
export const windowStartOf = (time: number, windowSeconds: number): number => {
  const length = windowSeconds * 1000;
  const offset = windowSeconds % WEEK === 0 ? 4 * DAY * 1000 : 0;
  return Math.floor((time - offset) / length) * length + offset;
};

/** Time blocks that intervals of quality are made of, in seconds: whole days, since the hours of a day are not independent. */
export const QUALITY_BLOCK_SECONDS = DAY;

/** Fewest blocks that a reference is calibrated with; with fewer its verdict is advisory and never alarms. */
export const FEWEST_BLOCKS = 10;

/** What a window is compared with. */
export type ReferenceSpec =
  | { readonly kind: 'TRAINING' }
  | { readonly kind: 'SAME_SEASON' }
  | { readonly kind: 'LAST_DAYS'; readonly days: number }
  /** ISO 8601 times; the end is not part of it. */
  | { readonly kind: 'FIXED'; readonly from: string; readonly to: string };

/** Expected false alarms: at most `episodes` in `days`, over all statistical rules of the model; the shares add up to 1. */
export interface FalseAlarmSpec {
  readonly episodes: number;
  readonly days: number;
  readonly shares: { readonly drift: number; readonly quality: number; readonly groups: number };
}

/** A rule on a metric: worse than an absolute bound, or worse than the baseline by more than a tolerance. Exactly one of both is given. */
export interface QualityRuleSpec {
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly worseThan?: number;
  /** In the metric's unit. */
  readonly tolerance?: number;
}

/** Gaps between groups, named as Fairlearn names them, or the gap of a task's own metric between the best and the worst group. */
export interface GroupRuleSpec {
  /** Column that tells the group of a row. */
  readonly column: string;
  /** `demographicParityDifference`, `demographicParityRatio`, `equalOpportunityDifference`, `equalizedOddsDifference`, or a metric of the task. */
  readonly metric: string;
  /** Largest difference (for the ratio: smallest ratio) that is accepted. */
  readonly bound: number;
}

export interface MonitorSpec {
  readonly model: string;
  readonly task: { readonly kind: string; readonly target: string; readonly timeColumn?: string; readonly positiveLabel?: string };
  readonly endpointName: string;
  readonly variantName: string;
  /** SageMaker records the share itself (REAL_TIME), or the recorder records every request (SERVERLESS). */
  readonly servingKind: 'SERVERLESS' | 'REAL_TIME';
  /** Share of requests that are recorded, in percent. */
  readonly samplingPercentage: number;
  /** Length of a window in seconds of event time: see `windowStartOf`. */
  readonly windowSeconds: number;
  /** How long after its end a window is judged, so that late records are in. */
  readonly delaySeconds: number;
  /** Fewer rows than this: "insufficient data", never a verdict. */
  readonly minimumRows: number;
  /** At least one; those that support a promise share the budget equally. */
  readonly references: readonly ReferenceSpec[];
  readonly falseAlarms: FalseAlarmSpec;
  /** Alarm where at least `breaches` of the last `windows` windows exceed. */
  readonly persistence: { readonly breaches: number; readonly windows: number };
  /** Quality is judged over the rows of this long before the window's end. */
  readonly qualitySeconds: number;
  readonly qualityRules: readonly QualityRuleSpec[];
  /** Columns that tell groups; may stand in the requests and need not be features. */
  readonly groupColumns: readonly string[];
  readonly groupRules: readonly GroupRuleSpec[];
  /** Groups with fewer labelled rows, or fewer of a class that a rate needs, are not judged. */
  readonly groupMinimum: { readonly rows: number; readonly perClass: number };
  /** Features with metrics of their own, the most important ones. */
  readonly featureMetrics: number;
}

/** Input of an execution (workflow/contract.ts): every window that ends in (windowStart, windowEnd]; without both the latest ones that changed. */
export interface MonitorRequest {
  readonly windowStart?: string;
  readonly windowEnd?: string;
  /** Judge again, also where nothing changed. */
  readonly force?: boolean;
}

export type DriftVerdict = 'ok' | 'drift' | 'advisory' | 'insufficient-data' | 'no-traffic' | 'no-baseline';
export type QualityVerdict = 'ok' | 'degraded' | 'insufficient-labels' | 'no-traffic' | 'no-rules';
export type ConstraintsVerdict = 'ok' | 'violated' | 'no-traffic' | 'no-constraints';

/** How one feature of a window compares with a reference. */
export interface FeatureResult {
  readonly name: string;
  readonly role: 'feature' | 'prediction';
  readonly kind: 'numeric' | 'categorical';
  readonly drifted: boolean;
  /** Standardised distance to the reference: the largest of the feature's components; absent where it was not compared. */
  readonly score?: number;
  /** Component with the largest score. */
  readonly component?: 'distribution' | 'shape' | 'missing' | 'unseen';
  /** Distance of that component in its own unit, and the least one that counts. */
  readonly effect?: number;
  readonly minimumEffect?: number;
  /** Share of the prediction's variance that the feature explains alone, in the holdout; 0 to 1. */
  readonly importance?: number;
  readonly referenceRows: number;
  readonly rows: number;
  readonly missingShare: number;
  readonly referenceMissingShare: number;
  /** Share of the rows whose value is not of the feature's type. */
  readonly invalidShare: number;
  readonly statistics: {
    readonly psi?: number;
    readonly ks?: { readonly statistic: number; readonly pValue: number };
    readonly chiSquare?: { readonly statistic: number; readonly degreesOfFreedom: number; readonly pValue: number };
    /** In standard deviations of the reference. */
    readonly wasserstein?: number;
    /** Base 2. */
    readonly jensenShannon?: number;
    readonly hellinger?: number;
    readonly lInfinity?: number;
  };
  readonly minimum?: number;
  readonly maximum?: number;
  /** Quantiles 0.05, 0.25, 0.5, 0.75, 0.95 of reference and window. */
  readonly quantiles?: { readonly reference: readonly number[]; readonly window: readonly number[] };
  /** Estimated number of distinct values, with its relative standard error. */
  readonly distinct?: { readonly count: number; readonly relativeError: number };
  /** Share of the rows whose category the training data did not hold; absent where the training data held too many to keep. */
  readonly unseenShare?: number;
  /** Commonest of these categories. */
  readonly unseen?: readonly string[];
  /** One sentence: why drifted or not. */
  readonly reason: string;
}

/** What a reference can promise. */
export interface DriftPromise {
  /** Blocks that fit the reference, and those that the null distribution is made of. */
  readonly fitBlocks: number;
  readonly nullBlocks: number;
  /** False-alarm probability of one window: asked for, and the smallest one that this many blocks support. */
  readonly asked: number;
  readonly supported: number;
  /** Expected false episodes in `days` at the rate that is used. */
  readonly episodes: number;
  readonly days: number;
  /** The verdict never alarms. */
  readonly advisory: boolean;
  /** One sentence for people: what is promised, or why nothing is. */
  readonly sentence: string;
}

export interface ReferenceComparison {
  readonly reference: ReferenceSpec;
  /** What the window was compared with, and why with that. */
  readonly sentence: string;
  readonly promise: DriftPromise;
  readonly verdict: DriftVerdict;
  readonly reason: string;
  /** Score of the window alone: the largest of its features' scores. */
  readonly score?: number;
  /** The k-th largest score of the last m windows, which is what is judged. */
  readonly judgedScore?: number;
  /** judgedScore above this is drift. */
  readonly threshold?: number;
  /** Conformal: (1 + null scores at least as large) / (null scores + 1). */
  readonly pValue?: number;
  /** Strongest first. */
  readonly features: readonly FeatureResult[];
}

/** A value with its interval; the interval is absent where there are too few blocks for one. */
export interface Estimate {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

export interface QualityMetric extends Estimate {
  readonly baseline?: Estimate;
}

export interface QualityBreach {
  readonly metric: string;
  readonly value: number;
  /** Bound that the interval excludes: absolute, or the baseline with its tolerance. */
  readonly bound: number;
  readonly low: number;
  readonly high: number;
}

export interface GroupValues {
  readonly column: string;
  readonly group: string;
  readonly rows: number;
  readonly labelled: number;
  /** Too small to judge: its figures are shown without a verdict. */
  readonly small: boolean;
  readonly metrics: Readonly<Record<string, Estimate>>;
  /** Binary tasks: selectionRate, truePositiveRate, falsePositiveRate. */
  readonly rates: Readonly<Record<string, Estimate>>;
}

export interface GroupGap extends Estimate {
  readonly column: string;
  readonly metric: string;
  readonly bound?: number;
  /** Groups between which the gap is widest. */
  readonly between: readonly string[];
  readonly breached: boolean;
}

/** Named states of a window besides its verdicts; each has a count and a sentence. */
export type WindowStateName =
  | 'no-traffic'
  | 'partial-capture'
  | 'unreadable-lines'
  | 'changed-schema'
  | 'mixed-encodings'
  | 'duplicate-records'
  | 'late-records'
  | 'smoke-requests'
  | 'no-labels';

export interface WindowState {
  readonly state: WindowStateName;
  readonly count: number;
  readonly sentence: string;
}

export interface ConstraintViolation {
  /** Absent for rules on the data set as a whole. */
  readonly feature?: string;
  /** Kind of constraint: type, presence, domain, range, nonNegative, unique, rowCount, freshness, consistency, columns, file. */
  readonly constraint: string;
  readonly severity: 'error' | 'warning';
  readonly observed: string;
  readonly allowed: string;
  readonly description: string;
}

/** An unbroken run of windows in which a rule alarms; the id is that of its first window. */
export interface Episode {
  readonly id: string;
  readonly rule: 'drift' | 'quality' | 'groups' | 'constraints';
  /** Metric of quality, `column:metric` of groups; else the rule's name. */
  readonly key: string;
  readonly version: number;
  readonly since: string;
  readonly windows: number;
  /** Windows in a row without an alarm; the episode ends when they are as many as the persistence looks back. */
  readonly quiet: number;
}

/** `result.json` of a window. */
export interface MonitorResult {
  readonly schemaVersion: 2;
  readonly platform: string;
  readonly model: string;
  readonly version?: number;
  readonly windowStart: string;
  readonly windowEnd: string;
  /**
   * Digest of keys and ETags of the window's objects and of the labels, of version, baseline and data rules, and of what was taken over from the
   * window before: after the same windows the same digest gives the same result.
   */
  readonly sources: string;
  readonly requests: number;
  readonly rows: number;
  /** Invocations that the endpoint counted, where it does. */
  readonly invocations?: number;
  /** Versions that answered the window's rows, most rows first; `version` is the one that served at the window's end. */
  readonly servedBy: readonly { readonly version: number; readonly rows: number }[];
  readonly states: readonly WindowState[];
  /** Lines and rows that could not be used, by cause. */
  readonly rejected: Readonly<Record<string, number>>;
  /** For each cause the place of the first such line, without its content. */
  readonly rejectedSamples: Readonly<Record<string, string>>;
  readonly drift: {
    readonly verdict: DriftVerdict;
    /** One sentence: why this verdict. */
    readonly reason: string;
    /** One for each reference, in the order of the spec. */
    readonly comparisons: readonly ReferenceComparison[];
    /** Columns that are not compared, each with the reason. */
    readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  };
  readonly quality: {
    readonly verdict: QualityVerdict;
    /** One sentence: why this verdict. */
    readonly reason: string;
    readonly from: string;
    readonly to: string;
    readonly rows: number;
    readonly labelled: number;
    /** labelled / rows */
    readonly coverage: number;
    /** Median of observation less prediction time, in seconds. */
    readonly labelAgeSeconds?: number;
    /** Days that the intervals rest on. */
    readonly blocks: number;
    /** Of the intervals: 1 less twice the one-sided error. */
    readonly confidence: number;
    readonly metrics: Readonly<Record<string, QualityMetric>>;
    readonly exceeded: readonly QualityBreach[];
  };
  readonly groups: {
    readonly verdict: QualityVerdict;
    readonly reason: string;
    readonly values: readonly GroupValues[];
    readonly gaps: readonly GroupGap[];
  };
  readonly constraints: {
    readonly verdict: ConstraintsVerdict;
    readonly reason: string;
    /** Which constraints: the edited file with its version id, or those suggested from the baseline. */
    readonly source: string;
    readonly violations: readonly ConstraintViolation[];
  };
  /** Open ones, the new ones included. */
  readonly episodes: readonly Episode[];
  readonly resultUri: string;
  readonly reportUri: string;
}

/** Summary of one judged window: the verdicts and where the rest lies. */
export interface MonitorAnswer {
  readonly model: string;
  readonly version?: number;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly rows: number;
  readonly driftVerdict: DriftVerdict;
  readonly driftedFeatures: readonly string[];
  readonly qualityVerdict: QualityVerdict;
  readonly groupsVerdict: QualityVerdict;
  readonly constraintsVerdict: ConstraintsVerdict;
  readonly metrics: Readonly<Record<string, number>>;
  /** Rules with an open episode. */
  readonly episodes: readonly string[];
  readonly resultUri: string;
  readonly reportUri: string;
}

/** Answer of an execution of the monitor, in the order of the windows; windows whose sources did not change are left out. */
export interface MonitorRun {
  readonly windows: readonly MonitorAnswer[];
  /** Windows that were looked at and had not changed. */
  readonly unchanged: number;
}

/** Reports bucket, below `monitoringPrefix(model)`. Times are `yyyymmddThhmmssZ`. */
export const MONITORING_KEYS = {
  /** Result, report and Model Monitor's files of a window; later windows sort later. */
  window: (start: number, end: number) => `windows/${compactTime(end)}-${compactTime(start)}/`,
  result: 'result.json',
  report: 'report.html',
  /** Merged counters of a window under one version's baseline. */
  profile: (runId: string) => `profile-${runId}.bin`,
  /** Predictions of a window with what labels are joined by. */
  scored: 'scored.bin',
  /** Who judges at the moment. */
  claim: 'claim.json',
} as const;

/**
 * Reports bucket, below `monitoringWorkPrefix(model)`: list of a window's shards, or counters and predictions of a shard; the digest is that of keys
 * and ETags of the objects, and of what they are counted under.
 */
export const shardPath = (start: number, end: number, digest: string): string => `${compactTime(end)}-${compactTime(start)}/${digest}/`;

/** Data bucket: constraints of a model as people edit them. */
export const constraintsKey = (model: string): string => `constraints/${model}.json`;

const compactTime = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
