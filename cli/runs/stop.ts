import { setTimeout as sleep } from 'node:timers/promises';
import { SFNClient, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { CliError } from '../errors';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';
import { callerOf } from '../retrain/caller';
import { findRun } from './started-run';

interface Options extends PlatformOptions {
  readonly reason: string;
}

/** Name of the error that a run ends with when a person has stopped it. */
const STOPPED = 'StoppedByHand';
const WAIT_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 300;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('stop')
      .description('end a run that is under way; its jobs are stopped, what serves stays')
      .argument('<run>')
      .requiredOption('--reason <text>', 'why; stands in the record of the run'),
  ).action(async (runId: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    const { execution, executionArn } = await findRun(platform, runId);
    if (execution.status !== 'RUNNING') throw new CliError(`run ${runId} is not under way: it ended ${execution.status}`);
    const cause = `stopped by ${await callerOf(platform.connection)}: ${options.reason}`;
    await new SFNClient(platform.connection).send(new StopExecutionCommand({ executionArn, error: STOPPED, cause }));
    const isRecorded = await recorded(platform, runId);
    const text = isRecorded ? 'its jobs were told to stop' : `its jobs are being stopped; \`mlops runs show ${runId}\` tells when it is on record`;
    emit(io, options, { runId, executionArn, cause, recorded: isRecorded }, () => {
      return `run ${runId} stopped: ${text}\nresume it with \`mlops runs resume ${runId}\`\n`;
    });
  });
};

/** The failure handler stops the jobs before it puts the end on record. */
const recorded = async (platform: Platform, runId: string): Promise<boolean> => {
  const deadline = Date.now() + WAIT_MILLISECONDS;
  while (Date.now() < deadline) {
    const run = await platform.runs.getRun(runId).catch(() => undefined);
    if (run && run.status !== 'RUNNING') return true;
    await sleep(POLL_MILLISECONDS);
  }
  return false;
};
