import * as z from 'zod';
import { APPROVAL_ERRORS, type ApprovalOutcome, type ApprovalReply, PROOF_TEXT } from '../../../lib/pipeline/approval/contract';
import { PIPELINE_ERRORS } from '../../../lib/pipeline/contract';
import { REGISTRY_ERRORS } from '../../../lib/registry/contract';
import { CallerProofs } from '../../common/caller-proof';
import { NamedError } from '../../common/errors';
import { createLogger } from '../../common/logger';
import { createApprovals } from './ports';

const text = z.string().min(1);
const proof = z.object({ authorization: text.max(4_096), date: text.max(32), securityToken: text.max(16_384).optional() });
const Decide = z.object({
  action: z.literal('decide'),
  model: text.max(64),
  version: z.number().int().positive(),
  question: text.max(256),
  decision: z.enum(['approve', 'reject']),
  reason: text.max(2_000),
  proof,
});
const List = z.object({ action: z.literal('list'), model: text.max(64).optional(), version: z.number().int().positive().optional() });
const Call = z.discriminatedUnion('action', [List, Decide]);

const logger = createLogger('decide-approval');
const approvals = createApprovals();
const proofs = new CallerProofs(APPROVAL_ERRORS.notProven);
const refusals = new Set<string>([...Object.values(APPROVAL_ERRORS), ...Object.values(REGISTRY_ERRORS), PIPELINE_ERRORS.approvalExpired]);

/**
 * What persons call: lists what waits for them, and takes their decisions. IAM says who may call it; who does is not told to a function, so each
 * decision carries the caller's signature over it, which AWS itself verifies.
 */
export const handler = async (event: unknown, context: { readonly functionName: string }): Promise<ApprovalReply> => {
  const call = Call.safeParse(event);
  if (!call.success) return { ok: false, name: REGISTRY_ERRORS.invalid, message: z.prettifyError(call.error).replaceAll('\n', ' ') };
  try {
    const { data } = call;
    const value = data.action === 'list' ? await approvals.pending(data.model, data.version) : await decide(data, context.functionName);
    return { ok: true, value };
  } catch (error) {
    if (!(error instanceof NamedError) || !refusals.has(error.name)) throw error;
    logger.info('refused', { action: call.data.action, error: error.name });
    return { ok: false, name: error.name, message: error.message };
  }
};

const decide = async ({ proof: signature, ...call }: z.infer<typeof Decide>, functionName: string): Promise<ApprovalOutcome> => {
  const { model, version, question, decision, reason } = call;
  const caller = await proofs.callerOf(signature, PROOF_TEXT(functionName, model, version, question, decision, reason));
  const outcome = await approvals.decide({ model, version, question, decision, reason, caller });
  logger.info('decided', { model, version, outcome: outcome.outcome });
  return outcome;
};
