import * as z from 'zod';
import { COMMON_ENV } from '../../lib/common/contract';
import { PIPELINE_ENV, PipelineSpec, RebuildComparison } from '../../lib/pipeline/contract';
import { ModelVersion } from '../../lib/registry/contract';
import { EVENTS } from '../../lib/retraining/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { S3Uploads } from '../common/s3-upload.client';
import { S3Files } from '../common/s3.client';
import { RebuildCheck } from '../pipeline/rebuild';
import { recordedStep } from '../pipeline/recorded-step';
import { LineageClient } from '../tracking/lineage.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { ImageDigestClient } from './image-digest.client';
import { ModelRegistryClient } from './model-registry.client';
import { Rejudgement } from './rejudgement';
import { Rollback, RollbackInput } from './rollback';
import { ModelUnpacker } from './unpack';
import { VersionCapture } from './version-record';

const uri = z.string().startsWith('s3://');
/** A time reaches a state as text, milliseconds, or the seconds that SageMaker itself writes. */
const moment = z
  .union([z.number(), z.string()])
  .transform((value) => new Date(typeof value === 'number' && value < 1e11 ? value * 1000 : value).toISOString());

const made = {
  runId: z.string().min(1),
  model: z.string().min(1),
  prepared: z.object({
    manifestUri: uri,
    trainUri: uri,
    codeUri: z.string().min(1),
    modelOutputUri: uri,
    round: z.number().int().min(0).default(0),
    configuration: z.object({ uri, sha256: z.string() }),
  }),
  trainingJob: z.object({
    TrainingJobName: z.string(),
    LastModifiedTime: moment,
    ModelArtifacts: z.object({ S3ModelArtifacts: uri }),
    HyperParameters: z.record(z.string(), z.string()).nullish(),
    AlgorithmSpecification: z.object({ TrainingImage: z.string() }),
  }),
  evaluation: z.object({ passed: z.boolean(), reason: z.string(), reportUri: uri, metrics: z.record(z.string(), z.number()) }),
};
const Rebuild = z.object({ ...made, rebuildOf: z.number().int().positive() });
const Registration = z.object({
  ...made,
  causeId: z.string(),
  cause: z.string(),
  manifestUri: uri,
  sagemakerModelName: z.string(),
  baselineUri: uri,
});

/** Time that the registration itself needs after the unpacking. */
const RESERVE_MS = 60_000;

const logger = createLogger('register-version');
const files = new S3Files();
const images = new ImageDigestClient();
const registry = new ModelRegistryClient();
const lineage = new LineageClient();
const events = new Events();
const spec = requireJsonEnv<PipelineSpec>(PIPELINE_ENV.spec);
const capture = new VersionCapture(files, new ModelUnpacker(files, new S3Uploads()), images);

/** What Lambda tells a handler of the time it has left. */
interface Context {
  getRemainingTimeInMillis(): number;
}

/**
 * Step of the pipeline: puts what the run made on record, waiting for approval where the gate passed, rejected where it did not; a candidate that was
 * judged once more keeps its version. What a rebuild made is compared with the record of the version that it repeats, and not registered. A rollback
 * begins here: it registers nothing, but makes a version the champion again.
 */
export const handler = async (event: unknown, context?: Context) => {
  const rollback = RollbackInput.safeParse(event);
  if (rollback.success) return rollBack(rollback.data);
  const rebuild = Rebuild.safeParse(event);
  if (rebuild.success) return compare(rebuild.data);
  const registration = Registration.parse(event);
  const inputs = { report: registration.evaluation.reportUri };
  return recordedStep(new RunTrackerClient(), registration.runId, 'register', { inputs }, async () => {
    const result = registration.prepared.round > 0 ? await judgedAgain(registration) : await register(registration, context);
    return { result, outputs: { version: String(result.version), state: result.state } };
  });
};

const rollBack = async (input: RollbackInput) => {
  const parts = { registry, files, images, events, runs: new RunTrackerClient() };
  const result = await new Rollback(parts, requireEnv(COMMON_ENV.platform), spec).handle(input);
  logger.info('champion pointer of a rollback', { model: input.model, runId: input.runId, version: input.rollbackTo, ...result.pointer });
  return result;
};

const judgedAgain = async ({ model, runId, prepared, evaluation }: z.infer<typeof Registration>) => {
  const judged = await new Rejudgement(registry).record(model, runId, prepared.round, evaluation);
  if (!evaluation.passed) await events.putEvent(EVENTS.candidateRejected, { ...about(judged), reason: evaluation.reason });
  logger.info('version judged once more', { model, runId, version: judged.version, round: prepared.round, state: judged.state });
  return { version: judged.version, state: judged.state };
};

const register = async (input: z.infer<typeof Registration>, context?: Context) => {
  const { model, runId, cause, evaluation } = input;
  const deadline = context && Date.now() + context.getRemainingTimeInMillis() - RESERVE_MS;
  const { record, source, problem } = await capture.capture(input, deadline);
  const registered = await registry.registerVersion(
    { name: model, owner: spec.owner, rules: spec.registryRules ?? [] },
    { source, runId, record },
    { actor: 'pipeline', reason: cause, evidenceUri: evaluation.reportUri },
  );
  const { version, state } = registered;
  await lineage.link({ kind: 'run', id: runId }, { kind: 'version', id: `${model}/${version}` }, registered.createdAt);
  await announce(registered, evaluation);
  logger.info('version registered', { model, runId, version, state, unpacked: record.unpacked?.files, problem });
  return { version, state, ...(problem === undefined ? {} : { problem }) };
};

const compare = async (input: z.infer<typeof Rebuild>): Promise<RebuildComparison> => {
  const { model, runId, rebuildOf } = input;
  return recordedStep(new RunTrackerClient(), runId, 'compare', { inputs: { version: `${model}/${rebuildOf}` } }, async () => {
    const version = await registry.getVersion(model, rebuildOf);
    const reportUri = input.prepared.configuration.uri.replace(/[^/]*$/, 'rebuild.json');
    const result = await new RebuildCheck(files, images).compare(version, input, reportUri);
    logger.info('rebuild compared', { model, runId, version: rebuildOf, equal: result.equal, field: result.difference?.field });
    return { result, outputs: { equal: String(result.equal), report: reportUri } };
  });
};

/** Times are the version's own, so that a second try of this step tells the same. */
const announce = async (registered: ModelVersion, gate: { passed: boolean; reason: string }): Promise<void> => {
  const detail = { ...about(registered), occurredAt: registered.createdAt };
  await events.putEvent(EVENTS.versionRegistered, { ...detail, state: registered.state });
  if (!gate.passed) await events.putEvent(EVENTS.candidateRejected, { ...detail, reason: gate.reason });
};

const about = ({ model, version, runId, updatedAt }: ModelVersion) => ({
  platform: requireEnv(COMMON_ENV.platform),
  model,
  occurredAt: updatedAt,
  version,
  runId,
});
