import type { Command } from 'commander';
import { limit } from './arguments';
import { localTime, shorten, table } from './format';
import type { Io } from './io';
import { emit, platformOptions, type PlatformOptions } from './options';
import { findPlatform } from './platform';

interface Options extends PlatformOptions {
  readonly limit: number;
  readonly after?: string;
}

export const register = (program: Command, io: Io): void => {
  platformOptions(
    program
      .command('search')
      .description('find models, versions, experiments, runs and datasets by words of names, owners, tags and causes; the best first')
      .argument('<words...>', 'all must be there')
      .option('--limit <number>', 'how many', limit, 20)
      .option('--after <cursor>', 'go on behind a page that was shown before'),
  ).action(async (words: readonly string[], _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { search } = await findPlatform(options);
    const page = await search.find(words.join(' '), { limit: options.limit, cursor: options.after });
    emit(io, options, page, () => {
      if (page.items.length === 0) return page.cursor ? `nothing yet; more to look through: --after ${page.cursor}\n` : 'nothing has all of these words\n';
      const rows = page.items.map((hit) => [hit.kind, shorten(hit.title, 40), shorten(hit.detail, 60) || '-', localTime(new Date(hit.time)), hit.ref]);
      return table(io, ['kind', 'what', 'about', 'made', 'id'], rows) + (page.cursor ? `more: --after ${page.cursor}\n` : '');
    });
  });
};
