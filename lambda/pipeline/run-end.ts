import { METRICS } from '../../lib/operations/contract';
import { PIPELINE_ERRORS, type PipelineInput } from '../../lib/pipeline/contract';
import { EVENTS } from '../../lib/retraining/contract';
import { VARIANT_NAME } from '../../lib/serving/contract';
import type { LogPlace, RunRecord } from '../../lib/tracking/contract';
import type { Events } from '../common/events.client';
import { publishMetrics } from '../common/metrics';
import type { RunTrackerClient } from '../tracking/run-tracker.client';
import type { BillsClient } from './bills.client';
import { accountOf, type ExecutionAccount } from './execution-steps';
import type { ExecutionsClient } from './executions.client';
import { type Failure, failureOf } from './failed-step';
import { valueAt } from './job-facts';
import { executionHash, prefixOf, redriveOf } from './job-names';
import type { FoundJob, JobsClient } from './jobs.client';
import { logsOfEndpoint, logsOfJob, withUrl } from './log-place';
import { billOf, type RunBill } from './run-bill';
import { stepNameOf } from './step-of-state';

export interface StatusChange {
  readonly executionArn: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'RUNNING';
  readonly redriveCount: number;
  /** ISO 8601 */
  readonly time: string;
}

/** What a run has left unfinished when it ended badly. */
export interface Leftovers {
  readonly executionArn: string;
  readonly model: string;
  readonly runId: string;
  /** Endpoint that the run had begun to release to. */
  readonly endpointName?: string;
  readonly since: Date;
  /** Whether the release was still being asked for. */
  readonly mayStillCome: boolean;
  readonly reason: string;
}

export interface Clients {
  readonly runs: Pick<RunTrackerClient, 'startRun' | 'failRun' | 'reopenRun' | 'recordStep' | 'recordBill' | 'getRun'>;
  readonly executions: Pick<ExecutionsClient, 'describe' | 'newestEvents' | 'events'>;
  readonly jobs: Pick<JobsClient, 'stopRunning'>;
  readonly bills: Pick<BillsClient, 'ask'>;
  readonly events: Pick<Events, 'putEvent'>;
  /** Closes what nobody will go on with; done last, since it may have to wait. */
  readonly tidy: (leftovers: Leftovers) => Promise<void>;
}

/**
 * Records what the steps of a run did, how it ended badly, and that it goes on. Nothing that a redrive needs is deleted, and the same change twice
 * is recorded once.
 */
export class RunEnd {
  constructor(
    private readonly clients: Clients,
    private readonly platform: string,
  ) {}

  async handle(change: StatusChange): Promise<Failure | undefined> {
    if (change.status === 'RUNNING') {
      if (change.redriveCount > 0) await this.reopen(change);
      return undefined;
    }
    if (change.status === 'SUCCEEDED') {
      await this.recordSteps(change.executionArn);
      return undefined;
    }
    return this.fail(change);
  }

  /** From the execution's own history: the times are the state machine's, and no step is left out, whoever did it. */
  private async recordSteps(executionArn: string): Promise<void> {
    const { runId } = inputOf(await this.clients.executions.describe(executionArn));
    if (!runId) return;
    const account = await accountOf(this.clients.executions.events(executionArn));
    await this.putSteps(await this.clients.runs.getRun(runId), account);
  }

  private async putSteps({ runId, steps: recorded, prices }: RunRecord, account: ExecutionAccount): Promise<RunBill> {
    const bill = await billOf(account, prices, (job) => this.clients.bills.ask(job));
    for (const step of bill.steps) {
      const known = recorded.find(({ name }) => name === step.name);
      // The first step knows more of itself than the state machine does, unless it never came to an end.
      if (step.name === 'prepare-data' && step.status === 'FINISHED' && known?.status === 'FINISHED') continue;
      const logs = step.logs ?? known?.logs;
      const outputs = step.status === 'FINISHED' ? { ...known?.outputs, ...step.outputs } : step.outputs;
      await this.clients.runs.recordStep(runId, { ...step, outputs, ...(logs && { logs }) });
    }
    await this.clients.runs.recordBill(runId, bill);
    return bill;
  }

  private async fail(change: StatusChange): Promise<Failure | undefined> {
    const { executionArn } = change;
    const { runs, executions } = this.clients;
    const execution = await executions.describe(executionArn);
    // Redriven since: how that ends will be told by an event of its own.
    if (execution.status === 'RUNNING' || execution.status === 'SUCCEEDED') return undefined;
    const failure = withStatus(failureOf(await executions.newestEvents(executionArn), execution), change.status);
    // A redrive that begins this moment has jobs of its own, whose names say so.
    const account = await accountOf(executions.events(executionArn));
    const stopped = await this.clients.jobs.stopRunning(
      account.kinds,
      executionHash(executionArn),
      (name) => (redriveOf(name, executionArn) ?? 0) <= change.redriveCount,
    );

    const { model, runId, causeId = '', cause = '', startedBy, rebuildOf } = inputOf(execution);
    if (!model || !runId) throw new Error(`execution ${executionArn} has no model and runId in its input: it was not started as a run`);
    const since = execution.startDate ?? new Date(change.time);
    // A run can fail before its first step has opened it.
    const run = await runs.startRun({ runId, model, executionArn, causeId, cause, startedBy, startTime: since.toISOString() });
    const isOpen = run.status === 'RUNNING' || (isBefore(run.endTime, execution.redriveDate) && (await runs.reopenRun(runId)));
    const release = account.steps.find(({ name }) => name === 'release');
    const endpointName = release && endpointOf(account);
    const isNew = isOpen && (await this.record(change, failure, { runId, model, rebuildOf }, account, stopped));
    await this.clients.tidy({
      ...{ executionArn, model, runId, endpointName, since, reason: `the run ended: ${failure.error}` },
      mayStillCome: release !== undefined && valueAt(account.data, 'release') === undefined,
    });
    return isNew ? failure : undefined;
  }

