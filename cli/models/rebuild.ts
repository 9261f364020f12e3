import { randomBytes } from 'node:crypto';
import { SFNClient } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { PipelineRunsClient } from '../../lambda/retraining/runs.client';
import type { PipelineInput, RebuildComparison } from '../../lib/pipeline/contract';
import { versionNumber } from '../arguments';
import { followRun } from '../demo/runs';
import { CliError } from '../errors';
import { bad, good } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';
import { withProgress } from '../progress';
import { callerOf } from '../retrain/caller';

/** What the execution answers. */
interface RebuildEnd {
  readonly outcome: string;
  readonly runId: string;
  readonly comparison: RebuildComparison;
}

/** Items without which a run cannot be repeated. */
const NEEDED = ['artifact', 'dataManifestUri', 'code', 'configuration', 'hyperparameters', 'image'] as const;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('rebuild')
      .description('make a version once more from its record and compare: equal, or the first field that differs')
      .argument('<model>')
      .argument('<version>', 'for example 3', versionNumber)
      .addHelpText(
        'after',
        '\nThe run takes the recorded data by their versions, the recorded code, image and arguments. It registers and promotes nothing, is no\n' +
          'cause of a retraining and may run beside one. Exit code 1 where something differs.',
      ),
  ).action(async (model: string, version: number, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const platform = await findPlatform(options);
    const runId = await start(platform, model, version);
    const { comparison } = await withProgress(
      io,
      `rebuild of ${model} v${version} (run ${runId})`,
      async (tell) => (await followRun(platform, model, runId, tell)) as unknown as RebuildEnd,
    );
    emit(io, options, { model, runId, ...comparison }, () => told(io, model, comparison));
    if (!comparison.equal) process.exitCode = 1;
  });
};

const start = async (platform: Platform, model: string, version: number): Promise<string> => {
  const { stateMachineArn } = platform.model(model);
  const record = await platform.registry.getVersion(model, version);
  const lacking = NEEDED.filter((item) => record[item] === undefined);
  if (lacking.length > 0) {
    const what = `${model} v${version} cannot be made once more: its record lacks ${lacking.join(', ')}`;
    throw new CliError(what, 'choose a version that the pipeline made');
  }
  const now = new Date();
  const runId = `${model}-rebuild-v${version}-${now.toISOString().replace(/[-:]|\.\d+/g, '')}-${randomBytes(2).toString('hex')}`;
  const cause = `rebuild of version ${version}, asked for by ${await callerOf(platform.connection)}`;
  const input: PipelineInput = { model, runId, causeId: runId, cause, occurredAt: now.toISOString(), rebuildOf: version };
  await new PipelineRunsClient(new SFNClient(platform.connection)).start(stateMachineArn, input);
  return runId;
};

const told = (io: Io, model: string, { equal, version, compared, difference, reportUri }: RebuildComparison): string =>
  equal
    ? `${good(io, 'equal')}: ${model} v${version} made once more is the same in all ${compared} fields and files\n`
    : [
        `${bad(io, 'different')}: ${difference?.field}`,
        `  recorded  ${difference?.recorded}`,
        `  rebuilt   ${difference?.rebuilt}`,
        `all differences: ${reportUri}\n`,
      ].join('\n');
