import type { Command } from 'commander';
import { limit } from '../arguments';
import { localTime, metrics, shorten, state, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

interface Options extends PlatformOptions {
  readonly limit: number;
  readonly after?: string;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('versions')
      .description('versions of a model, newest first')
      .argument('<model>')
      .option('--limit <number>', 'how many', limit, 20)
      .option('--after <cursor>', 'go on behind a page that was shown before'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { registry } = await findPlatform(options);
    const page = await registry.listVersions(model, { limit: options.limit, cursor: options.after });
    emit(io, options, page, () => {
      if (page.items.length === 0) return `${model} has no versions\n`;
      const head = ['version', 'state', 'aliases', 'made', 'metrics', 'run', 'missing'];
      const rows = page.items.map((version) => [
        `v${version.version}`,
        state(io, version.state),
        version.aliases.join(', ') || '-',
        localTime(version.createdAt),
        metrics(version.metrics ?? {}),
        version.runId ?? '-',
        shorten(version.missing.join(', '), 40) || '-',
      ]);
      return table(io, head, rows) + (page.cursor ? `more: --after ${page.cursor}\n` : '');
    });
  });
};
