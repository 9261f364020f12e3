import * as z from 'zod';
import { ARTIFACTS_ENV, type DataManifest, datasetPrefix } from '../../lib/artifacts/contract';
import { PIPELINE_ENV, type PipelineSpec, type PreparedData } from '../../lib/pipeline/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { ModelRegistryClient } from '../registry/model-registry.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
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

  await runs.startRun({ runId, model, executionArn, causeId, cause, startTime });
  const { manifestUri, codeUri, trainUri, holdoutUri, holdoutFeaturesUri, ...outputs } = runUris(buckets, model, runId);
  const inputs = { dataset: `s3://${buckets.data}/${datasetPrefix(model)}` };
  const manifest = await recordedStep(runs, runId, 'prepare-data', { inputs }, async () => {
    const prepared = await new DataPreparation(files, buckets, spec).prepare(runId);
    return { result: prepared, outputs: { manifest: manifestUri, train: trainUri, holdout: holdoutUri } };
  });
  await runs.logParams(runId, { ...spec.hyperparameters, ...dataParams(manifest) });
  const champion = await new ModelRegistryClient().champion(model);
  logger.info('data prepared', { model, runId, rows: manifest.rows, quarantined: manifest.quarantinedRows, champion: champion?.version });
  return {
    jobNameBase: jobNameBase(spec.jobNamePrefix, executionArn),
    manifestUri,
    codeUri,
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
      modelDataUrl: champion?.artifact.uri ?? null,
      codeUri: champion?.code.uri ?? null,
      entryPoint: champion?.code.entryPoint ?? null,
    },
  };
};

const dataParams = ({ dataId, train, holdout, quarantinedRows }: DataManifest): Record<string, string> => ({
  'data.id': dataId,
  'data.trainRows': String(train.rows),
  'data.holdoutRows': String(holdout.rows),
  'data.quarantinedRows': String(quarantinedRows),
  ...(holdout.from === undefined ? {} : { 'data.holdoutFrom': holdout.from }),
});
