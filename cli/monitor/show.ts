import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Command } from 'commander';
import { limit } from '../arguments';
import { CliError } from '../errors';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
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
    const file = options.report ?? path.join(mkdtempSync(path.join(os.tmpdir(), 'mlops-report-')), `${model}.html`);
    saveReport(file, await windows.report(place));
    io.err(`report written to ${file}\n`);
    if (options.open) await openFile(file);
  });
};

/** Writes a file that a person asked for. */
export function saveReport(file: string, body: string | Uint8Array): void {
  try {
    writeFileSync(file, body);
  } catch (error) {
    throw new CliError(`${file} cannot be written: ${(error as Error).message}`, 'name a file in a directory that is there');
  }
}

const OPENERS: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = { darwin: ['open'], win32: ['cmd', '/c', 'start', ''] };

async function openFile(file: string): Promise<void> {
  const [program, ...args] = OPENERS[process.platform] ?? ['xdg-open'];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, [...args, path.resolve(file)], { detached: true, stdio: 'ignore' });
    child.once('error', () => reject(new CliError(`there is no program \`${program}\` to open the report with`, `open ${file} by hand`)));
    child.once('spawn', () => {
      child.unref();
      resolve();
    });
  });
}
