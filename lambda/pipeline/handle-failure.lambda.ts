import * as z from 'zod';
import { COMMON_ENV } from '../../lib/common/contract';
import { requireEnv } from '../common/env';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { EndpointClient } from '../serving/endpoint.client';
import { RunTrackerClient } from '../tracking/run-tracker.client';
import { BillsClient } from './bills.client';
import { ExecutionsClient } from './executions.client';
import { removeHalfMade } from './half-made-endpoint';
import { JobsClient } from './jobs.client';
import { type Leftovers, RunEnd } from './run-end';

const logger = createLogger('pipeline/handle-failure');

const Event = z.object({
  time: z.string(),
  detail: z.object({
    executionArn: z.string().startsWith('arn:'),
    status: z.enum(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING']),
    redriveCount: z.number().int().nullish(),
  }),
});

/** Time that is kept for what comes after waiting. */
const RESERVE_MILLISECONDS = 15_000;

/** What Lambda tells a handler of the time it has left. */
interface Context {
  getRemainingTimeInMillis(): number;
}

const ENDED = ['FAILED', 'TIMED_OUT', 'ABORTED'];

/** Removes what a run had begun and nobody goes on with. */
const tidyWith =
  (executions: ExecutionsClient, context?: Context) =>
  async ({ executionArn, model, runId, endpointName, since, mayStillCome }: Leftovers): Promise<void> => {
    if (endpointName === undefined) return;
    const isRedriven = async () => !ENDED.includes((await executions.describe(executionArn)).status ?? '');
    const timeLeft = () => (context?.getRemainingTimeInMillis() ?? 0) - RESERVE_MILLISECONDS;
    const removed = await removeHalfMade({ endpoints: new EndpointClient(), isRedriven, timeLeft }, { endpointName, since, mayStillCome });
    if (removed) logger.warn('removed an endpoint that a run had begun to make', { model, runId, endpointName });
  };

/** Target of the execution-status rule: what no state of a machine can do for itself: tell how all of them went, and how one failed. */
export const handler = async (event: unknown, context?: Context): Promise<void> => {
  const { time, detail } = Event.parse(event);
  const { executionArn, status } = detail;
  const executions = new ExecutionsClient();
  const tidy = tidyWith(executions, context);
  const clients = { runs: new RunTrackerClient(), executions, jobs: new JobsClient(), bills: new BillsClient(), events: new Events(), tidy };
  const change = { executionArn, status, redriveCount: detail.redriveCount ?? 0, time };
  const failure = await new RunEnd(clients, requireEnv(COMMON_ENV.platform)).handle(change);
  logger.info('status of a run handled', { executionArn, status, step: failure?.step, error: failure?.error });
};
