import * as z from 'zod';
import { METRICS } from '../../lib/operations/contract';
import type { RunOutcome } from '../../lib/tracking/contract';
import { createLogger } from '../common/logger';
import { publishMetrics } from '../common/metrics';
import { recordedStep } from '../pipeline/recorded-step';
import { RunTrackerClient } from './run-tracker.client';

const OUTCOMES = ['promoted', 'rejected', 'rebuilt', 'rolled-back'] as const satisfies readonly RunOutcome[];

const Input = z.object({
  runId: z.string().min(1),
  model: z.string().min(1),
  outcome: z.enum(OUTCOMES),
  version: z.number().int().positive().nullish(),
  /** How a rebuild compares with the record; handed on. */
  comparison: z.record(z.string(), z.unknown()).optional(),
});

const logger = createLogger('finish-run');
const runs = new RunTrackerClient();

/** Last step of a run: marks it finished and counts it. What it answers becomes the output of the execution. */
export const handler = async (event: unknown) => {
  const { runId, model, outcome, version, comparison } = Input.parse(event);
  // The version that a rebuild repeats is not one that it made.
  const made = outcome === 'rebuilt' ? undefined : (version ?? undefined);
  await recordedStep(runs, runId, 'finish', {}, async () => {
    await runs.finishRun(runId, outcome, made);
    return { result: undefined, outputs: { outcome, ...(made !== undefined && { version: String(made) }) } };
  });
  // Runs that train nothing are no successes of the pipeline; a rollback is told by its own event.
  if (outcome === 'promoted' || outcome === 'rejected') {
    publishMetrics(model, { [METRICS.pipelineSucceeded]: 1, [METRICS.candidateRejected]: outcome === 'rejected' ? 1 : 0 });
  }
  logger.info('run finished', { runId, model, outcome, version });
  return { outcome, version: version ?? undefined, runId, model, comparison };
};