  /** Answers whether this change was the first to tell of the run's end. */
  private async record(
    change: StatusChange,
    failure: Failure,
    { runId, model, rebuildOf }: { readonly runId: string; readonly model: string; readonly rebuildOf?: number },
    account: ExecutionAccount,
    stopped: readonly FoundJob[],
  ): Promise<boolean> {
    const { executionArn } = change;
    const run = await this.clients.runs.getRun(runId);
    const { billed, costUsd } = await this.putSteps(run, account);
    const { step, error: name, message, exitCode } = failure;
    const job = failure.job ?? stopped[0];
    const place = placeOf(failure, job, account, run.steps, change.time);
    const logs = place && withUrl(place, executionArn);
    const detail = { platform: this.platform, model, occurredAt: change.time, runId, executionArn, step, error: name, message };
    const ways = { ...(logs?.url !== undefined && { logsUrl: logs.url }), resume: `mlops runs resume ${runId}` };
    const spent = { ...(billed.length > 0 && { billed }), ...(costUsd !== undefined && { costUsd }) };
    // Told before it is recorded: a second try then tells it twice rather than never.
    // Whoever asked for a rebuild waits for it; nobody else has to hear of it.
    if (rebuildOf === undefined) await this.clients.events.putEvent(EVENTS.pipelineFailed, { ...detail, ...spent, ...ways });
    const about = { ...(exitCode !== undefined && { exitCode }), ...(job && { job: job.name }), ...(logs && { logs }) };
    const isNew = await this.clients.runs.failRun(runId, { step, name, message, ...about }, change.status === 'ABORTED' ? 'KILLED' : 'FAILED');
    if (isNew && rebuildOf === undefined) publishMetrics(model, { [METRICS.pipelineFailed]: 1 });
    return isNew;
  }

  private async reopen({ executionArn }: StatusChange): Promise<void> {
    const { runs, executions } = this.clients;
    const execution = await executions.describe(executionArn);
    const { runId } = inputOf(execution);
    // The event may come late, after the redrive has failed as well.
    if (execution.status !== 'RUNNING' || !runId) return;
    if (!(await runs.reopenRun(runId))) return;
    const { steps } = await accountOf(executions.events(executionArn));
    for (const step of steps) if (step.status === 'RUNNING') await runs.recordStep(runId, step);
  }
}

const inputOf = ({ input }: { readonly input?: string }): Partial<PipelineInput> => JSON.parse(input ?? '{}') as Partial<PipelineInput>;

/** What ended before a redrive began is another end than that of the redrive, whose beginning nobody has told yet. */
const isBefore = (endTime: string | undefined, redriveDate: Date | undefined): boolean =>
  endTime !== undefined && redriveDate !== undefined && Date.parse(endTime) < redriveDate.getTime();

/** All names of a run begin with the endpoint's. */
const endpointOf = ({ data }: ExecutionAccount): string | undefined => {
  const base = valueAt(data as Record<string, unknown>, 'prepared.jobNameBase');
  return typeof base === 'string' ? prefixOf(base) : undefined;
};

/** Where the lines are that say why. */
const placeOf = (
  failure: Failure,
  job: FoundJob | undefined,
  account: ExecutionAccount,
  recorded: RunRecord['steps'],
  time: string,
): LogPlace | undefined => {
  if (job) return logsOfJob(job);
  const step = stepNameOf(failure.step);
  const endpoint = step === 'release' && failure.error === PIPELINE_ERRORS.releaseFailed ? endpointOf(account) : undefined;
  if (endpoint !== undefined) return logsOfEndpoint(endpoint, VARIANT_NAME);
  const own = recorded.find(({ name }) => name === step)?.logs;
  if (own) return own;
  // A function that a user brought logs where Lambda puts it; the platform's own have told where they log.
  const name = step === failure.step ? failure.function?.split(':')[6] : undefined;
  return name === undefined ? undefined : { group: `/aws/lambda/${name}`, stream: `${time.slice(0, 10).replaceAll('-', '/')}/` };
};

/** Timeouts and aborts of the execution itself carry no error of a state. */
const withStatus = (failure: Failure, status: StatusChange['status']): Failure => {
  if (status === 'ABORTED' && failure.error === 'Unknown') return { ...failure, error: 'Aborted', message: 'somebody stopped the execution' };
  if (status === 'TIMED_OUT') return { ...failure, error: 'States.Timeout', message: 'the execution took longer than the pipeline allows' };
  return failure;
};
