import * as z from 'zod';
import { MODEL_NAME_PATTERN } from '../../lib/common/contract';
import type { Outcome } from './governor';

const pipelineInput = z.object({
  model: z.string().regex(MODEL_NAME_PATTERN),
  runId: z.string().min(1),
  causeId: z.string().min(1),
  cause: z.string(),
  occurredAt: z.iso.datetime({ offset: true }),
  rebuildOf: z.number().optional(),
  rollbackTo: z.number().optional(),
});
const pipelineOutput = z.object({ outcome: z.enum(['promoted', 'rejected', 'rolled-back', 'rebuilt']) });

const parse = <T>(schema: z.ZodType<T>, text: string | undefined): T | undefined => {
  try {
    return schema.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
};

/** The run's input, or nothing where the execution was not started as a run. */
export const readInput = (text: string | undefined) => parse(pipelineInput, text);

/** Whether the run stands outside the governor's lock: it trains nothing that could take the champion's place. */
export const isUngoverned = ({ rebuildOf, rollbackTo }: { readonly rebuildOf?: number; readonly rollbackTo?: number }): boolean =>
  rebuildOf !== undefined || rollbackTo !== undefined;

/** How an execution that ended turned out; one that succeeded without saying how counts as failed, since nothing was promoted for certain. */
export const readOutcome = (status: string, output: string | undefined): Outcome =>
  status === 'SUCCEEDED' ? (parse(pipelineOutput, output)?.outcome ?? 'failed') : 'failed';
