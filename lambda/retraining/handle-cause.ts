import type { DecisionRecord, GovernorPolicy, RetrainCause } from '../../lib/retraining/contract';
import { NamedError } from '../common/errors';
import { acquire, decide, executionArnOf, renew, ruleOf, runIdOf, settle, type GovernorState, type Lock } from './governor';
import { backOff, type GovernorStore } from './governor.client';
import { readOutcome } from './outcome';
import type { Execution, PipelineRuns } from './runs.client';

export interface GovernorPorts {
  readonly store: GovernorStore;
  readonly runs: PipelineRuns;
  readonly announce: (record: DecisionRecord) => Promise<void>;
  readonly now: () => Date;
}

export interface GovernedModel {
  readonly platform: string;
  readonly model: string;
  readonly policy: GovernorPolicy;
}

const ATTEMPTS = 10;

/**
 * Takes one cause to its decision and everything that follows from it: claim (with the lock), execution, decision, event. Each step can be
 * repeated, and a retry of the event goes on after the last step that was done.
 */
export const handleCause = async (ports: GovernorPorts, governed: GovernedModel, cause: RetrainCause): Promise<DecisionRecord> => {
  const { store, now } = ports;
  const { platform, model, policy } = governed;
  const recordOf = (verdict: Pick<DecisionRecord, 'decision' | 'runId' | 'reason'>, of = cause): DecisionRecord => ({
    platform,
    model,
    occurredAt: of.occurredAt,
    cause: of,
    at: now().toISOString(),
    ...verdict,
  });

  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const claim = await store.findClaim(model, cause.causeId);
    if (claim?.announced) {
      const { decision, runId, at } = claim.record;
      const duplicate = recordOf({ decision: 'duplicate', runId, reason: `the same cause was decided at ${at}: ${decision}` }, claim.record.cause);
      await store.addDecision(duplicate);
      await ports.announce(duplicate);
      return duplicate;
    }
    const state = await store.state(model);
    if (claim) {
      if (await isGood(ports, governed, state, claim.record)) return finish(ports, governed, claim.record);
      await store.forget(claim.record);
      continue;
    }
    const verdict = decide(state, cause, policy, now());
    if (verdict.decision === 'look-up-holder') {
      await lookUpHolder(ports, governed, state, verdict.lock);
      continue;
    }
    const isHeldUp = verdict.decision === 'coalesced' || verdict.decision === 'refused-running';
    if (isHeldUp && state.lock && (await settleEnded(ports, state, state.lock))) continue;
    const record = recordOf(verdict);
    const next = verdict.decision === 'started' ? acquire(state, cause, policy, runIdOf(model, cause), now()) : state;
    if (await store.claim(next, record)) return finish(ports, governed, record);
    await backOff();
  }
  throw new NamedError('GovernorContention', `no decision on ${ruleOf(cause)} of ${model} in ${ATTEMPTS} attempts: the state kept changing`);
};

/** A claim to a start holds while its lock does, or once its execution exists; a late retry must not start beside the run that followed. */
const isGood = async ({ runs }: GovernorPorts, { policy }: GovernedModel, state: GovernorState, record: DecisionRecord): Promise<boolean> => {
  if (record.decision !== 'started' || state.lock?.causeId === record.cause.causeId) return true;
  return (await runs.find(executionArnOf(policy.stateMachineArn, runIdOf(record.model, record.cause)))) !== undefined;
};

const finish = async ({ store, runs, announce }: GovernorPorts, { policy }: GovernedModel, record: DecisionRecord): Promise<DecisionRecord> => {
  const { model, cause, decision, runId } = record;
  if (decision === 'started' && runId !== undefined) {
    const { causeId, summary, occurredAt, startedBy, overrides } = cause;
    const asked = { ...(startedBy !== undefined && { startedBy }), ...(overrides && { overrides }) };
    await runs.start(policy.stateMachineArn, { model, runId, causeId, cause: summary, occurredAt, ...asked });
  }
  await store.addDecision(record);
  await announce(record);
  await store.markAnnounced(record);
  return record;
};

export const isUnderWay = ({ status }: Execution): boolean => status === 'RUNNING' || status === 'PENDING_REDRIVE';

const settled = (state: GovernorState, { runId, occurredAt, rule }: Lock, holder?: Execution): GovernorState =>
  settle(state, { runId, occurredAt, rule, outcome: holder ? readOutcome(holder.status, holder.output) : 'failed' });

/** A run that has ended, whose event is still under way, must not take a cause with it. One that is not to be found yet is about to start. */
const settleEnded = async ({ store, runs }: GovernorPorts, state: GovernorState, lock: Lock): Promise<boolean> => {
  const holder = await runs.find(lock.executionArn);
  if (!holder || isUnderWay(holder)) return false;
  await store.replace(settled(state, lock, holder));
  return true;
};

/** The lease only guards against a lost status event: what counts is the execution itself. */
const lookUpHolder = async ({ store, runs, now }: GovernorPorts, { policy }: GovernedModel, state: GovernorState, lock: Lock): Promise<void> => {
  const holder = await runs.find(lock.executionArn);
  await store.replace(holder && isUnderWay(holder) ? renew(state, policy, now()) : settled(state, lock, holder));
};
