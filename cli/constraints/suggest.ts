import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { constraintsText } from '../../lambda/monitoring/constraints/file';
import { UsageError } from '../errors';
import type { Io } from '../io';
import { write } from '../models/export';
import { platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { suggestFrom } from './data-file';
import { suggestedFor } from './stored';

interface Options extends PlatformOptions {
  readonly model?: string;
  readonly time?: string;
  readonly target?: string;
  readonly window: number;
  readonly output?: string;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('suggest')
      .description('rules that the data suggests, each checked on parts that it was not made from: of a model’s baseline, or of a CSV file')
      .argument('<model-or-file>', 'a model of the platform, or a local CSV file with a header, its rows in time order')
      .option('--model <name>', 'of a file: the model that the rules are for; default: the name of the file')
      .option('--time <column>', 'of a file: its time, for rows and age of windows')
      .option('--target <column>', 'of a file: what is predicted, which no request holds')
      .option('--window <hours>', 'of a file: length of a window', hours, 24)
      .option('--output <file>', 'write it to a file'),
  ).action(async (name: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { time, target, window, output } = options;
    const model = options.model ?? path.basename(name).replace(/\..*$/, '');
    const file = existsSync(name)
      ? await suggestFrom({ path: name, time, target }, model, window * 3600)
      : (await suggestedFor(await findPlatform(options), name)).file;
    write(io, output, constraintsText(file));
    if (output === undefined || options.json) return;
    for (const note of file.notes ?? []) io.err(`${note}\n`);
  });
};

function hours(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`--window ${text} is no number of hours`, 'write a whole number from 1');
  return value;
}
