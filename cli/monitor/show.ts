import type { Command } from 'commander';
import { limit } from '../arguments';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { deliverPage } from '../page';
import { findPlatform } from '../platform';
import { tellResult } from './tell';
import { utcMoment } from './times';
import { Windows } from './windows';

interface Options extends PlatformOptions {
  readonly window?: string;
  readonly features?: number;
  readonly report?: string;
  readonly open?: boolean;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('show')
      .description('a judged window: verdict, promise, features, quality, groups, data rules, episodes')
      .argument('<model>')
      .option('--window <end>', 'the window that ends at this time (ISO 8601, UTC); the newest where left out', utcMoment)
      .option('--features <number>', 'how many features to list, besides those that drifted (15)', limit)
      .option('--report <file>', 'also save the report as an HTML file')
      .option('--open', 'also open the report in the browser'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const windows = new Windows(await findPlatform(options), model);
    const place = await windows.find(options.window);
    const result = await windows.result(place);
    emit(io, options, result, () => `${tellResult(io, result, options)}\nreport: ${result.reportUri}\n`);
    if (options.report === undefined && !options.open) return;
    await deliverPage(io, { file: options.report, open: options.open, name: `${model}.html` }, await windows.report(place));
  });
};
