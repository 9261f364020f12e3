import { DescribeExecutionCommand, SFNClient, StartExecutionCommand, type ExecutionStatus } from '@aws-sdk/client-sfn';
import type { PipelineInput } from '../../lib/pipeline/contract';

export interface Execution {
  readonly status: ExecutionStatus;
  readonly input?: string;
  readonly output?: string;
}

/** What the governor needs of the pipeline. */
export interface PipelineRuns {
  /** Starts a run under its id; an execution of that name is the one an earlier try started. */
  start(stateMachineArn: string, input: PipelineInput): Promise<void>;
  find(executionArn: string): Promise<Execution | undefined>;
}

const named = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

/** Executions of the training pipelines. */
export class PipelineRunsClient implements PipelineRuns {
  constructor(private readonly client: SFNClient = new SFNClient({})) {}

  async start(stateMachineArn: string, input: PipelineInput): Promise<void> {
    try {
      await this.client.send(new StartExecutionCommand({ stateMachineArn, name: input.runId, input: JSON.stringify(input) }));
    } catch (error) {
      if (!named(error, 'ExecutionAlreadyExists')) throw error;
    }
  }

  async find(executionArn: string): Promise<Execution | undefined> {
    try {
      const { status, input, output } = await this.client.send(new DescribeExecutionCommand({ executionArn }));
      return status && { status, input, output };
    } catch (error) {
      if (named(error, 'ExecutionDoesNotExist')) return undefined;
      throw error;
    }
  }
}
