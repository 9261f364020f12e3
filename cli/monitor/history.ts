import type { Command } from 'commander';
import { limit } from '../arguments';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { tellHistory } from './tell';
import { Windows } from './windows';

interface Options extends PlatformOptions {
  readonly limit: number;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('history')
      .description('the last judged windows, one a line, the newest last')
      .argument('<model>')
      .option('--limit <number>', 'how many', limit, 20),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const windows = new Windows(await findPlatform(options), model);
    const results = await windows.results(await windows.latest(options.limit));
    emit(io, options, results, () => (results.length === 0 ? `the monitor of ${model} has judged no window yet\n` : tellHistory(io, results)));
  });
};
