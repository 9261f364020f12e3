import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeExecutionCommand, type DescribeExecutionCommandOutput, SFNClient } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { accountOf } from '../../lambda/pipeline/execution-steps';
import { ExecutionsClient } from '../../lambda/pipeline/executions.client';
import { failureOf } from '../../lambda/pipeline/failed-step';
import { stepNameOf } from '../../lambda/pipeline/step-of-state';
import type { Io } from '../io';
import { platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';
import { JobLines } from './job-lines';
import { findRun } from './started-run';
import { viewOf, type WatchedEnd } from './watch-view';

const POLL_MILLISECONDS = 2_000;
const LOCAL_POLL_MILLISECONDS = 400;
const LINES = 100;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('watch')
      .description('follow a run to its end: steps with their durations, and the last lines of the job under way')
      .argument('<run>')
      .addHelpText('after', '\nRedraws in a terminal, else a line for each change; with --json each is an object. Exit code 1 where it ends badly.'),
  ).action(async (runId: string, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    await watchRun(io, await findPlatform(options), runId, options);
  });
};

/** Follows a run to its end and sets the exit code by it. */
export const watchRun = async (io: Io, platform: Platform, runId: string, options: PlatformOptions): Promise<void> => {
  const { executionArn, model } = await findRun(platform, runId);
  const machines = new SFNClient(platform.connection);
  const executions = new ExecutionsClient(machines);
  const lines = new JobLines(platform.connection);
  const view = viewOf(io, options.json === true, { runId, model });
  for (;;) {
    // Before the history: what had ended then stands in it.
    const execution = await machines.send(new DescribeExecutionCommand({ executionArn }));
    const { steps } = await accountOf(executions.events(executionArn));
    const job = steps.findLast(({ status, logs }) => status === 'RUNNING' && logs !== undefined);
    const written = job?.logs ? await lines.next(job.logs, LINES) : [];
    view.show({ status: execution.status ?? 'RUNNING', startedAt: execution.startDate ?? new Date(), steps, lines: written });
    if (execution.status !== 'RUNNING') {
      const end = await endOf(executions, execution);
      view.end(end);
      if (!end.ok) process.exitCode = 1;
      return;
    }
    await sleep(options.local === undefined ? POLL_MILLISECONDS : LOCAL_POLL_MILLISECONDS);
  }
};

const endOf = async (executions: ExecutionsClient, execution: DescribeExecutionCommandOutput): Promise<WatchedEnd> => {
  const { status = 'FAILED', executionArn = '', startDate, stopDate, output } = execution;
  const times = { startedAt: startDate, endedAt: stopDate ?? new Date() };
  if (status === 'SUCCEEDED') {
    const { outcome, version } = JSON.parse(output ?? '{}') as { readonly outcome?: string; readonly version?: number };
    return { ok: true, status, outcome, version, ...times };
  }
  const { step, error, message, exitCode } = failureOf(await executions.newestEvents(executionArn), execution);
  return { ok: false, status, ...times, step: stepNameOf(step), error, message, ...(exitCode !== undefined && { exitCode }) };
};
