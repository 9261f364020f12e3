import { spawn } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { CliError } from './errors';
import type { Io } from './io';

export interface PageOptions {
  /** File that a person named. */
  readonly file?: string;
  readonly open?: boolean;
  /** What the file is called where nobody named one. */
  readonly name: string;
}

/** Saves a page, and opens it in the browser where that is asked for. */
export async function deliverPage(io: Io, { file, open, name }: PageOptions, body: string | Uint8Array): Promise<void> {
  const target = file ?? path.join(mkdtempSync(path.join(os.tmpdir(), 'mlops-report-')), name);
  try {
    writeFileSync(target, body);
  } catch (error) {
    throw new CliError(`${target} cannot be written: ${(error as Error).message}`, 'name a file in a directory that is there');
  }
  io.err(`report written to ${target}\n`);
  if (open) await openFile(target);
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
