// Shared by synth time and run time: imports nothing.

export const MONITORING_ENV = {
  /** JSON of MonitorSpec. */
  spec: 'MLOPS_MONITOR_SPEC',
} as const;

export interface MonitorSpec {
  readonly model: string;
  readonly task: { readonly kind: string; readonly target: string; readonly timeColumn?: string; readonly positiveLabel?: string };
  readonly endpointName: string;
  readonly variantName: string;
  /** Length of a window in seconds of event time. */
  readonly windowSeconds: number;
  /** Fewer rows than this: "insufficient data", never a verdict. */
  readonly minimumRows: number;
  /** TRAINING: all training rows. SAME_SEASON: the training rows of the window's calendar months. */
  readonly reference: 'TRAINING' | 'SAME_SEASON';
  /** Bounds on live quality; the retraining triggers state them. */
  readonly qualityBounds: readonly { readonly metric: string; readonly worseThan: number }[];
}

/** Input of a monitor run; without a window: the spec's length, ending now. */
export interface MonitorRequest {
  readonly windowStart?: string;
  readonly windowEnd?: string;
}

export type DriftVerdict = 'ok' | 'drift' | 'insufficient-data' | 'no-traffic' | 'no-baseline';
export type QualityVerdict = 'ok' | 'degraded' | 'insufficient-labels' | 'no-traffic' | 'no-bounds';

export interface FeatureResult {
  readonly name: string;
  readonly kind: 'numeric' | 'categorical';
  readonly drifted: boolean;
  readonly referenceRows: number;
  readonly rows: number;
  readonly missingShare: number;
  readonly referenceMissingShare: number;
  /** Population stability index less its mean under no change; undefined values are absent. */
  readonly psiDebiased?: number;
  readonly ks?: { readonly statistic: number; readonly pValue: number };
  readonly chiSquare?: { readonly statistic: number; readonly degreesOfFreedom: number; readonly pValue: number };
  /** In standard deviations of the reference. */
  readonly wasserstein?: number;
  /** Share of the rows whose category the training data did not hold; absent where the training data held too many to keep. */
  readonly unseenShare?: number;
  /** Commonest of these categories. */
  readonly unseen?: readonly string[];
  /** Share of the rows whose value is not of the feature's type. */
  readonly invalidShare: number;
  /** One sentence: why drifted or not. */
  readonly reason: string;
}

/** `result.json` of a monitor run. */
export interface MonitorResult {
  readonly schemaVersion: 1;
  readonly platform: string;
  readonly model: string;
  readonly version?: number;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly requests: number;
  readonly rows: number;
  /** Versions that answered the window's rows, most rows first; `version` is the one that serves when the monitor runs. */
  readonly servedBy: readonly { readonly version: number; readonly rows: number }[];
  /** Lines and rows that could not be used, by cause. */
  readonly rejected: Readonly<Record<string, number>>;
  /** For each cause the place of the first such line, without its content. */
  readonly rejectedSamples: Readonly<Record<string, string>>;
  readonly drift: {
    readonly verdict: DriftVerdict;
    /** One sentence: why this verdict. */
    readonly reason: string;
    /** What the window was compared with, and why with that. */
    readonly reference: string;
    /** Strongest difference first. */
    readonly features: readonly FeatureResult[];
    /** Columns that are not compared, each with the reason. */
    readonly skipped: readonly { readonly name: string; readonly reason: string }[];
  };
  readonly quality: {
    readonly verdict: QualityVerdict;
    /** One sentence: why this verdict. */
    readonly reason: string;
    readonly labelled: number;
    /** labelled / rows */
    readonly coverage: number;
    readonly metrics: Readonly<Record<string, number>>;
    readonly exceeded: readonly { readonly metric: string; readonly value: number; readonly bound: number }[];
  };
  readonly resultUri: string;
  readonly reportUri: string;
}

/** Answer of the monitor function: the verdicts and where the rest lies. */
export type MonitorAnswer = Pick<MonitorResult, 'model' | 'version' | 'windowStart' | 'windowEnd' | 'rows' | 'resultUri' | 'reportUri'> & {
  readonly driftVerdict: DriftVerdict;
  readonly driftedFeatures: readonly string[];
  readonly qualityVerdict: QualityVerdict;
  readonly metrics: Readonly<Record<string, number>>;
};

/** Input of the baseline function, a step of the pipeline. */
export interface BaselineRequest {
  readonly runId: string;
  readonly trainUri: string;
  readonly holdoutUri: string;
  readonly candidateScoresUri: string;
}

export interface BaselineAnswer {
  readonly baselineUri: string;
}
