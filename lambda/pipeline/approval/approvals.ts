import { APPROVAL_ERRORS, ApprovalAnswer, ApprovalOutcome, ApprovalRequest, PendingApproval } from '../../../lib/pipeline/approval/contract';
import { PIPELINE_ERRORS } from '../../../lib/pipeline/contract';
import { ModelVersion, REGISTRY_ERRORS } from '../../../lib/registry/contract';
import { EVENTS, type ApprovalRequestedDetail, type EventDetail } from '../../../lib/retraining/contract';
import type { RunStep } from '../../../lib/tracking/contract';
import { NamedError } from '../../common/errors';
import type { ModelRegistryClient } from '../../registry/model-registry.client';
import type { ApprovalsClient } from './approvals.client';
import { askedAgain, isApprover, Question, questionOf, QuestionStatus } from './question';
import type { WaitingRunClient } from './waiting-run.client';

export interface ApprovalPorts {
  readonly platform: string;
  readonly store: Pick<ApprovalsClient, 'find' | 'latest' | 'open' | 'write'>;
  readonly registry: Pick<ModelRegistryClient, 'askApproval' | 'getVersion' | 'transition'>;
  readonly runs: Pick<WaitingRunClient, 'isRunning' | 'succeed' | 'fail'>;
  readonly announce: <T extends EventDetail>(type: string, detail: T) => Promise<void>;
  /** Puts the step on the run's record. */
  readonly record: (runId: string, step: RunStep) => Promise<void>;
  readonly now: () => Date;
}

export interface Verdict {
  readonly model: string;
  readonly version: number;
  readonly question: string;
  readonly decision: 'approve' | 'reject';
  readonly reason: string;
  /** Session ARN, as AWS told it. */
  readonly caller: string;
}

/** Who rejects what nobody decided about. */
const EXPIRY = 'policy:approval-expired';
const ATTEMPTS = 10;

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;
const called = ({ model, version }: { model: string; version: number }): string => `${model} v${version}`;

interface Ending {
  readonly status: Exclude<QuestionStatus, 'waiting'>;
  readonly by: readonly string[];
  readonly reason: string;
}

/**
 * Approval by persons. The registry's state of the version is the decision; the question in the table only says who waits for it. What follows
 * from a decision (the run is told, the event is put, the question is closed, in this order) can be repeated, by a retry or by the sweep.
 */
export class Approvals {
  constructor(private readonly ports: ApprovalPorts) {}

  /**
   * Asks, or asks again with the token that the run waits with now. What was refused already fails the step; a run whose version was approved
   * already gets its answer with the next sweep.
   */
  async request(input: ApprovalRequest): Promise<Question> {
    const { registry, announce, platform } = this.ports;
    const wanted = questionOf(input);
    const { model, version, round, startedBy } = wanted;
    const change = { actor: 'pipeline', reason: wanted.reason, evidenceUri: wanted.reportUri };
    const asked = await registry.askApproval(model, version, { round, startedBy }, change);
    const question = await this.open(wanted);
    await this.record(question, { status: 'RUNNING' });
    if (asked.state !== 'PendingApproval') return this.answered(question, asked);
    if (question.announcedAt !== undefined) return question;
    await announce(EVENTS.approvalRequested, this.requestedDetail(platform, question, false));
    return this.update(question, { announcedAt: this.now() });
  }

  /** What a person decides. Refused where nobody is asked, time is over, nobody waits, or a rule of the registry forbids it. */
  async decide({ model, version, question: about, decision, reason, caller }: Verdict): Promise<ApprovalOutcome> {
    const { store, registry, runs } = this.ports;
    const question = await store.latest(model, version);
    if (!question) throw notPending(`nobody is asked to approve ${called({ model, version })}`);
    const found = await registry.getVersion(model, version);
    if (!isApprover(question, caller)) {
      throw new NamedError(APPROVAL_ERRORS.notApprover, `${caller} is no session of a role that may decide about ${called(question)}`);
    }
    if (found.state !== 'PendingApproval' || question.status !== 'waiting') return this.repeated(question, found, decision, caller);
    if (question.question !== about || isOlder(question, found)) {
      throw notPending(`${called(question)} was judged once more: read the new report and decide about that`);
    }
    if (this.now() >= question.expiresAt) {
      await this.expire(question);
      throw expired(question);
    }
    if (!(await runs.isRunning(question.executionArn))) {
      await this.update(question, { status: 'withdrawn', closedAt: this.now() });
      throw notPending(`the run of ${called(question)} has ended and waits no more; \`mlops runs resume ${question.runId}\` asks again`);
    }
    const to = decision === 'approve' ? 'Approved' : 'Rejected';
    const step = { actor: caller, reason, ...stillAsked(question) };
    const decided = await this.unlessMovedOn(question, registry.transition(model, version, to, step));
    if (decided.state === 'PendingApproval') return outcome(question, 'waiting', caller, decided);
    if (decided.state !== to) return this.repeated(question, decided, decision, caller);
    await this.settle(question, decided);
    return outcome(question, decision === 'approve' ? 'approved' : 'rejected', caller, decided);
  }

