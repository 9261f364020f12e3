import * as z from 'zod';
import { COMMON_ENV } from '../../lib/common/contract';
import { EVENTS } from '../../lib/retraining/contract';
import { type ReleaseRequest, type ReleaseStatus, SERVING_ENV, type ServingSpec } from '../../lib/serving/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { S3Files } from '../common/s3.client';
import { ExecutionsClient } from '../pipeline/executions.client';
import { beginStep } from '../pipeline/recorded-step';
import { ModelRegistryClient } from '../registry/model-registry.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { EndpointClient } from './endpoint.client';
import { InvokeClient } from './invoke.client';
import { Owners } from './owners';
import { Release } from './release';
import { ReleaseFailure } from './release-failure';
import { ReleaseRecord } from './release-record';
import { RollbackAlarms } from './rollback-alarms.client';
import { SmokeTest } from './smoke-test';

const logger = createLogger('serving/release');
const events = new Events();
const runs = new RunTrackerClient();
const STEP = 'release';
const files = new S3Files();
const parts = {
  files,
  owners: new Owners(runs, new ExecutionsClient()),
  endpoints: new EndpointClient(),
  registry: new ModelRegistryClient(),
  alarms: new RollbackAlarms(),
  smoke: new SmokeTest(files, new InvokeClient()),
};

const Request = z.object({
  action: z.enum(['start', 'check']),
  version: z.number().int().positive(),
  runId: z.string().min(1).optional(),
  sagemakerModelName: z.string().min(1),
  endpointConfigName: z.string().min(1).max(63),
  expectedChampion: z.number().int().positive().nullable(),
  prepared: z.unknown().optional(),
  rollback: z.boolean().optional(),
  redriveCount: z.number().int().nonnegative(),
  startedAtRedrive: z.number().int().nonnegative().optional(),
  previousEndpointConfigName: z.string().optional(),
});

/** A step of the pipeline: starts the switch of the endpoint to a version, or looks whether it has happened and holds. */
export const handler = async (event: unknown): Promise<ReleaseStatus> => {
  const request = Request.parse(event);
  const spec = requireJsonEnv<ServingSpec>(SERVING_ENV.spec);
  try {
    await recordBegin(request);
    const { prepared, ...status } = await new Release(spec, parts).handle(request);
    if (status.done) await recordEnd(request, status);
    logger.info(`release ${request.action}`, { version: request.version, ...status });
    return prepared === undefined ? status : { ...status, prepared };
  } catch (error) {
    if (error instanceof ReleaseFailure) {
      await announce(spec, request, error);
      await recordFailure(spec, request, error);
    }
    throw error;
  }
};

/** The step lasts over many calls: the first one begins it, the last one ends it. How it failed is recorded with the end of the run. */
const recordBegin = async ({ action, runId, version, sagemakerModelName }: ReleaseRequest): Promise<void> => {
  if (action === 'start' && runId) await beginStep(runs, runId, STEP, { version: String(version), sagemakerModel: sagemakerModelName });
};

const recordEnd = async ({ runId }: ReleaseRequest, status: ReleaseStatus): Promise<void> => {
  if (!runId) return;
  const endTime = new Date().toISOString();
  const begun = (await runs.getRun(runId)).steps.find(({ name }) => name === STEP) ?? { name: STEP, startTime: endTime };
  const outputs = { endpoint: status.endpointName, configuration: status.endpointConfigName };
  await runs.recordStep(runId, { ...begun, status: 'FINISHED', endTime, outputs });
};

/** On the version too. That this cannot be done must not hide why the release failed. */
const recordFailure = async (spec: ServingSpec, request: ReleaseRequest, failure: ReleaseFailure): Promise<void> => {
  try {
    await new ReleaseRecord(spec, parts).failed(request, failure);
  } catch (error) {
    logger.error('a failed release could not be put on its version’s record', { version: request.version, error: error as Error });
  }
};

/** Whoever reads only the endpoint's status would take a deployment that was taken back for one that went well. */
const announce = async ({ model, endpointName }: ServingSpec, { version, runId }: ReleaseRequest, { wanted, found, reason }: ReleaseFailure) => {
  logger.error('release failed', { version, wanted, found });
  await events.putEvent(EVENTS.releaseFailed, {
    platform: requireEnv(COMMON_ENV.platform),
    model,
    occurredAt: new Date().toISOString(),
    version,
    runId: runId ?? '',
    endpointName,
    wanted,
    found,
    reason,
  });
};
