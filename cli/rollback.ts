import { randomBytes } from 'node:crypto';
import { DescribeExecutionCommand, SFNClient } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { championMoves, lastGood } from '../lambda/registry/rollback-target';
import { executionArnOf } from '../lambda/retraining/governor';
import { PipelineRunsClient } from '../lambda/retraining/runs.client';
import type { PipelineInput } from '../lib/pipeline/contract';
import { versionNumber } from './arguments';
import { followRun } from './demo/runs';
import { CliError } from './errors';
import { duration, good } from './format';
import type { Io } from './io';
import { emit, platformOptions, type PlatformOptions } from './options';
import { findPlatform, type Platform } from './platform';
import { withProgress } from './progress';
import { callerOf } from './retrain/caller';

interface Options extends PlatformOptions {
  readonly to?: number;
  readonly reason?: string;
}

interface Result {
  readonly model: string;
  readonly version: number;
  /** Version that served before; null where the pointer did not have to move. */
  readonly from: number | null;
  readonly runId: string;
  readonly startedAt: string;
  /** When the champion pointer moved; null where it did not have to. */
  readonly pointerMovedAt: string | null;
  /** When the endpoint was seen to run the version. */
  readonly trafficMovedAt: string;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('rollback')
      .description('let a version that served before serve again; trains nothing')
      .argument('<model>')
      .option('--to <version>', 'for example 3; without it the one that served last before this one and was not itself rolled back', versionNumber)
      .option('--reason <text>', 'why; stands in the history of the model')
      .addHelpText(
        'after',
        '\nArtifact, code and image of the version are looked for first. Then the champion pointer moves, within seconds, then the traffic: at\n' +
          'once where a deployment is still under way, otherwise by an update of the endpoint, which takes minutes on AWS. --to with the version\n' +
          'that serves calls off a deployment to another one. What was rolled back serves again only by a rollback to it.',
      ),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    const version = options.to ?? (await target(platform, model));
    const runId = await start(platform, model, version, options);
    const result = await withProgress(io, `rollback of ${model} to v${version} (run ${runId})`, async (tell) => {
      await followRun(platform, model, runId, tell);
      return measure(platform, model, version, runId);
    });
    emit(io, options, result, () => told(io, result));
  });
};

const target = async (platform: Platform, model: string): Promise<number> => {
  platform.model(model);
  const version = lastGood(await platform.registry.history(model));
  if (version !== undefined) return version;
  const what = `${model} has no version to go back to: none served before this one that was not itself rolled back`;
  throw new CliError(what, `\`mlops models history ${model}\` tells what served; name one with --to`);
};

const start = async (platform: Platform, model: string, version: number, { to, reason }: Options): Promise<string> => {
  const { stateMachineArn } = platform.model(model);
  const champion = await platform.registry.champion(model);
  const now = new Date();
  const runId = `${model}-rollback-v${version}-${now.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(2).toString('hex')}`;
  const startedBy = await callerOf(platform.connection);
  const input: PipelineInput = {
    model,
    runId,
    causeId: runId,
    cause: reason ?? `rollback to version ${version}, asked for by ${startedBy}`,
    occurredAt: now.toISOString(),
    rollbackTo: version,
    // Chosen for what serves now: where another version has taken its place meanwhile the choice may be wrong.
    ...(to === undefined && champion ? { rollbackFrom: champion.version } : {}),
    startedBy,
  };
  await new PipelineRunsClient(new SFNClient(platform.connection)).start(stateMachineArn, input);
  return runId;
};

/** Times of the execution and of the history, not of this machine. */
const measure = async (platform: Platform, model: string, version: number, runId: string): Promise<Result> => {
  const executionArn = executionArnOf(platform.model(model).stateMachineArn, runId);
  const { startDate, stopDate } = await new SFNClient(platform.connection).send(new DescribeExecutionCommand({ executionArn }));
  const move = championMoves(await platform.registry.history(model)).find(({ reason }) => reason.endsWith(`(run ${runId})`));
  return {
    model,
    version,
    from: move?.previousChampion ?? null,
    runId,
    startedAt: (startDate ?? new Date()).toISOString(),
    pointerMovedAt: move?.at ?? null,
    trafficMovedAt: (stopDate ?? new Date()).toISOString(),
  };
};

const told = (io: Io, { model, version, from, startedAt, pointerMovedAt, trafficMovedAt }: Result): string => {
  const pointer =
    pointerMovedAt === null
      ? 'the champion pointer stood there already'
      : `the champion pointer moved from v${from} after ${duration(startedAt, pointerMovedAt)}`;
  return `${good(io, 'rolled back')}: ${model} v${version} serves again\n  ${pointer}, the traffic after ${duration(startedAt, trafficMovedAt)}\n`;
};
