import { DescribeExecutionCommand, SendTaskFailureCommand, SendTaskSuccessCommand, SFNClient } from '@aws-sdk/client-sfn';

/** The run does not wait with this token any more: it has its answer, has timed out, or has ended. */
const GONE = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);
/** Causes end at 32 KiB. */
const LONGEST_CAUSE = 8_000;

const named = (error: unknown): string => (error instanceof Error ? error.name : '');

/** The execution that waits for an answer. */
export class WaitingRunClient {
  constructor(private readonly client: SFNClient = new SFNClient({})) {}

  /** Whether the execution is under way; one that is unknown, or too old to be known, is not. */
  async isRunning(executionArn: string): Promise<boolean> {
    try {
      const { status } = await this.client.send(new DescribeExecutionCommand({ executionArn }));
      return status === 'RUNNING';
    } catch (error) {
      if (named(error) === 'ExecutionDoesNotExist') return false;
      throw error;
    }
  }

  async succeed(taskToken: string, output: object): Promise<void> {
    await this.unlessGone(() => this.client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) })));
  }

  async fail(taskToken: string, error: string, cause: string): Promise<void> {
    await this.unlessGone(() => this.client.send(new SendTaskFailureCommand({ taskToken, error, cause: cause.slice(0, LONGEST_CAUSE) })));
  }

  private async unlessGone(send: () => Promise<unknown>): Promise<void> {
    try {
      await send();
    } catch (error) {
      if (!GONE.has(named(error))) throw error;
    }
  }
}
