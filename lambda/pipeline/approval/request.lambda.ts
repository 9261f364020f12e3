import * as z from 'zod';
import { createLogger } from '../../common/logger';
import { createApprovals } from './ports';

const text = z.string().min(1);
const Input = z.object({
  model: text,
  version: z.number().int().positive(),
  runId: text,
  round: z.number().int().min(0).max(999),
  cause: z.string(),
  reason: text,
  reportUri: z.string().startsWith('s3://'),
  policy: z.enum(['manual', 'two-person']),
  expirySeconds: z.number().positive(),
  reminderSeconds: z.number().positive().optional(),
  approverRoles: z.array(text).optional(),
  request: z.object({ startedBy: text.optional() }),
  executionArn: text,
  enteredAt: text,
  taskToken: text,
});

const logger = createLogger('request-approval');
const approvals = createApprovals();

/** Step of the pipeline that waits for persons: puts the question to them. The answer goes to the run with its task token. */
export const handler = async (event: unknown): Promise<void> => {
  const { model, version, runId, round, status } = await approvals.request(Input.parse(event));
  logger.info('approval requested', { model, version, runId, round, status });
};
