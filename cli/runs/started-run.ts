import { DescribeExecutionCommand, type DescribeExecutionCommandOutput, SFNClient } from '@aws-sdk/client-sfn';
import { executionArnOf } from '../../lambda/retraining/governor';
import { type RunRecord, TRACKING_ERRORS } from '../../lib/tracking/contract';
import { CliError } from '../errors';
import type { Platform } from '../platform';

/** A run as record and state machine know it. */
export interface StartedRun {
  readonly runId: string;
  readonly model: string;
  readonly executionArn: string;
  /** Absent where the first step has not put it on record yet. */
  readonly record?: RunRecord;
  readonly execution: DescribeExecutionCommandOutput;
}

/** Finds a run of a pipeline by its id, also one that was started a moment ago. */
export const findRun = async (platform: Platform, runId: string): Promise<StartedRun> => {
  const record = await recordOf(platform, runId);
  const machines = new SFNClient(platform.connection);
  const places = record
    ? [{ model: record.model, executionArn: record.executionArn }]
    : platform.models
        .filter(({ model }) => runId.startsWith(`${model}-`))
        .map(({ model, stateMachineArn }) => ({ model, executionArn: executionArnOf(stateMachineArn, runId) }));
  for (const place of places) {
    const execution = await describe(machines, place.executionArn);
    if (execution) return { runId, ...place, record, execution };
  }
  if (!record) throw new CliError(`there is no run ${runId}`, '`mlops runs list MODEL` tells the runs of a model');
  const what = `the execution of run ${runId} is gone: Step Functions keeps executions for 90 days`;
  throw new CliError(what, `\`mlops runs show ${runId}\` tells its record`);
};

const recordOf = async (platform: Platform, runId: string): Promise<RunRecord | undefined> => {
  try {
    return await platform.runs.getRun(runId);
  } catch (error) {
    if (error instanceof Error && error.name === TRACKING_ERRORS.notFound) return undefined;
    throw error;
  }
};

const describe = async (machines: SFNClient, executionArn: string): Promise<DescribeExecutionCommandOutput | undefined> => {
  try {
    return await machines.send(new DescribeExecutionCommand({ executionArn }));
  } catch (error) {
    if (error instanceof Error && error.name === 'ExecutionDoesNotExist') return undefined;
    throw error;
  }
};

/** What to do about a run that is in the way. */
export const waitOrStop = (runId: string): string =>
  `wait for it with \`mlops runs watch ${runId}\`, or end it with \`mlops runs stop ${runId} --reason TEXT\``;
