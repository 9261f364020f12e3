import { setTimeout as sleep } from 'node:timers/promises';
import { SFNClient } from '@aws-sdk/client-sfn';
import { executionArnOf } from '../../lambda/retraining/governor';
import { followExecution } from '../executions';
import type { Platform } from '../platform';

export interface FinishedRun {
  readonly outcome: string;
  readonly version?: number;
  readonly runId: string;
}

/** Follows a run to its end; tells each state as it is entered. A failed run throws with its step and cause. */
export const followRun = async (platform: Platform, model: string, runId: string, onState: (state: string) => void): Promise<FinishedRun> => {
  const executionArn = executionArnOf(platform.model(model).stateMachineArn, runId);
  return followExecution(new SFNClient(platform.connection), executionArn, { what: `run ${runId}`, onState });
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
