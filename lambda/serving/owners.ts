import type { ModelVersion } from '../../lib/registry/contract';
import { TRACKING_ERRORS } from '../../lib/tracking/contract';
import type { ExecutionsClient } from '../pipeline/executions.client';
import type { RunTrackerClient } from '../tracking/run-tracker.client';

/** How an execution ended that nobody goes on with. A redrive goes on with it: whoever acts on this has to be safe against one. */
const ENDED: readonly (string | undefined)[] = ['FAILED', 'TIMED_OUT', 'ABORTED', 'SUCCEEDED'];

/** The runs that registered versions. */
export class Owners {
  constructor(
    private readonly runs: Pick<RunTrackerClient, 'getRun'>,
    private readonly executions: Pick<ExecutionsClient, 'describe'>,
  ) {}

  /** How the run ended that a version came from, as its execution tells; undefined while it is under way, or where nobody can tell. */
  async endOf({ runId }: Pick<ModelVersion, 'runId'>): Promise<string | undefined> {
    if (runId === undefined) return undefined;
    const executionArn = await this.executionOf(runId);
    if (executionArn === undefined) return undefined;
    const status = await this.statusOf(executionArn);
    return ENDED.includes(status) ? `run ${runId} ended (${status})` : undefined;
  }

  private async executionOf(runId: string): Promise<string | undefined> {
    try {
      return (await this.runs.getRun(runId)).executionArn;
    } catch (error) {
      if (error instanceof Error && error.name === TRACKING_ERRORS.notFound) return undefined;
      throw error;
    }
  }

  private async statusOf(executionArn: string): Promise<string | undefined> {
    try {
      return (await this.executions.describe(executionArn)).status;
    } catch (error) {
      // Executions are forgotten after 90 days, and with their state machine.
      if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return 'ABORTED';
      throw error;
    }
  }
}
