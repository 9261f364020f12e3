import * as z from 'zod';
import { RETRAINING_ENV, type GovernorPolicy } from '../../lib/retraining/contract';
import { requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { GovernorClient } from './governor.client';
import { runEnded, runRedriven } from './run-status';
import { PipelineRunsClient } from './runs.client';

const logger = createLogger('release-lock');
const ports = { store: new GovernorClient(), runs: new PipelineRunsClient() };

const statusChange = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  time: z.string().optional(),
  detail: z.object({
    executionArn: z.string().min(1),
    name: z.string().min(1),
    status: z.enum(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING']),
    redriveCount: z.number().int().nullish(),
    input: z.string().nullish(),
    output: z.string().nullish(),
  }),
});

/** An execution that ended gives the governor's lock back, and one that is redriven takes it again if it is free. Repeating it changes nothing. */
export const handler = async (input: unknown): Promise<void> => {
  const { detail, time } = statusChange.parse(input);
  const { executionArn, name: runId, status } = detail;
  const change = { executionArn, runId, status, input: detail.input ?? undefined, output: detail.output ?? undefined };
  if (detail.status === 'RUNNING') {
    if (!detail.redriveCount) return;
    const policies = requireJsonEnv<Record<string, GovernorPolicy>>(RETRAINING_ENV.policies);
    const at = time ?? new Date().toISOString();
    logger.info('run redriven', { runId, lock: await runRedriven(ports, policies, { ...change, at }) });
    return;
  }
  logger.info('run ended', { runId, status, outcome: await runEnded(ports, { ...change, status: detail.status }) });
};
