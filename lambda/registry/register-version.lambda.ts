import * as z from 'zod';
import { DataManifest } from '../../lib/artifacts/contract';
import { COMMON_ENV } from '../../lib/common/contract';
import { PIPELINE_ENV, PipelineSpec } from '../../lib/pipeline/contract';
import { ArtifactRef, ModelVersion, VersionRecord } from '../../lib/registry/contract';
import { EVENTS } from '../../lib/retraining/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { ModelRegistryClient } from './model-registry.client';
import { readSchema } from './schema';

const uri = z.string().startsWith('s3://');

const Input = z.object({
  runId: z.string().min(1),
  causeId: z.string(),
  cause: z.string(),
  model: z.string().min(1),
  manifestUri: uri,
  prepared: z.object({ trainUri: uri, codeUri: uri }),
  trainingJob: z.object({
    TrainingJobName: z.string(),
    ModelArtifacts: z.object({ S3ModelArtifacts: uri }),
    HyperParameters: z.record(z.string(), z.string()).nullish(),
    AlgorithmSpecification: z.object({ TrainingImage: z.string() }),
  }),
  sagemakerModelName: z.string(),
  evaluation: z.object({
    passed: z.boolean(),
    reason: z.string(),
    reportUri: uri,
    metrics: z.record(z.string(), z.number()),
  }),
  baselineUri: uri,
});

type Input = z.infer<typeof Input>;

const logger = createLogger('register-version');
const files = new S3Files();
const registry = new ModelRegistryClient();
const events = new Events();
const spec = requireJsonEnv<PipelineSpec>(PIPELINE_ENV.spec);

/** Step of the pipeline: puts what the run made on record, waiting for approval where the gate passed, rejected where it did not. */
export const handler = async (event: unknown) => {
  const input = Input.parse(event);
  const record = await readRecord(input);
  const registered = await registry.registerVersion(
    { name: input.model, owner: spec.owner, rules: spec.registryRules ?? [] },
    { source: record.artifact.uri, runId: input.runId, record },
    { actor: 'pipeline', reason: input.cause, evidenceUri: input.evaluation.reportUri },
  );
  await announce(registered);
  const { version, state } = registered;
  logger.info('version registered', { model: input.model, runId: input.runId, version, state });
  return { version, state };
};

const readRecord = async (input: Input): Promise<Pick<VersionRecord, 'artifact'> & Partial<VersionRecord>> => {
  const { trainingJob, evaluation } = input;
  const manifest = await files.readJson<DataManifest>(input.manifestUri);
  const { target, timeColumn } = spec.task;
  const [artifact, schema] = await Promise.all([
    readArtifact(trainingJob.ModelArtifacts.S3ModelArtifacts),
    files.readStream(input.prepared.trainUri).then((csv) => readSchema(csv, manifest.columns, target, timeColumn)),
  ]);
  const { codeSha256: sha256, entryPoint } = spec.training;
  const code = { uri: input.prepared.codeUri, sha256, entryPoint, commit: spec.commit, dirty: spec.dirty };
  return {
    artifact,
    dataManifestUri: input.manifestUri,
    dataId: manifest.dataId,
    code,
    inferenceCode: code,
    image: trainingJob.AlgorithmSpecification.TrainingImage,
    hyperparameters: trainingJob.HyperParameters ?? {},
    metrics: evaluation.metrics,
    schema,
    gate: { passed: evaluation.passed, reason: evaluation.reason, reportUri: evaluation.reportUri },
    baselineUri: input.baselineUri,
    sagemakerModelName: input.sagemakerModelName,
    runId: input.runId,
    causeId: input.causeId,
    cause: input.cause,
  };
};

/** Head first: the digest is that of the object version which the record names, even if the key is written again meanwhile. */
const readArtifact = async (artifactUri: string): Promise<ArtifactRef> => {
  const head = await files.head(artifactUri);
  if (!head) throw new Error(`the training job named ${artifactUri} as its model, but nothing is there`);
  return { uri: artifactUri, versionId: head.versionId, ...(await files.sha256(artifactUri, head.versionId)) };
};

/** Times are the version's own, so that a second try of this step tells the same. */
const announce = async ({ model, version, runId, state, createdAt, gate }: ModelVersion): Promise<void> => {
  const detail = { platform: requireEnv(COMMON_ENV.platform), model, occurredAt: createdAt, version, runId };
  await events.putEvent(EVENTS.versionRegistered, { ...detail, state });
  if (gate?.passed === false) await events.putEvent(EVENTS.candidateRejected, { ...detail, reason: gate.reason });
};
