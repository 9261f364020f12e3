import type { Command } from 'commander';
import { localTime } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { callerOf } from './caller';

interface Options extends PlatformOptions {
  readonly reason: string;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('pause')
      .description('refuse every cause from now on; a run under way goes on')
      .argument('<model>')
      .option('--reason <text>', 'why; stands in every refusal', 'no reason was given'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    platform.model(model);
    const by = await callerOf(platform.connection);
    const { paused } = await platform.governor.pause(model, { by, reason: options.reason, at: new Date().toISOString() });
    const text = `retraining of ${model} is paused by ${paused?.by} since ${localTime(paused?.at)}: ${paused?.reason}\n`;
    emit(io, options, { model, paused }, () => text);
  });
};
