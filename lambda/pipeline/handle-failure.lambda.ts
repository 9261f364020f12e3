import * as z from 'zod';
import { COMMON_ENV } from '../../lib/common/contract';
import { requireEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { ExecutionsClient } from './executions.client';
import { JobsClient } from './jobs.client';
import { RunEnd } from './run-end';

const logger = createLogger('pipeline/handle-failure');

const Event = z.object({
  time: z.string(),
  detail: z.object({
    executionArn: z.string().startsWith('arn:'),
    status: z.enum(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING']),
    redriveCount: z.number().int().nullish(),
  }),
});

/** Target of the execution-status rule: what no state of a machine can do for itself: tell how all of them went, and how one failed. */
export const handler = async (event: unknown): Promise<void> => {
  const { time, detail } = Event.parse(event);
  const { executionArn, status } = detail;
  const clients = { runs: new RunTrackerClient(), executions: new ExecutionsClient(), jobs: new JobsClient(), events: new Events() };
  const change = { executionArn, status, redriveCount: detail.redriveCount ?? 0, time };
  const failure = await new RunEnd(clients, requireEnv(COMMON_ENV.platform)).handle(change);
  logger.info('status of a run handled', { executionArn, status, step: failure?.step, error: failure?.error });
};
