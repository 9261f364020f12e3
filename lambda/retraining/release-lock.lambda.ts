import * as z from 'zod';
import { createLogger } from '../common/logger';
import { ruleOf, settle } from './governor';
import { GovernorClient } from './governor.client';
import { readInput, readOutcome } from './outcome';
import { PipelineRunsClient } from './runs.client';

const logger = createLogger('release-lock');
const store = new GovernorClient();
const runs = new PipelineRunsClient();

const statusChange = z.object({
  'detail-type': z.literal('Step Functions Execution Status Change'),
  detail: z.object({
    executionArn: z.string().min(1),
    name: z.string().min(1),
    status: z.enum(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED']),
    input: z.string().nullish(),
    output: z.string().nullish(),
  }),
});

/** An execution that ended: gives the governor's lock back and begins the cooldown that its outcome asks for. Repeating it changes nothing. */
export const handler = async (input: unknown): Promise<void> => {
  const { detail } = statusChange.parse(input);
  // The event leaves out what is too long for it.
  const whole = detail.input && (detail.status !== 'SUCCEEDED' || detail.output) ? detail : ((await runs.find(detail.executionArn)) ?? detail);
  const run = readInput(whole.input ?? undefined);
  if (!run) {
    logger.warn('not a run: its input has no cause', { execution: detail.name });
    return;
  }
  const outcome = readOutcome(detail.status, whole.output ?? undefined);
  const claim = await store.findClaim(run.model, run.causeId);
  const rule = claim && ruleOf(claim.record.cause);
  await store.update(run.model, (state) => {
    const next = settle(state, { runId: detail.name, outcome, occurredAt: new Date(run.occurredAt).toISOString(), rule });
    return JSON.stringify(next) === JSON.stringify(state) ? state : next;
  });
  logger.info('run ended', { model: run.model, runId: detail.name, status: detail.status, outcome });
};
