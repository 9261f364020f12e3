import type { Command } from 'commander';
import { datasetPrefix } from '../../lib/artifacts/contract';
import type { RetrainRequestedDetail } from '../../lib/retraining/contract';
import { CliError, UsageError } from '../errors';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { askForRun, WAIT_MILLISECONDS } from '../retrain/decision';
import { waitOrStop } from './started-run';
import { watchRun } from './watch';

interface Options extends PlatformOptions {
  readonly data?: string;
  readonly dataCommit?: string;
  readonly param: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly watch?: boolean;
}

/** Values may hold what they like; names end at the first equals sign. */
const addParam = (text: string, all: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`--param ${text} is no hyperparameter`, 'write it as name=value');
  return { ...all, [text.slice(0, at)]: text.slice(at + 1) };
};

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('start')
      .description('start a run of the training pipeline, with other data or hyperparameters than the app says where they are stated')
      .argument('<model>')
      .option('--data <prefix>', 'only files whose keys below datasets/MODEL/ begin with this, for example 2012/')
      .option('--data-commit <id>', 'commit of DVC or lakeFS that the data came from; stands in the manifest')
      .option('--param <name=value>', 'a hyperparameter of this run; may be repeated', addParam, {})
      .option('--reason <text>', 'why; becomes the cause of the run', 'started by hand')
      .option('--watch', 'follow the run to its end')
      .addHelpText(
        'after',
        '\nThe governor decides: without --data, --data-commit and --param a request joins a run that is under way; with them it is refused then,\n' +
          'since the run under way does not do what it asks for. A pause refuses both, a cooldown neither.',
      ),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    platform.model(model);
    const overrides = overridesOf(options, model, platform.resources.dataBucket);
    const occurredAt = new Date().toISOString();
    const { request, decision } = await askForRun(platform, model, { occurredAt, reason: options.reason, overrides, wait: true });
    if (!decision) {
      const what = `the governor has not decided within ${WAIT_MILLISECONDS / 1000} s`;
      throw new CliError(what, `\`mlops retrain status ${model}\` tells it when it has`);
    }
    const { runId, reason } = decision;
    const isUnderWay = decision.decision === 'started' || decision.decision === 'coalesced';
    if (!isUnderWay || runId === undefined) {
      if (options.json) emit(io, options, { request, decision }, () => '');
      throw new CliError(`${decision.decision}: ${reason}`, wayOut(decision.decision, model, runId));
    }
    if (!options.watch) {
      const what = decision.decision === 'started' ? `run ${runId} started` : `joined run ${runId}, which was under way`;
      emit(io, options, { request, decision }, () => `${what}\nfollow it with \`mlops runs watch ${runId}\`\n`);
      return;
    }
    await watchRun(io, platform, runId, options);
  });
};

const wayOut = (decision: string, model: string, runId?: string): string => {
  if (decision === 'refused-paused') return `\`mlops retrain resume ${model}\` ends the pause`;
  if (decision === 'refused-running' && runId !== undefined) return waitOrStop(runId);
  return `\`mlops retrain status ${model}\` tells the last decisions`;
};

/** Undefined where nothing is otherwise: such a request may join a run that is under way. */
const overridesOf = (options: Options, model: string, bucket: string): RetrainRequestedDetail['overrides'] => {
  const dataPrefix = options.data === undefined ? undefined : belowDataset(options.data, model, bucket);
  const { dataCommit, param } = options;
  const overrides = {
    ...(dataPrefix !== undefined && { dataPrefix }),
    ...(dataCommit !== undefined && { dataCommit }),
    ...(Object.keys(param).length > 0 && { hyperparameters: param }),
  };
  return Object.keys(overrides).length === 0 ? undefined : overrides;
};

/** People copy whole addresses; what counts is the part below the model's data set. */
const belowDataset = (text: string, model: string, bucket: string): string => {
  const root = datasetPrefix(model);
  const key = text.startsWith(`s3://${bucket}/`) ? text.slice(`s3://${bucket}/`.length) : text;
  const prefix = key.startsWith(root) ? key.slice(root.length) : key;
  const isBelow = prefix !== '' && !prefix.startsWith('/') && !prefix.includes('://') && !prefix.split('/').includes('..');
  if (isBelow) return prefix;
  throw new UsageError(`--data ${text} is no part of s3://${bucket}/${root}`, 'state what keys below it begin with, for example 2012/');
};
