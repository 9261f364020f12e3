import { COMMON_ENV } from '../../lib/common/contract';
import type { GovernorPolicy } from '../../lib/retraining/contract';
import { requireEnv } from '../common/env';
import { type GovernorState, type Lock, type Outcome, retake, type RunOfCause, ruleOf, settle } from './governor';
import type { Claim, GovernorClient } from './governor.client';
import { isUnderWay } from './handle-cause';
import { isUngoverned, readInput, readOutcome } from './outcome';
import type { PipelineRuns } from './runs.client';

export interface RunStatusPorts {
  readonly store: Pick<GovernorClient, 'update' | 'findClaim' | 'addDecision'>;
  readonly runs: Pick<PipelineRuns, 'find'>;
}

/** A status event of an execution; input and output where the event had room for them. */
export interface RunStatusChange {
  readonly executionArn: string;
  /** Name of the execution. */
  readonly runId: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'RUNNING';
  readonly input?: string;
  readonly output?: string;
}

/** A run that no cause is on record for, e.g. one that was started by hand. */
const UNKNOWN_RULE = 'manual#redrive';

/** What became of the lock: not one of this governor's runs, the run runs again or no longer, it has the lock, or another run has. */
export type LockFate = 'no-run' | 'outdated' | 'held' | 'held-by-another';

/** A run that ended: gives the lock back and begins the cooldown that its outcome asks for. */
export const runEnded = async ({ store, runs }: RunStatusPorts, change: RunStatusChange): Promise<Outcome | 'no-run' | 'outdated'> => {
  const found = await runs.find(change.executionArn);
  // The event is of an end that a redrive has taken back: the lock is the run's again.
  if (found && isUnderWay(found)) return 'outdated';
  const output = change.output ?? found?.output;
  const run = readInput(change.input ?? found?.input);
  if (!run) return 'no-run';
  const outcome = readOutcome(change.status, output);
  const claim = await store.findClaim(run.model, run.causeId);
  const rule = claim && ruleOf(claim.record.cause);
  const end = { runId: change.runId, outcome, occurredAt: new Date(run.occurredAt).toISOString(), rule };
  await store.update(run.model, (state) => unlessSame(state, settle(state, end)));
  return outcome;
};

/** A run that goes on by a redrive, whoever asked for it. Where another run has the lock meanwhile both go on, and the decisions say so. */
export const runRedriven = async (
  { store, runs }: RunStatusPorts,
  policies: Readonly<Record<string, GovernorPolicy>>,
  change: RunStatusChange & { readonly at: string },
): Promise<LockFate> => {
  const { executionArn, runId } = change;
  const found = await runs.find(executionArn);
  const run = readInput(change.input ?? found?.input);
  const policy = run && Object.hasOwn(policies, run.model) ? policies[run.model] : undefined;
  if (!run || !policy || isUngoverned(run)) return 'no-run';
  if (!found || !isUnderWay(found)) return 'outdated';
  const { model } = run;
  const { lock, claim } = await takePlace(store, run, { runId, executionArn }, policy.leaseSeconds);
  if (lock?.runId === runId || !lock) return 'held';
  if (claim) {
    const occurredAt = new Date(run.occurredAt).toISOString();
    const reason = `run ${runId} was redriven without the lock, which run ${lock.runId} has: it is judged against what serves before its release`;
    const { cause } = claim.record;
    const about = { platform: requireEnv(COMMON_ENV.platform), model, occurredAt, at: change.at };
    await store.addDecision({ ...about, decision: 'refused-running', cause, runId: lock.runId, reason });
  }
  return 'held-by-another';
};

/** Takes the place of a model for a run that goes on, unless another run has it; answers who has it now, and the cause of the run. */
export const takePlace = async (
  store: Pick<GovernorClient, 'update' | 'findClaim'>,
  run: { readonly model: string; readonly causeId: string; readonly occurredAt: string },
  names: { readonly runId: string; readonly executionArn: string },
  leaseSeconds: number,
): Promise<{ readonly lock?: Lock; readonly claim?: Claim }> => {
  const { model, causeId } = run;
  const claim = await store.findClaim(model, causeId);
  const rule = claim ? ruleOf(claim.record.cause) : UNKNOWN_RULE;
  const again: RunOfCause = { ...names, causeId, rule, occurredAt: new Date(run.occurredAt).toISOString() };
  const now = new Date();
  const { lock } = await store.update(model, (state) => unlessSame(state, retake(state, again, leaseSeconds, now)));
  return { lock, claim };
};

const unlessSame = (state: GovernorState, next: GovernorState): GovernorState =>
  JSON.stringify(next) === JSON.stringify(state) ? state : next;
