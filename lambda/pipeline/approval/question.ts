import type { ApprovalRequest, PendingApproval } from '../../../lib/pipeline/approval/contract';

/** waiting: something is still to be done about it; the others are how it ended. withdrawn: nobody waits for an answer any more. */
export type QuestionStatus = 'waiting' | 'approved' | 'rejected' | 'expired' | 'withdrawn';

/** What persons are asked about one version in one round of judgement, and who waits for the answer. The registry has the answer itself. */
export interface Question extends Omit<PendingApproval, 'approvedBy'> {
  readonly round: number;
  readonly executionArn: string;
  readonly taskToken: string;
  readonly approverRoles?: readonly string[];
  /** Absent: nobody is reminded. */
  readonly remindAt?: string;
  readonly status: QuestionStatus;
  readonly announcedAt?: string;
  readonly remindedAt?: string;
  readonly closedAt?: string;
  /** Grows with each write; a write on top of another state than the one that was read fails. */
  readonly revision: number;
}

const later = (time: string, seconds: number): string => new Date(Date.parse(time) + seconds * 1000).toISOString();

/** The question as the state of the pipeline asks it. */
export const questionOf = (request: ApprovalRequest): Question => {
  const { model, version, runId, round, policy, cause, reason, reportUri, executionArn, taskToken, approverRoles, enteredAt } = request;
  const { expirySeconds, reminderSeconds } = request;
  const requestedAt = new Date(enteredAt).toISOString();
  return {
    model,
    version,
    question: `${runId}:${round}`,
    runId,
    round,
    policy,
    cause,
    reason,
    reportUri,
    startedBy: request.request.startedBy ?? null,
    executionArn,
    taskToken,
    approverRoles,
    requestedAt,
    expiresAt: later(requestedAt, expirySeconds),
    remindAt: reminderSeconds === undefined ? undefined : later(requestedAt, reminderSeconds),
    status: 'waiting',
    revision: 0,
  };
};

/**
 * The question asked once more, now. A redriven state need not be entered anew: without this, time would be over for a run that goes on days after it
 * was stopped.
 */
export const askedAgain = (question: Question, now: Date): Question => {
  const { requestedAt, expiresAt, remindAt } = question;
  const passed = Math.max(0, (now.getTime() - Date.parse(requestedAt)) / 1000);
  return {
    ...question,
    requestedAt: later(requestedAt, passed),
    expiresAt: later(expiresAt, passed),
    remindAt: remindAt === undefined ? undefined : later(remindAt, passed),
  };
};

/** A session's role, by account and name: the session's ARN has lost the role's path. */
const roleOf = (arn: string): string | undefined => {
  const [, , , , account, resource = ''] = arn.split(':');
  const [kind, ...path] = resource.split('/');
  if (kind === 'role') return `${account}/${path.at(-1)}`;
  return kind === 'assumed-role' ? `${account}/${path[0]}` : undefined;
};

/** Whether a session may decide where only certain roles may. */
export const isApprover = ({ approverRoles }: Question, caller: string): boolean =>
  approverRoles === undefined || approverRoles.some((role) => roleOf(role) !== undefined && roleOf(role) === roleOf(caller));