  /** What waits for persons: of all models, of one, or one version. */
  async pending(model?: string, number?: number): Promise<PendingApproval[]> {
    const found: PendingApproval[] = [];
    for await (const question of this.questions(model, number)) {
      const version = await this.version(question);
      const waits = question.status === 'waiting' && this.now() < question.expiresAt;
      if (!waits || version?.state !== 'PendingApproval' || isOlder(question, version)) continue;
      const { runId, policy, cause, reason, reportUri, startedBy, requestedAt, expiresAt } = question;
      const { approvedBy = [] } = version.approval ?? {};
      const about = { model: question.model, version: question.version, question: question.question };
      found.push({ ...about, runId, policy, cause, reason, reportUri, startedBy, approvedBy, requestedAt, expiresAt });
    }
    return found;
  }

  /** Does what is due about one open question: ends it, or reminds. */
  async tend(question: Question): Promise<Question> {
    const { runs, announce, platform } = this.ports;
    const { status, expiresAt, remindAt, remindedAt, announcedAt, executionArn } = question;
    if (status !== 'waiting') return question;
    const version = await this.version(question);
    if (version?.state !== 'PendingApproval' || isOlder(question, version)) return this.settle(question, version);
    if (this.now() >= expiresAt) return this.expire(question);
    if (!(await runs.isRunning(executionArn))) return this.update(question, { status: 'withdrawn', closedAt: this.now() });
    if (announcedAt === undefined || remindAt === undefined || remindedAt !== undefined || this.now() < remindAt) return question;
    await announce(EVENTS.approvalRequested, this.requestedDetail(platform, question, true));
    return this.update(question, { remindedAt: this.now() });
  }

  private async *questions(model?: string, version?: number): AsyncGenerator<Question> {
    const { store } = this.ports;
    if (model === undefined || version === undefined) {
      for await (const question of store.open()) if (model === undefined || question.model === model) yield question;
      return;
    }
    const question = await store.latest(model, version);
    if (question) yield question;
  }

  /** The function that asks may not answer runs: its own failure is the answer to those that go no further. */
  private async answered(question: Question, version: ModelVersion): Promise<Question> {
    const { status, reason } = endingOf(question, version);
    if (status === 'approved') return question;
    await this.update(question, { status, closedAt: this.now() });
    throw new NamedError(status === 'expired' ? PIPELINE_ERRORS.approvalExpired : PIPELINE_ERRORS.approvalRejected, reason);
  }

