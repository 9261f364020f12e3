import * as z from 'zod';
import { ARTIFACTS_ENV, type DataManifest, datasetPrefix } from '../../lib/artifacts/contract';
import { PIPELINE_ENV, type PipelineSpec, type PreparedData } from '../../lib/pipeline/contract';
import type { DatasetInput } from '../../lib/tracking/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { ModelRegistryClient } from '../registry/model-registry.client';
import { LineageClient } from '../tracking/lineage.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { keepConfiguration, readRecorded, type RunSource } from './configuration';
import { chooseConstraints } from './constraint-source';
import { jobNameBase } from './job-names';
import { DataPreparation, runUris } from './prepare';
import { recordedStep } from './recorded-step';

const logger = createLogger('pipeline/prepare-data');
const files = new S3Files();

const Input = z.object({
  model: z.string().min(1),
  runId: z.string().min(1),
  causeId: z.string(),
  cause: z.string(),
  occurredAt: z.string(),
  /** Input of the execution. */
  request: z.object({ rebuildOf: z.number().int().positive().nullish() }).nullish(),
  executionArn: z.string().startsWith('arn:'),
  startTime: z.string(),
});

/** First step of a run: opens it on record, validates and splits the data, and says which version the candidate has to beat. */
export const handler = async (event: unknown): Promise<PreparedData> => {
  const input = Input.parse(event);
  const { model, runId, causeId, cause, executionArn, startTime } = input;
  const spec = requireJsonEnv<PipelineSpec>(PIPELINE_ENV.spec);
  if (model !== spec.model) throw new Error(`this pipeline trains ${spec.model}, the run was started for ${model}: start the pipeline of that model`);
  const buckets = { data: requireEnv(ARTIFACTS_ENV.dataBucket), artifacts: requireEnv(ARTIFACTS_ENV.artifactsBucket) };
  const runs = new RunTrackerClient();
  const registry = new ModelRegistryClient();
  const rebuilt = input.request?.rebuildOf ?? undefined;

  await runs.startRun({ runId, model, executionArn, causeId, cause, startTime });
  const uris = runUris(buckets, model, runId);
  const { manifestUri, codeUri, configurationUri, trainUri, holdoutUri, holdoutFeaturesUri, quarantineUri, dataQualityUri, ...outputs } = uris;
  const inputs = { dataset: `s3://${buckets.data}/${datasetPrefix(model)}`, ...(rebuilt === undefined ? {} : { version: `${model}/${rebuilt}` }) };
  // A rebuild has nothing to beat: it is compared with its own record.
  const champion = rebuilt === undefined ? await registry.champion(model) : undefined;
  const current = async (): Promise<RunSource> => ({
    settings: spec,
    constraints: await chooseConstraints(files, buckets.data, model, champion?.baselineUri),
  });
  const { manifest, settings, configuration } = await recordedStep(runs, runId, 'prepare-data', { inputs }, async () => {
    const from = rebuilt === undefined ? await current() : await readRecorded(files, await registry.getVersion(model, rebuilt));
    const prepared = await new DataPreparation(files, buckets, from.settings, from.dataFiles, from.constraints).prepare(runId);
    const kept = await keepConfiguration(files, configurationUri, from.settings);
    return {
      result: { manifest: prepared, ...kept },
      outputs: {
        ...{ manifest: manifestUri, train: trainUri, holdout: holdoutUri, configuration: configurationUri },
        ...(prepared.quarantinedRows > 0 && { quarantine: quarantineUri }),
        ...(prepared.constraints && { constraints: prepared.constraints.uri, dataQuality: dataQualityUri }),
      },
    };
  });
  await new LineageClient().link({ kind: 'data', id: manifest.dataId }, { kind: 'run', id: runId });
  await runs.logDataset(runId, datasetOf(manifest, manifestUri));
  const { hyperparameters, training } = settings;
  await runs.logParams(runId, { ...hyperparameters, ...dataParams(manifest), ...(rebuilt === undefined ? {} : { rebuildOf: String(rebuilt) }) });
  logger.info('data prepared', { model, runId, rows: manifest.rows, quarantined: manifest.quarantinedRows, champion: champion?.version });
  return {
    jobNameBase: jobNameBase(spec.jobNamePrefix, executionArn),
    manifestUri,
    codeUri,
    configuration,
    training: {
      image: training.image,
      entryPoint: training.entryPoint,
      instanceType: training.instanceType,
      hyperParameters: {
        ...hyperparameters,
        sagemaker_program: training.entryPoint,
        sagemaker_submit_directory: codeUri,
        sagemaker_region: requireEnv('AWS_REGION'),
        sagemaker_container_log_level: '20',
      },
    },
    rebuildOf: { present: rebuilt !== undefined, version: rebuilt ?? null },
    trainUri,
    holdoutUri,
    holdoutFeaturesUri,
    candidateScoresUri: outputs.candidateScoresUri,
    championScoresUri: outputs.championScoresUri,
    modelOutputUri: outputs.modelOutputUri,
    champion: {
      present: champion !== undefined,
      version: champion?.version ?? null,
      image: champion?.image ?? null,
      modelDataUrl: champion?.artifact?.uri ?? null,
      codeUri: champion?.code?.uri ?? null,
      entryPoint: champion?.code?.entryPoint ?? null,
    },
  };
};

const dataParams = ({ dataId, train, holdout, quarantinedRows, constraints }: DataManifest): Record<string, string> => ({
  'data.id': dataId,
  'data.trainRows': String(train.rows),
  'data.holdoutRows': String(holdout.rows),
  'data.quarantinedRows': String(quarantinedRows),
  ...(holdout.from === undefined ? {} : { 'data.holdoutFrom': holdout.from }),
  ...(constraints && {
    'data.constraints': constraints.source,
    ...(constraints.versionId !== undefined && { 'data.constraintsVersion': constraints.versionId }),
    'data.warnings': String(constraints.warnings),
  }),
});

/** Longest digest that MLflow takes. */
const DIGEST_LENGTH = 36;

/** The data as MLflow shows it: its digest is the beginning of the data's id, its source the manifest. */
const datasetOf = ({ dataId, model, columns, rows }: DataManifest, manifestUri: string): DatasetInput => ({
  name: model,
  digest: dataId.slice(0, DIGEST_LENGTH),
  sourceType: 's3',
  source: JSON.stringify({ uri: manifestUri }),
  profile: JSON.stringify({ num_rows: rows, num_columns: columns.length }),
  tags: { 'mlflow.data.context': 'training' },
});
