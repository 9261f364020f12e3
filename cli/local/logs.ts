import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { isUp, readState } from '../../local/engine-state';
import { CliError } from '../errors';
import { strong } from '../format';
import type { Io } from '../io';

interface Options {
  readonly follow?: boolean;
  readonly lines: string;
}

const POLL_MILLISECONDS = 300;
const TAIL_BYTES = 256 * 1024;

export const register = (parent: Command, io: Io): void => {
  parent
    .command('logs')
    .description('logs of MiniStack, the SageMaker service and the supervisor; they stay when the engine ends')
    .argument('[name]', 'which engine', 'default')
    .option('-f, --follow', 'go on until the engine ends')
    .option('-n, --lines <number>', 'how many lines of each', '50')
    .action(async (name: string, options: Options) => {
      const state = readState(name);
      if (!state || !existsSync(state.directory)) throw new CliError(`no engine "${name}" is known`, 'see `mlops local status`');
      const logs = readdirSync(state.directory).filter((file) => file.endsWith('.log')).sort().map((file) => path.join(state.directory, file));
      const positions = new Map(logs.map((file) => [file, show(io, file, Number(options.lines) || 50)]));
      while (options.follow) {
        const stillUp = isUp(readState(name) ?? { ...state, status: 'stopped' });
        for (const file of logs) positions.set(file, showNew(io, file, positions.get(file) ?? 0));
        if (!stillUp) return;
        await sleep(POLL_MILLISECONDS);
      }
    });
};

function show(io: Io, file: string, count: number): number {
  const end = statSync(file).size;
  const lines = read(file, Math.max(0, end - TAIL_BYTES), end).split('\n').filter((line) => line !== '');
  if (lines.length) io.out(`${strong(io, `==> ${path.basename(file)}`)}\n${lines.slice(-count).join('\n')}\n`);
  return end;
}

function showNew(io: Io, file: string, from: number): number {
  const end = statSync(file).size;
  const text = read(file, Math.min(from, end), end);
  // Only whole lines: the rest comes with the next look.
  const whole = text.lastIndexOf('\n') + 1;
  const label = path.basename(file, '.log');
  for (const line of text.slice(0, whole).split('\n')) if (line) io.out(`${strong(io, label)} ${line}\n`);
  return Math.min(from, end) + Buffer.byteLength(text.slice(0, whole));
}

function read(file: string, from: number, to: number): string {
  const handle = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(to - from);
    readSync(handle, bytes, 0, bytes.length, from);
    return bytes.toString('utf8');
  } finally {
    closeSync(handle);
  }
}
