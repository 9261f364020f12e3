import { COMMON_ENV } from '../../lib/common/contract';
import { METRICS } from '../../lib/operations/contract';
import { EVENTS, RETRAINING_ENV, type DecisionRecord, type GovernorPolicy } from '../../lib/retraining/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { Events } from '../common/events.client';
import { createLogger } from '../common/logger';
import { publishMetrics } from '../common/metrics';
import { causeEvent, isCause, toCause } from './causes';
import { ruleOf } from './governor';
import { GovernorClient } from './governor.client';
import { handleCause, type GovernorPorts } from './handle-cause';
import { PipelineRunsClient } from './runs.client';

const logger = createLogger('govern');
const events = new Events();

const announce = async (record: DecisionRecord): Promise<void> => {
  await events.putEvent(EVENTS.retrainDecided, record);
  if (record.decision === 'duplicate') return;
  publishMetrics(record.model, { [record.decision === 'started' ? METRICS.retrainStarted : METRICS.retrainHeldBack]: 1 });
};

const ports: GovernorPorts = { store: new GovernorClient(), runs: new PipelineRunsClient(), announce, now: () => new Date() };

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
  const { decision, cause, runId } = await handleCause(ports, { platform, model, policy }, toCause(event, ports.now()));
  logger.info('decided', { model, decision, causeId: cause.causeId, rule: ruleOf(cause), runId });
  return { decision, runId };
};
