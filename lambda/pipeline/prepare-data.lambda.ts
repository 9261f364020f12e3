import * as z from 'zod';
import { ARTIFACTS_ENV, datasetPrefix } from '../../lib/artifacts/contract';
import { hasCode, PIPELINE_ENV, type PipelineSpec, type PreparedData } from '../../lib/pipeline/contract';
import type { InstancePrices } from '../../lib/tracking/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { ModelRegistryClient } from '../registry/model-registry.client';
import { LineageClient } from '../tracking/lineage.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { championToBeat } from './champion-to-beat';
import { DATA_COMMIT, keepConfiguration, readRecorded, type RunSource, withOverrides } from './configuration';
import { chooseConstraints } from './constraint-source';
import { dataParams, datasetOf } from './data-record';
import { jobNameBase } from './job-names';
import { DataPreparation, runUris } from './prepare';
import { beginStep, recordedStep } from './recorded-step';
import { scriptArguments } from './script-arguments';

const logger = createLogger('pipeline/prepare-data');
const files = new S3Files();

/** Names as the container takes them; values are text however they were typed. */
const Overrides = z.object({
  dataPrefix: z.string().optional(),
  dataCommit: z.string().regex(DATA_COMMIT).optional(),
  hyperparameters: z.record(z.string().min(1).max(256), z.string().max(2500)).optional(),
});

const Input = z.object({
  model: z.string().min(1),
  runId: z.string().min(1),
  causeId: z.string(),
  cause: z.string(),
  occurredAt: z.string(),
  /** Input of the execution. */
  request: z
    .object({ rebuildOf: z.number().int().positive().nullish(), overrides: Overrides.nullish(), startedBy: z.string().min(1).nullish() })
    .nullish(),
  /** Step that follows where SageMaker does it, which cannot record itself. */
  next: z.string().min(1).default('train'),
  executionArn: z.string().startsWith('arn:'),
  startTime: z.string(),
});

const statedPrices = (): InstancePrices | undefined =>
  process.env[PIPELINE_ENV.prices] === undefined ? undefined : requireJsonEnv<InstancePrices>(PIPELINE_ENV.prices);

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
  const overrides = input.request?.overrides ?? {};
  const startedBy = input.request?.startedBy ?? undefined;

  await runs.startRun({ runId, model, executionArn, causeId, cause, startTime, startedBy, prices: statedPrices() });
  const uris = runUris(buckets, model, runId);
  const { manifestUri, codeUri, configurationUri, trainUri, holdoutUri, holdoutFeaturesUri, quarantineUri, dataQualityUri, ...outputs } = uris;
  const dataset = `s3://${buckets.data}/${datasetPrefix(model)}${overrides.dataPrefix ?? ''}`;
  const inputs = { dataset, ...(rebuilt === undefined ? {} : { version: `${model}/${rebuilt}` }) };
  // A rebuild has nothing to beat: it is compared with its own record.
  const champion = rebuilt === undefined ? await registry.champion(model) : undefined;
  const current = async (): Promise<RunSource> => ({
    settings: withOverrides(spec, overrides),
    dataPrefix: overrides.dataPrefix,
    dataCommit: overrides.dataCommit,
    constraints: await chooseConstraints(files, buckets.data, model, champion?.baselineUri),
  });
  const { manifest, settings, configuration } = await recordedStep(runs, runId, 'prepare-data', { inputs }, async () => {
    const from = rebuilt === undefined ? await current() : await readRecorded(files, await registry.getVersion(model, rebuilt));
    const prepared = await new DataPreparation(files, buckets, from).prepare(runId);
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
  const asked = Object.keys(overrides.hyperparameters ?? {}).sort().join(', ');
  await runs.logParams(runId, {
    ...hyperparameters,
    ...dataParams(manifest),
    ...(rebuilt === undefined ? {} : { rebuildOf: String(rebuilt) }),
    ...(asked === '' ? {} : { 'overrides.hyperparameters': asked }),
  });
  await beginStep(runs, runId, input.next, { data: trainUri, instanceType: training.instanceType });
  logger.info('data prepared', { model, runId, rows: manifest.rows, quarantined: manifest.quarantinedRows, champion: champion?.version });
  return {
    jobNameBase: jobNameBase(spec.jobNamePrefix, executionArn),
    round: 0,
    manifestUri,
    codeUri: hasCode(training.codeUri) ? codeUri : training.codeUri,
    configuration,
    training: {
      image: training.image,
      entryPoint: training.entryPoint,
      instanceType: training.instanceType,
      ...(training.targetFirst && { dataUri: outputs.targetFirstUri }),
      hyperParameters: { ...hyperparameters, ...scriptArguments(training, codeUri, requireEnv('AWS_REGION')) },
    },
    rebuildOf: { present: rebuilt !== undefined, version: rebuilt ?? null },
    trainUri,
    holdoutUri,
    holdoutFeaturesUri,
    candidateInputUri: holdoutFeaturesUri.slice(0, holdoutFeaturesUri.lastIndexOf('/') + 1),
    candidateScoresUri: outputs.candidateScoresUri,
    championScoresUri: outputs.championScoresUri,
    modelOutputUri: outputs.modelOutputUri,
    champion: championToBeat(champion),
    rollback: { present: false },
  };
};
