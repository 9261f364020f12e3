import type { ModelVersion } from '../../../lib/registry/contract';
import type { DatasetInput, Experiment, MetricPoint, Run } from '../../../lib/tracking/contract';
import type { Json } from './http';

/** Answers of the web page's GraphQL queries: whole objects with the type names that its cache wants; 64-bit integers are texts there. */

const typed = (type: string, fields: Json): Json => ({ __typename: type, ...fields });

const pairs = (type: string, entries: Readonly<Record<string, string>>): Json[] =>
  Object.entries(entries).map(([key, value]) => typed(type, { key, value }));

export const graphExperiment = (experiment: Experiment): Json =>
  typed('MlflowExperiment', {
    artifactLocation: experiment.artifactLocation,
    creationTime: String(experiment.creationTime),
    effectiveTraceArchivalRetention: '',
    experimentId: experiment.experimentId,
    lastUpdateTime: String(experiment.lastUpdateTime),
    lifecycleStage: experiment.lifecycleStage,
    name: experiment.name,
    tags: pairs('MlflowExperimentTag', experiment.tags),
  });

/** NaN is no number there. */
const graphMetric = ({ key, value, step, timestamp }: MetricPoint): Json =>
  typed('MlflowMetricExtension', { key, value: Number.isFinite(value) ? value : null, step: String(step), timestamp: String(timestamp) });

const graphDataset = ({ name, digest, profile, schema, source, sourceType, tags }: DatasetInput): Json =>
  typed('MlflowDatasetInput', {
    dataset: typed('MlflowDataset', { name, digest, profile: profile ?? null, schema: schema ?? null, source, sourceType }),
    tags: pairs('MlflowInputTag', tags),
  });

const graphVersion = ({ model, version, source, createdAt }: ModelVersion): Json =>
  typed('MlflowModelVersion', { name: model, version: String(version), source, status: 'READY', creationTimestamp: String(Date.parse(createdAt)) });

export const graphRun = (run: Run, experiment: Experiment, versions: readonly ModelVersion[]): Json =>
  typed('MlflowRunExtension', {
    info: typed('MlflowRunInfo', {
      artifactUri: run.artifactUri,
      endTime: run.endTime === undefined ? null : String(run.endTime),
      experimentId: run.experimentId,
      lifecycleStage: run.lifecycleStage,
      runName: run.name,
      runUuid: run.runId,
      startTime: String(run.startTime),
      status: run.status,
      userId: run.userId,
    }),
    experiment: graphExperiment(experiment),
    modelVersions: versions.map(graphVersion),
    data: typed('MlflowRunData', {
      metrics: Object.values(run.metrics).map(graphMetric),
      params: pairs('MlflowParam', run.params),
      tags: pairs('MlflowRunTag', run.tags),
    }),
    inputs: typed('MlflowRunInputs', {
      datasetInputs: run.datasets.map(graphDataset),
      modelInputs: run.modelInputs.map((modelId) => typed('MlflowModelInput', { modelId })),
    }),
    outputs: typed('MlflowRunOutputs', {
      modelOutputs: run.modelOutputs.map(({ modelId, step }) => typed('MlflowModelOutput', { modelId, step: String(step) })),
    }),
  });
