// Shared by synth time and run time: imports nothing.

/** CloudWatch namespace; dimensions are always `service` (platform) and `Model`. */
export const METRICS_NAMESPACE = 'CdkMlOps';
export const MODEL_DIMENSION = 'Model';
export const PLATFORM_DIMENSION = 'service';

/** Metric names; emitter and alarm use the same constant. */
export const METRICS = {
  monitorRuns: 'MonitorRuns',
  monitoredRows: 'MonitoredRows',
  driftedFeatures: 'DriftedFeatures',
  driftDetected: 'DriftDetected',
  qualityDegraded: 'QualityDegraded',
  labelCoverage: 'LabelCoverage',
  rejectedRows: 'RejectedRows',
  predictions: 'Predictions',
  recordingFailed: 'RecordingFailed',
  pipelineSucceeded: 'PipelineSucceeded',
  pipelineFailed: 'PipelineFailed',
  candidateRejected: 'CandidateRejected',
  retrainStarted: 'RetrainStarted',
  retrainHeldBack: 'RetrainHeldBack',
  /** Of the platform, not of a model: requests that the MLflow API refused for their number. */
  apiThrottled: 'ApiThrottled',
} as const;

/** Live quality is published under the metric's own name with this prefix, e.g. `Quality.rmse`. */
export const QUALITY_METRIC_PREFIX = 'Quality.';
