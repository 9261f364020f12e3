import { METRICS } from '../../lib/operations/contract';
import type { PipelineInput } from '../../lib/pipeline/contract';
import { EVENTS } from '../../lib/retraining/contract';
import type { Events } from '../common/events.client';
import { publishMetrics } from '../common/metrics';
import type { RunTrackerClient } from '../tracking/run-tracker.client';
import { stepsOf } from './execution-steps';
import type { ExecutionsClient } from './executions.client';
import { type Failure, failureOf } from './failed-step';
import { executionHash } from './job-names';
import type { JobsClient } from './jobs.client';

export interface StatusChange {
  readonly executionArn: string;
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED' | 'RUNNING';
  readonly redriveCount: number;
  /** ISO 8601 */
  readonly time: string;
}

export interface Clients {
  readonly runs: Pick<RunTrackerClient, 'startRun' | 'failRun' | 'reopenRun' | 'recordStep'>;
  readonly executions: Pick<ExecutionsClient, 'describe' | 'newestEvents' | 'events'>;
  readonly jobs: Pick<JobsClient, 'stopRunning'>;
  readonly events: Pick<Events, 'putEvent'>;
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
    if (runId) await this.putSteps(executionArn, runId);
  }

  private async putSteps(executionArn: string, runId: string): Promise<void> {
    for (const step of await stepsOf(this.clients.executions.events(executionArn))) {
      // The first step knows more of itself than the state machine does, unless it never came to an end.
      if (step.name !== 'prepare-data' || step.status !== 'FINISHED') await this.clients.runs.recordStep(runId, step);
    }
  }

  private async fail(change: StatusChange): Promise<Failure | undefined> {
    const { executionArn } = change;
    const execution = await this.clients.executions.describe(executionArn);
    // Redriven since: how that ends will be told by an event of its own.
    if (execution.status === 'RUNNING' || execution.status === 'SUCCEEDED') return undefined;
    const failure = withStatus(failureOf(await this.clients.executions.newestEvents(executionArn), execution), change.status);
    await this.clients.jobs.stopRunning(executionHash(executionArn));

    const { model, runId, causeId = '', cause = '', rebuildOf } = inputOf(execution);
    if (!model || !runId) throw new Error(`execution ${executionArn} has no model and runId in its input: it was not started as a run`);
    const startTime = (execution.startDate ?? new Date(change.time)).toISOString();
    // A run can fail before its first step has opened it.
    const run = await this.clients.runs.startRun({ runId, model, executionArn, causeId, cause, startTime });
    if (run.status !== 'RUNNING') return undefined;
    await this.putSteps(executionArn, runId);
    const { step, error: name, message } = failure;
    const detail = { platform: this.platform, model, occurredAt: change.time, runId, executionArn, step, error: name, message };
    // Told before it is recorded: a second try then tells it twice rather than never.
    // Whoever asked for a rebuild waits for it; nobody else has to hear of it.
    if (rebuildOf === undefined) await this.clients.events.putEvent(EVENTS.pipelineFailed, detail);
    const isNew = await this.clients.runs.failRun(runId, { step, name, message }, change.status === 'ABORTED' ? 'KILLED' : 'FAILED');
    if (isNew && rebuildOf === undefined) publishMetrics(model, { [METRICS.pipelineFailed]: 1 });
    return failure;
  }

  private async reopen({ executionArn }: StatusChange): Promise<void> {
    const execution = await this.clients.executions.describe(executionArn);
    const { runId } = inputOf(execution);
    // The event may come late, after the redrive has failed as well.
    if (execution.status === 'RUNNING' && runId) await this.clients.runs.reopenRun(runId);
  }
}

const inputOf = ({ input }: { readonly input?: string }): Partial<PipelineInput> => JSON.parse(input ?? '{}') as Partial<PipelineInput>;

/** Timeouts and aborts of the execution itself carry no error of a state. */
const withStatus = (failure: Failure, status: StatusChange['status']): Failure => {
  if (status === 'ABORTED' && failure.error === 'Unknown') return { ...failure, error: 'Aborted', message: 'somebody stopped the execution' };
  if (status === 'TIMED_OUT') return { ...failure, error: 'States.Timeout', message: 'the execution took longer than the pipeline allows' };
  return failure;
};