  /** The question as it stands in the table, waiting with the token that the run waits with now. One that had ended is asked anew. */
  private async open(wanted: Question): Promise<Question> {
    const { store } = this.ports;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const found = await store.find(wanted.model, wanted.version, wanted.round);
      const { taskToken, revision } = wanted;
      if (found?.status === 'waiting' && found.taskToken === taskToken) return found;
      const again = found && { ...askedAgain(wanted, this.ports.now()), revision: found.revision };
      const written = await store.write(found?.status === 'waiting' ? { ...found, taskToken } : again ?? { ...wanted, revision });
      if (written) return written;
    }
    throw new NamedError('ApprovalContention', `the question about ${called(wanted)} kept changing`);
  }

  /** Nobody decided in time: the version is rejected, unless somebody did in the last moment. */
  private async expire(question: Question): Promise<Question> {
    const { model, version, expiresAt } = question;
    const step = { actor: EXPIRY, reason: `expired: nobody decided by ${expiresAt}`, ...stillAsked(question) };
    return this.settle(question, await this.unlessMovedOn(question, this.ports.registry.transition(model, version, 'Rejected', step)));
  }

  /** The answer of a step, or the version as somebody else left it meanwhile. */
  private async unlessMovedOn({ model, version }: Question, step: Promise<ModelVersion>): Promise<ModelVersion> {
    try {
      return await step;
    } catch (error) {
      if (!isNamed(error, REGISTRY_ERRORS.illegalTransition)) throw error;
      return this.ports.registry.getVersion(model, version);
    }
  }

  /** Everything that follows from the state of the version. */
  private async settle(question: Question, version: ModelVersion | undefined): Promise<Question> {
    const { runs, announce, platform } = this.ports;
    const { model, runId, taskToken, status } = question;
    if (status !== 'waiting') return question;
    const { status: ended, by, reason } = endingOf(question, version);
    if (ended === 'approved') {
      const answer: ApprovalAnswer = { version: question.version, approvedBy: by };
      await runs.succeed(taskToken, answer);
    } else if (ended !== 'withdrawn') {
      await runs.fail(taskToken, ended === 'expired' ? PIPELINE_ERRORS.approvalExpired : PIPELINE_ERRORS.approvalRejected, reason);
    }
    if (ended !== 'withdrawn') {
      const about = { platform, model, occurredAt: this.now(), version: question.version, runId };
      await announce(EVENTS.approvalDecided, { ...about, decision: ended, by, reason });
    }
    await this.record(question, ended === 'approved' ? { status: 'FINISHED' } : { status: 'FAILED', error: reason });
    return this.update(question, { status: ended, closedAt: this.now() });
  }

  /** What a run's record says of it changes nothing about it: the history of the execution is taken over when the run ends. */
  private async record(question: Question, outcome: Pick<RunStep, 'status' | 'error'>): Promise<void> {
    const { version, runId, reportUri, requestedAt } = question;
    const inputs = { version: String(version), report: reportUri };
    const end = outcome.status === 'RUNNING' ? {} : { endTime: this.now() };
    const step = { name: 'approve', startTime: requestedAt, inputs, ...outcome, ...end };
    await this.ports.record(runId, step).catch(() => undefined);
  }

  /** A decision on what is decided: the same by the same person is told again, another is refused. */
  private async repeated(question: Question, version: ModelVersion, decision: Verdict['decision'], caller: string): Promise<ApprovalOutcome> {
    const settled = version.state === 'PendingApproval' ? question : await this.settle(question, version);
    const { status, by, reason } = settled.status === 'withdrawn' ? { ...NOBODY, status: settled.status } : endingOf(question, version);
    const wanted = decision === 'approve' ? 'approved' : 'rejected';
    if (status === wanted && by.includes(caller)) return outcome(question, wanted, caller, version);
    if (status === 'expired') throw expired(question);
    const what = status === 'withdrawn' ? 'waits no more: its run has ended' : `was ${status} by ${by.join(' and ')}: ${reason}`;
    throw notPending(`${called(question)} ${what}`);
  }

  private async version({ model, version }: Question): Promise<ModelVersion | undefined> {
    try {
      return await this.ports.registry.getVersion(model, version);
    } catch (error) {
      if (isNamed(error, REGISTRY_ERRORS.notFound)) return undefined;
      throw error;
    }
  }

  /** Writes a change of the question; one that somebody else has changed meanwhile is left to them, or to the next sweep. */
  private async update(question: Question, change: Partial<Question>): Promise<Question> {
    return (await this.ports.store.write({ ...question, ...change })) ?? question;
  }

  private requestedDetail(platform: string, question: Question, reminder: boolean): ApprovalRequestedDetail {
    const { model, version, runId, policy, reportUri, reason, expiresAt } = question;
    return { platform, model, occurredAt: this.now(), version, runId, policy, reportUri, reason, expiresAt, reminder };
  }

  private now(): string {
    return this.ports.now().toISOString();
  }
}

const NOBODY = { by: [], reason: '' };

const expired = (question: Question): NamedError =>
  new NamedError(PIPELINE_ERRORS.approvalExpired, `the approval of ${called(question)} expired at ${question.expiresAt}`);

const notPending = (message: string): NamedError => new NamedError(APPROVAL_ERRORS.notPending, message);

/** A step on this question's report, and on nothing that came after it. */
const stillAsked = ({ reportUri, round }: Question) => ({ evidenceUri: reportUri, expectedState: 'PendingApproval', expectedRound: round }) as const;

const isOlder = ({ round }: Question, { approval }: ModelVersion): boolean => approval !== undefined && approval.round > round;

/** How a question ended, as the registry tells it. */
const endingOf = (question: Question, version: ModelVersion | undefined): Ending => {
  if (!version) return { status: 'rejected', by: [], reason: `${called(question)} was deleted` };
  if (isOlder(question, version)) return { status: 'withdrawn', by: [], reason: '' };
  const { approvedBy = [], decided = { by: '', reason: `it is ${version.state}` } } = version.approval ?? {};
  if (version.state === 'Approved' || version.state === 'Production') return { status: 'approved', by: approvedBy, reason: decided.reason };
  const { by, reason } = decided;
  return { status: by === EXPIRY ? 'expired' : 'rejected', by: by === '' ? [] : [by], reason };
};

const outcome = (question: Question, what: ApprovalOutcome['outcome'], by: string, { approval }: ModelVersion): ApprovalOutcome => ({
  model: question.model,
  version: question.version,
  outcome: what,
  by,
  approvedBy: approval?.approvedBy ?? [],
});
