import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from './errors';
import { isAlive } from './processes';

const POLL_MILLISECONDS = 200;

export interface LockOptions {
  readonly timeoutSeconds?: number;
  /** Called once, where another process holds the lock. */
  readonly onWait?: () => void;
}

/** Runs `action` while no other process holds the lock; a lock whose holder died is taken over. */
export async function withLock<T>(file: string, action: () => Promise<T>, options: LockOptions = {}): Promise<T> {
  mkdirSync(path.dirname(file), { recursive: true });
  const mine = `${process.pid} ${randomUUID()}`;
  const deadline = Date.now() + (options.timeoutSeconds ?? 900) * 1000;
  let waiting = false;
  while (!acquire(file, mine)) {
    if (Date.now() > deadline) {
      throw new LocalError(`another process has held ${file} for too long`, 'end that process or delete the file');
    }
    if (!waiting) options.onWait?.();
    waiting = true;
    await sleep(POLL_MILLISECONDS);
  }
  try {
    return await action();
  } finally {
    if (read(file) === mine) rmSync(file, { force: true });
  }
}

function acquire(file: string, mine: string): boolean {
  try {
    writeFileSync(file, mine, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const holder = read(file);
  // An empty file is being written this moment.
  if (!holder || isAlive(Number(holder.split(' ')[0]))) return false;
  removeStale(file, holder);
  return false;
}

/** Two processes may find the same dead holder: renaming lets only one remove it, and shows if a new lock was caught instead. */
function removeStale(file: string, holder: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch {
    return;
  }
  if (read(aside) !== holder) {
    try {
      renameSync(aside, file);
      return;
    } catch {
      // Nothing can be put back; its owner finishes without releasing.
    }
  }
  rmSync(aside, { force: true });
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
