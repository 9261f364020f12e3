import type { LogPlace, RunStep } from '../../lib/tracking/contract';
import type { RunTrackerClient } from '../tracking/run-tracker.client';

type References = Readonly<Record<string, string>>;
type Recorder = Pick<RunTrackerClient, 'recordStep'>;

export interface StepResult<T> {
  readonly result: T;
  readonly outputs?: References;
}

/** Where this function writes its log: Lambda tells it, so that nobody has to guess it from names. */
export const ownLogs = (): LogPlace | undefined => {
  const { AWS_LAMBDA_LOG_GROUP_NAME: group, AWS_LAMBDA_LOG_STREAM_NAME: stream } = process.env;
  return group && stream ? { group, stream } : undefined;
};

/** Does a step of a run and records how it went. The step's own error is what the caller gets. */
export const recordedStep = async <T>(
  runs: Recorder,
  runId: string,
  name: string,
  about: { readonly inputs?: References },
  work: () => Promise<StepResult<T>>,
): Promise<T> => {
  const startTime = new Date().toISOString();
  const logs = ownLogs();
  const record = (step: Pick<RunStep, 'status' | 'outputs' | 'error' | 'endTime'>) =>
    runs.recordStep(runId, { name, startTime, ...about, ...(logs && { logs }), ...step });
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

/** Puts a step on record that SageMaker does next and that no code of ours can record when it begins. */
export const beginStep = async (runs: Recorder, runId: string, name: string, inputs?: References): Promise<void> =>
  runs.recordStep(runId, { name, status: 'RUNNING', startTime: new Date().toISOString(), ...(inputs && { inputs }) });
