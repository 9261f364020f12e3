import { randomUUID } from 'node:crypto';
import { RedriveExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { accountOf } from '../../lambda/pipeline/execution-steps';
import { ExecutionsClient } from '../../lambda/pipeline/executions.client';
import { isUngoverned, readInput } from '../../lambda/retraining/outcome';
import { takePlace } from '../../lambda/retraining/run-status';
import { CliError } from '../errors';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';
import { findRun, type StartedRun, waitOrStop } from './started-run';
import { watchRun } from './watch';

interface Options extends PlatformOptions {
  readonly watch?: boolean;
}

/** Until the governor hears of the redrive and takes over with its own lease. */
const LEASE_SECONDS = 900;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('resume')
      .description('go on with a run that failed or was stopped, from the step where it ended, within 14 days')
      .argument('<run>')
      .option('--watch', 'follow the run to its end')
      .addHelpText('after', '\nWhat the steps before have made is kept. Refused while another run of the model is under way.'),
  ).action(async (runId: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    const run = await findRun(platform, runId);
    requireRedrivable(run);
    const machines = new SFNClient(platform.connection);
    const { steps } = await accountOf(new ExecutionsClient(machines).events(run.executionArn));
    const kept = steps.filter(({ status }) => status === 'FINISHED').map(({ name }) => name);
    const repeated = steps.filter(({ status }) => status !== 'FINISHED').map(({ name }) => name);
    const giveBack = await takeLock(platform, run);
    try {
      await machines.send(new RedriveExecutionCommand({ executionArn: run.executionArn, clientToken: randomUUID() }));
    } catch (error) {
      await giveBack();
      throw error;
    }
    const told = `run ${runId} goes on: ${list('repeats', repeated, 'nothing that had begun')}, ${list('keeps', kept, 'nothing')}\n`;
    if (!options.watch) {
      emit(io, options, { runId, repeated, kept }, () => `${told}follow it with \`mlops runs watch ${runId}\`\n`);
      return;
    }
    if (!options.json) io.out(told);
    await watchRun(io, platform, runId, options);
  });
};

const list = (what: string, steps: readonly string[], none: string): string => `${what} ${steps.length > 0 ? steps.join(', ') : none}`;

const requireRedrivable = ({ runId, model, execution }: StartedRun): void => {
  const { status, redriveStatus, redriveStatusReason } = execution;
  if (status === 'RUNNING') throw new CliError(`run ${runId} is under way`, `follow it with \`mlops runs watch ${runId}\``);
  if (status === 'SUCCEEDED') throw new CliError(`run ${runId} has ended well: there is nothing to go on with`);
  if (redriveStatus === 'REDRIVABLE') return;
  throw new CliError(`run ${runId} cannot go on: ${redriveStatusReason ?? redriveStatus}`, `start another with \`mlops runs start ${model}\``);
};

/** Takes the model's place for this run; answers what gives it back. Rebuilds and rollbacks stand outside of it. */
const takeLock = async ({ governor }: Platform, { runId, model, executionArn, execution }: StartedRun): Promise<() => Promise<void>> => {
  const input = readInput(execution.input);
  if (!input || isUngoverned(input)) return async () => undefined;
  const before = (await governor.state(model)).lock;
  const { lock } = await takePlace(governor, input, { runId, executionArn }, LEASE_SECONDS);
  if (lock && lock.runId !== runId) {
    throw new CliError(`run ${lock.runId} of ${model} is under way: two runs of one model never work at once`, waitOrStop(lock.runId));
  }
  if (before?.runId === runId) return async () => undefined;
  return async () => {
    await governor.update(model, (state) => (state.lock?.runId === runId ? { ...state, lock: undefined } : state));
  };
};
