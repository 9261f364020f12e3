import { COMMON_ENV } from '../../lib/common/contract';
import { METRICS } from '../../lib/operations/contract';
import { EVENTS, REQUEST_TEXT, RETRAINING_ENV, type DecisionRecord, type GovernorPolicy } from '../../lib/retraining/contract';
import { CallerProofs } from '../common/caller-proof';
import { requireEnv, requireJsonEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { publishMetrics } from '../common/metrics';
import { causeEvent, isCause, toCause, type CauseEvent } from './causes';
import { ruleOf } from './governor';
import { GovernorClient } from './governor.client';
import { handleCause, type GovernorPorts } from './handle-cause';
import { PipelineRunsClient } from './runs.client';

const logger = createLogger('govern');
const events = new Events();
const NOT_PROVEN = 'RequestNotProven';
const proofs = new CallerProofs(NOT_PROVEN);

const announce = async (record: DecisionRecord): Promise<void> => {
  await events.putEvent(EVENTS.retrainDecided, record);
  if (record.decision === 'duplicate') return;
  publishMetrics(record.model, { [record.decision === 'started' ? METRICS.retrainStarted : METRICS.retrainHeldBack]: 1 });
};

const ports: GovernorPorts = { store: new GovernorClient(), runs: new PipelineRunsClient(), announce, now: () => new Date() };

/** Who asked, as AWS knows them: what an event says about itself would let anybody start a run in another person's name and approve it. */
const starterOf = async (event: CauseEvent): Promise<{ readonly startedBy?: string }> => {
  if (event['detail-type'] !== EVENTS.retrainRequested || !event.detail.proof) return {};
  const { proof, ...request } = event.detail;
  try {
    return { startedBy: await proofs.callerOf(proof, REQUEST_TEXT(request)) };
  } catch (error) {
    if (!(error instanceof NamedError) || error.name !== NOT_PROVEN) throw error;
    logger.warn('the signature of a request does not hold: its run counts as started by nobody', { model: request.model });
    return {};
  }
};

/** What the governor answers; nobody waits for it but tests and people who invoke it. */
export interface GovernAnswer {
  readonly decision?: DecisionRecord['decision'];
  readonly runId?: string;
}

/** One event that may be a cause to retrain: decides and acts. Fails on what it cannot read, so that the event ends in the dead letters. */
export const handler = async (input: unknown): Promise<GovernAnswer> => {
  const event = causeEvent.parse(input);
  const { platform, model } = event.detail;
  if (platform !== requireEnv(COMMON_ENV.platform)) throw new NamedError('UnknownPlatform', `the event is for platform ${platform}`);
  const policies = requireJsonEnv<Record<string, GovernorPolicy>>(RETRAINING_ENV.policies);
  const policy = Object.hasOwn(policies, model) ? policies[model] : undefined;
  if (!policy) throw new NamedError('UnknownModel', `no model ${model} is governed by platform ${platform}`);
  if (!isCause(event, policy)) return {};
  const wanted = { ...toCause(event, ports.now()), ...(await starterOf(event)) };
  const { decision, cause, runId } = await handleCause(ports, { platform, model, policy }, wanted);
  logger.info('decided', { model, decision, causeId: cause.causeId, rule: ruleOf(cause), runId });
  return { decision, runId };
};
