import * as z from 'zod';
import { COMMON_ENV } from '../../lib/common/contract';
import { EVENTS } from '../../lib/retraining/contract';
import type { LineageNode } from '../../lib/tracking/contract';
import { requireEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { recordedStep } from '../pipeline/recorded-step';
import { LineageClient } from '../tracking/lineage.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { ModelRegistryClient } from './model-registry.client';
import { latestReport } from './rejudgement';

const version = z.number().int().positive();

const Input = z.object({
  model: z.string().min(1),
  version,
  runId: z.string().min(1),
  /** Champion that the candidate was judged against; left out or null: there was none, and there must be none now. */
  expectedChampion: version.nullish(),
  reason: z.string().min(1),
  /** The judgement that the version has passed last: another champion was another report. */
  evaluation: z.object({ reportUri: z.string().startsWith('s3://').optional() }).optional(),
  endpointName: z.string().min(1),
  /** Where the endpoint's predictions are recorded. */
  predictionsUri: z.string().startsWith('s3://'),
});

const logger = createLogger('promote-version');
const registry = new ModelRegistryClient();
const lineage = new LineageClient();
const events = new Events();

/** Step of the pipeline: the version that the endpoint runs becomes the champion. A second try moves nothing and tells the same. */
export const handler = async (event: unknown) => {
  const input = Input.parse(event);
  const inputs = { version: `${input.model}/${input.version}` };
  return recordedStep(new RunTrackerClient(), input.runId, 'promote', { inputs }, async () => ({ result: await promote(input) }));
};

const promote = async (input: z.infer<typeof Input>) => {
  const { champion, previousVersion } = await registry.promote(input.model, input.version, {
    expectedChampion: input.expectedChampion ?? null,
    actor: 'pipeline',
    reason: input.reason,
    evidenceUri: input.evaluation?.reportUri ?? latestReport(await registry.getVersion(input.model, input.version)),
  });
  const endpoint: LineageNode = { kind: 'endpoint', id: input.endpointName };
  await lineage.link({ kind: 'version', id: `${input.model}/${input.version}` }, endpoint, champion.updatedAt);
  await lineage.link(endpoint, { kind: 'predictions', id: input.predictionsUri }, champion.updatedAt);
  await events.putEvent(EVENTS.versionPromoted, {
    platform: requireEnv(COMMON_ENV.platform),
    model: input.model,
    occurredAt: champion.updatedAt,
    version: champion.version,
    previousVersion,
    runId: input.runId,
  });
  logger.info('version promoted', { model: input.model, version: champion.version, previousVersion, runId: input.runId });
  return { version: champion.version, previousVersion, state: champion.state };
};
