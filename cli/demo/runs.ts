import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, GetExecutionHistoryCommand, SFNClient } from '@aws-sdk/client-sfn';
import { executionArnOf } from '../../lambda/retraining/governor';
import type { Platform } from '../platform';

export interface FinishedRun {
  readonly outcome: string;
  readonly version?: number;
  readonly runId: string;
}

/** Last state that the execution entered. */
const currentState = async (machines: SFNClient, arn: string): Promise<string | undefined> => {
  const { events: history = [] } = await machines.send(new GetExecutionHistoryCommand({ executionArn: arn, reverseOrder: true, maxResults: 20 }));
  return history.find((event) => event.stateEnteredEventDetails)?.stateEnteredEventDetails?.name;
};

/** Follows a run to its end; tells each state as it is entered. A failed run throws with its step and cause. */
export const followRun = async (platform: Platform, model: string, runId: string, onState: (state: string) => void): Promise<FinishedRun> => {
  const machines = new SFNClient(platform.connection);
  const arn = executionArnOf(platform.model(model).stateMachineArn, runId);
  let last: string | undefined;
  for (;;) {
    const execution = await machines.send(new DescribeExecutionCommand({ executionArn: arn }));
    const state = await currentState(machines, arn);
    if (state && state !== last) onState(state);
    last = state ?? last;
    if (execution.status === 'SUCCEEDED') return JSON.parse(execution.output ?? '{}') as FinishedRun;
    if (execution.status !== 'RUNNING') {
      throw new Error(`run ${runId} ended ${execution.status} in ${last}: ${execution.error ?? ''} ${execution.cause ?? ''}`.trim());
    }
    await sleep(250);
  }
};

/** Waits for a value that an event makes appear. */
export const eventually = async <T>(what: string, seconds: number, probe: () => Promise<T | undefined>): Promise<T> => {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`);
    await sleep(200);
  }
};
