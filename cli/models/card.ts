import type { Command } from 'commander';
import { modelCard } from '../../lambda/registry/card';
import { CARD_TAGS } from '../../lambda/registry/card-document';
import { versionNumber } from '../arguments';
import type { Io } from '../io';
import { platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { readDocument } from './document';
import { write } from './export';

interface Options extends PlatformOptions {
  readonly output?: string;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('card')
      .description('model card of a version in Markdown, made from its record')
      .argument('<model>')
      .argument('<version>', 'for example 3', versionNumber)
      .option('--output <file>', 'write it to a file')
      .addHelpText('after', `\nWhat only people know comes from tags of the version, or of the model: ${Object.values(CARD_TAGS).join(', ')}.`),
  ).action(async (model: string, version: number, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const document = await readDocument(await findPlatform(options), model, version, (remark) => io.err(`${remark}\n`));
    write(io, options.output, options.json ? `${JSON.stringify({ model, version, markdown: modelCard(document) }, null, 2)}\n` : modelCard(document));
  });
};
