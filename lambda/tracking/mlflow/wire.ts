import type { DatasetInput, Experiment, LoggedModel, MetricPoint, Run } from '../../../lib/tracking/contract';
import type { KeyValue } from './fields';
import type { Json } from './http';

const SPECIAL = new Map([
  [Infinity, 'Infinity'],
  [-Infinity, '-Infinity'],
]);

/** A number as protocol buffers write it in JSON: what JSON lacks as a text. */
const wireNumber = (value: number): number | string => (Number.isNaN(value) ? 'NaN' : (SPECIAL.get(value) ?? value));

export const wireEntries = (record: Readonly<Record<string, string>>): KeyValue[] => Object.entries(record).map(([key, value]) => ({ key, value }));

/** The object without the lists that are empty: absent is how the protocol says so. */
export const withoutEmpty = (object: Json): Json =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)));

export const wireExperiment = ({ experimentId, name, artifactLocation, lifecycleStage, creationTime, lastUpdateTime, tags }: Experiment): Json =>
  withoutEmpty({
    experiment_id: experimentId,
    name,
    artifact_location: artifactLocation,
    lifecycle_stage: lifecycleStage,
    last_update_time: lastUpdateTime,
    creation_time: creationTime,
    tags: wireEntries(tags),
    workspace: 'default',
  });

export const wireRunInfo = (run: Omit<Run, 'params' | 'tags' | 'metrics'>): Json =>
  withoutEmpty({
    run_uuid: run.runId,
    run_id: run.runId,
    experiment_id: run.experimentId,
    run_name: run.name,
    user_id: run.userId,
    status: run.status,
    start_time: run.startTime,
    end_time: run.endTime,
    artifact_uri: run.artifactUri,
    lifecycle_stage: run.lifecycleStage,
  });

/** A point of a run's metric: which model and data it is about stands with the model. */
export const wireMetric = ({ key, value, timestamp, step }: MetricPoint): Json => ({ key, value: wireNumber(value), timestamp, step });

const wireDataset = ({ name, digest, sourceType, source, schema, profile, tags }: DatasetInput): Json =>
  withoutEmpty({
    tags: wireEntries(tags),
    dataset: withoutEmpty({ name, digest, source_type: sourceType, source, schema, profile }),
  });

export const wireRun = (run: Run): Json => ({
  info: wireRunInfo(run),
  data: withoutEmpty({ metrics: Object.values(run.metrics).map(wireMetric), params: wireEntries(run.params), tags: wireEntries(run.tags) }),
  inputs: withoutEmpty({
    dataset_inputs: run.datasets.map(wireDataset),
    model_inputs: run.modelInputs.map((modelId) => ({ model_id: modelId })),
  }),
  outputs: withoutEmpty({ model_outputs: run.modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step })) }),
});

export const wireLoggedModel = (model: LoggedModel): Json => ({
  info: withoutEmpty({
    model_id: model.modelId,
    experiment_id: model.experimentId,
    name: model.name,
    creation_timestamp_ms: model.createdAt,
    last_updated_timestamp_ms: model.updatedAt,
    artifact_uri: model.artifactUri,
    status: model.status,
    status_message: model.statusMessage,
    model_type: model.modelType ?? '',
    source_run_id: model.sourceRunId ?? '',
    tags: wireEntries(model.tags),
  }),
  data: withoutEmpty({
    params: wireEntries(model.params),
    metrics: model.metrics.map(({ runId, modelId, datasetName, datasetDigest, ...point }) =>
      withoutEmpty({
        ...wireMetric(point),
        dataset_name: datasetName,
        dataset_digest: datasetDigest,
        model_id: modelId ?? model.modelId,
        run_id: runId,
      }),
    ),
  }),
});
