import type { Command } from 'commander';
import { MOST_HITS, type SearchIndex } from '../lambda/search/search-index.client';
import { documentsOf, everyThing, type Sources } from '../lambda/search/sources';
import type { SearchHit } from '../lib/search/contract';
import { limit } from './arguments';
import { UsageError } from './errors';
import { localTime, shorten, table } from './format';
import type { Io } from './io';
import { emit, platformOptions, type PlatformOptions } from './options';
import { findPlatform } from './platform';

interface Options extends PlatformOptions {
  readonly limit: number;
  readonly after?: string;
  readonly rebuild?: boolean;
}

/** Things between two lines of progress. */
const PROGRESS = 500;

export const register = (program: Command, io: Io): void => {
  platformOptions(
    program
      .command('search')
      .description('find models, versions, experiments, runs and datasets by words of names, owners, tags and causes; the best first')
      .argument('[words...]', 'all must be there')
      .option('--limit <number>', `how many, ${MOST_HITS} at most`, hits, 20)
      .option('--after <cursor>', 'go on behind a page that was shown before')
      .option('--rebuild', 'make the index anew from the records instead of searching'),
  ).action(async (words: readonly string[], _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { search, searchSources } = await findPlatform(options);
    if (options.rebuild) {
      const things = await rebuild(search, searchSources, io);
      emit(io, options, { things }, () => `${things} things are indexed\n`);
      return;
    }
    if (words.length === 0) throw new UsageError('nothing to search for', 'name at least one word, or --rebuild');
    const page = await search.find(words.join(' '), { limit: options.limit, cursor: options.after });
    emit(io, options, page, () => {
      if (page.items.length === 0)
        return page.cursor ? `nothing yet; more to look through: --after ${page.cursor}\n` : 'nothing has all of these words\n';
      const rows = page.items.map((hit) => [
        hit.kind,
        shorten(hit.title, 40),
        shorten(hit.detail, 50) || '-',
        localTime(new Date(hit.time)),
        identity(hit),
      ]);
      return table(io, ['kind', 'what', 'about', 'made', 'id'], rows) + (page.cursor ? `more: --after ${page.cursor}\n` : '');
    });
  });
};

const rebuild = async (search: SearchIndex, sources: Sources, io: Io): Promise<number> => {
  let things = 0;
  for await (const thing of everyThing(sources)) {
    for (const document of await documentsOf(sources, thing)) {
      await search.put(document, true);
      things += 1;
      if (things % PROGRESS === 0) io.err(`${things} things\n`);
    }
  }
  return things;
};

/** Models and versions are named by their title; the ids behind them are for programs. */
const identity = ({ kind, ref, title }: SearchHit): string => (kind === 'model' || kind === 'version' || ref === title ? '-' : ref);

const hits = (text: string): number => {
  const value = limit(text);
  if (value > MOST_HITS) throw new UsageError(`--limit ${text} is more than one page holds`, `${MOST_HITS} at most; --after goes on`);
  return value;
};
