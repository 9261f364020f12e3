import type { Decision, GovernorPolicy, RetrainCause } from '../../lib/retraining/contract';
import { shortTime } from '../common/short-time';

/** The run that holds the model's only place. */
export interface Lock {
  readonly runId: string;
  readonly executionArn: string;
  readonly causeId: string;
  /** Kind and key of the cause; a rejected candidate cools down only this rule. */
  readonly rule: string;
  readonly occurredAt: string;
  readonly acquiredAt: string;
  readonly leaseUntil: string;
}

export interface Pause {
  readonly by: string;
  readonly reason: string;
  readonly at: string;
}

/** What the governor remembers of one model; `revision` grows with every write. */
export interface GovernorState {
  readonly model: string;
  readonly revision: number;
  readonly lock?: Lock;
  readonly paused?: Pause;
  /** Event time of the cause of the newest promoted run. */
  readonly promotedCause?: string;
  /** By rule: event time of the newest cause whose candidate was rejected. */
  readonly rejectedCauses: Readonly<Record<string, string>>;
}

/** How a run ended, as far as the governor cares; a rollback and a rebuild are no retraining and change none of its marks. */
export type Outcome = 'promoted' | 'rejected' | 'failed' | 'rolled-back' | 'rebuilt';

export type Verdict =
  | { readonly decision: Exclude<Decision, 'duplicate'>; readonly runId?: string; readonly reason: string }
  /** The lease ran out: whether the run still lives must be looked up before anything can be decided. */
  | { readonly decision: 'look-up-holder'; readonly lock: Lock };

export const ruleOf = (cause: Pick<RetrainCause, 'kind' | 'key'>): string => `${cause.kind}#${cause.key}`;

/** Name of the run and of its execution, at most 58 characters: the same cause always gives the same name. */
export const runIdOf = (model: string, cause: Pick<RetrainCause, 'causeId' | 'occurredAt'>): string =>
  `${model}-${new Date(cause.occurredAt).toISOString().replace(/[-:]|\.\d+/g, '')}-${cause.causeId.slice(0, 8)}`;

const later = (one: string | undefined, other: string): string => (one !== undefined && one > other ? one : other);

const coolingDown = (state: GovernorState, cause: RetrainCause, policy: GovernorPolicy): string | undefined => {
  // A person who asks has looked; a schedule, a drift or a bound has not.
  if (cause.kind === 'manual') return undefined;
  const marks = [
    { mark: state.promotedCause, what: 'the last promoted run' },
    { mark: state.rejectedCauses[ruleOf(cause)], what: `the last run for ${ruleOf(cause)}, whose candidate was rejected,` },
  ];
  for (const { mark, what } of marks) {
    if (mark === undefined) continue;
    const end = new Date(Date.parse(mark) + policy.cooldownSeconds * 1000);
    if (Date.parse(cause.occurredAt) < end.getTime()) {
      const until = shortTime(end.toISOString());
      return `cooldown until ${until}, since ${what} had its cause at ${shortTime(mark)}; this one is of ${shortTime(cause.occurredAt)}`;
    }
  }
  return undefined;
};

/** One cause, one decision. Pure: the caller stores it, and stores nothing else than it says. */
export const decide = (state: GovernorState, cause: RetrainCause, policy: GovernorPolicy, now: Date): Verdict => {
  const { lock, paused } = state;
  if (paused) return { decision: 'refused-paused', reason: `paused by ${paused.by} at ${shortTime(paused.at)}: ${paused.reason}` };
  if (lock) {
    if (Date.parse(lock.leaseUntil) <= now.getTime()) return { decision: 'look-up-holder', lock };
    if (cause.overrides) {
      const why = `run ${lock.runId} is under way, and what this request asks for otherwise would be lost in it: ask again when it has ended`;
      return { decision: 'refused-running', runId: lock.runId, reason: why };
    }
    return { decision: 'coalesced', runId: lock.runId, reason: `run ${lock.runId} is under way; the cause is attached to it` };
  }
  const cooldown = coolingDown(state, cause, policy);
  if (cooldown !== undefined) return { decision: 'refused-cooldown', reason: cooldown };
  return { decision: 'started', runId: runIdOf(state.model, cause), reason: 'nothing is running, paused or cooling down' };
};

export const acquire = (state: GovernorState, cause: RetrainCause, policy: GovernorPolicy, runId: string, now: Date): GovernorState => ({
  ...state,
  lock: {
    runId,
    executionArn: executionArnOf(policy.stateMachineArn, runId),
    causeId: cause.causeId,
    rule: ruleOf(cause),
    occurredAt: cause.occurredAt,
    acquiredAt: now.toISOString(),
    leaseUntil: leaseFrom(policy, now),
  },
});

/** What a run that is redriven was first started for. */
export interface RunOfCause {
  readonly runId: string;
  readonly executionArn: string;
  readonly causeId: string;
  readonly rule: string;
  readonly occurredAt: string;
}

/** The place for a run that goes on by a redrive; the same state where another run holds it, or the run itself does already for long enough. */
export const retake = (state: GovernorState, run: RunOfCause, leaseSeconds: number, now: Date): GovernorState => {
  if (state.lock && state.lock.runId !== run.runId) return state;
  const leaseUntil = new Date(now.getTime() + leaseSeconds * 1000).toISOString();
  if (state.lock && state.lock.leaseUntil >= leaseUntil) return state;
  return { ...state, lock: { ...run, acquiredAt: state.lock?.acquiredAt ?? now.toISOString(), leaseUntil } };
};

export const renew = (state: GovernorState, policy: GovernorPolicy, now: Date): GovernorState =>
  state.lock ? { ...state, lock: { ...state.lock, leaseUntil: leaseFrom(policy, now) } } : state;

/**
 * What a run that ended changes: its lock goes, and its outcome decides which cooldown begins. A failed run begins none. A
 * rollback ends none either: the cooldown of the promotion that it takes back goes on, so that the same cause does not lead to the same version.
 */
export const settle = (state: GovernorState, ended: { runId: string; outcome: Outcome; occurredAt: string; rule?: string }): GovernorState => {
  const lock = state.lock?.runId === ended.runId ? undefined : state.lock;
  const promotedCause = ended.outcome === 'promoted' ? later(state.promotedCause, ended.occurredAt) : state.promotedCause;
  const rejectedCauses =
    ended.outcome === 'rejected' && ended.rule !== undefined
      ? { ...state.rejectedCauses, [ended.rule]: later(state.rejectedCauses[ended.rule], ended.occurredAt) }
      : state.rejectedCauses;
  return { ...state, lock, promotedCause, rejectedCauses };
};

const leaseFrom = (policy: GovernorPolicy, now: Date): string => new Date(now.getTime() + policy.leaseSeconds * 1000).toISOString();

export const executionArnOf = (stateMachineArn: string, name: string): string =>
  `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
