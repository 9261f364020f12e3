// Shared by synth time and run time: imports nothing.

/** CloudWatch namespace; dimensions are always `service` (platform) and `Model`, for single features also `Feature`. */
export const METRICS_NAMESPACE = 'CdkMlOps';
export const MODEL_DIMENSION = 'Model';
export const PLATFORM_DIMENSION = 'service';
export const FEATURE_DIMENSION = 'Feature';

/** Metric names; emitter and alarm use the same constant. That the monitor runs is told by Step Functions' own metrics. */
export const METRICS = {
  /** Rows of a judged window, 0 included. */
  monitoredRows: 'MonitoredRows',
  /** Judged score over its threshold, 0 to 10, the largest of the references that support a promise; above 1 exactly where the verdict is drift. */
  driftScore: 'DriftScore',
  /** Score of one feature over the same threshold, 0 to 10, under FEATURE_DIMENSION too: the MonitorSpec.featureMetrics most important ones. */
  featureDriftScore: 'FeatureDriftScore',
  /** Quality rules that a window breaks; only where it could be judged. */
  qualityDegraded: 'QualityDegraded',
  /** Group rules that a window breaks; only where there are rules and it could be judged. */
  groupGapsBreached: 'GroupGapsBreached',
  /** Violated constraints of severity error; only where there is something to check. */
  constraintsViolated: 'ConstraintsViolated',
  /** Labelled share of the rows that quality looks at, 0 to 1; not where there are no rows. */
  labelCoverage: 'LabelCoverage',
  /** Median time from prediction to label, in seconds; only where there are labels. */
  labelAge: 'LabelAge',
  /** Lines and rows that could not be used; only where there are some. */
  rejectedRows: 'RejectedRows',
  /** Requests recorded over those that were to be, 0 to 1; only where the endpoint counts and less than 1. */
  capturedShare: 'CapturedShare',
  predictions: 'Predictions',
  recordingFailed: 'RecordingFailed',
  /** Requests to the recording function that prove a version: answered, not recorded and no predictions. */
  smokeRequests: 'SmokeRequests',
  pipelineSucceeded: 'PipelineSucceeded',
  pipelineFailed: 'PipelineFailed',
  candidateRejected: 'CandidateRejected',
  retrainStarted: 'RetrainStarted',
  retrainHeldBack: 'RetrainHeldBack',
  /** Of the platform, not of a model: requests that the MLflow API refused for their number. */
  apiThrottled: 'ApiThrottled',
} as const;

/** Metrics of the quality rules are published under their own name with this prefix, e.g. `Quality.rmse`; metrics without a rule stand in S3 only. */
export const QUALITY_METRIC_PREFIX = 'Quality.';
