import type { RunStep } from '../../lib/tracking/contract';
import type { RunTrackerClient } from '../tracking/run-tracker.client';

type References = Readonly<Record<string, string>>;

export interface StepResult<T> {
  readonly result: T;
  readonly outputs?: References;
}

/** Does a step of a run and records how it went. The step's own error is what the caller gets. */
export const recordedStep = async <T>(
  runs: Pick<RunTrackerClient, 'recordStep'>,
  runId: string,
  name: string,
  about: { readonly inputs?: References },
  work: () => Promise<StepResult<T>>,
): Promise<T> => {
  const startTime = new Date().toISOString();
  const record = (step: Pick<RunStep, 'status' | 'outputs' | 'error' | 'endTime'>) => runs.recordStep(runId, { name, startTime, ...about, ...step });
  await record({ status: 'RUNNING' });
  try {
    const { result, outputs } = await work();
    await record({ status: 'FINISHED', endTime: new Date().toISOString(), outputs });
    return result;
  } catch (error) {
    await record({ status: 'FAILED', endTime: new Date().toISOString(), error: (error as Error).message }).catch(() => undefined);
    throw error;
  }
};
