import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalError } from './errors';

/** Whether a process runs; one that ended but was not yet waited for does not. */
export const isAlive = (pid: number): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
  } catch {
    return true;
  }
};

/** Command line of a process, empty where there is none: pids are used again, so a number alone proves nothing. */
export const commandOf = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    const answer = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return answer.status === 0 ? answer.stdout.trim() : '';
  }
};

/** Whether this pid still is the process that was started with `word` in its command line. */
export const isProcess = (pid: number, word: string): boolean => isAlive(pid) && commandOf(pid).includes(word);

/** Signals a whole process group; false where none is left. */
export const signalGroup = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
};

export const signalProcess = (pid: number, signal: NodeJS.Signals): boolean => {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
};

/** True as soon as `done` holds, false after the time. */
export const waitUntil = async (done: () => boolean | Promise<boolean>, milliseconds: number, pollMilliseconds = 50): Promise<boolean> => {
  const deadline = Date.now() + milliseconds;
  while (!(await done())) {
    if (Date.now() > deadline) return false;
    await sleep(pollMilliseconds);
  }
  return true;
};

const listen = (port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const { port: bound } = server.address() as net.AddressInfo;
      server.close(() => resolve(bound));
    });
  });

/** A port nobody listens on; a wanted one that is taken or forbidden is an error that names the way out. */
export const freePort = async (wanted?: number): Promise<number> => {
  try {
    return await listen(wanted ?? 0);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = { EADDRINUSE: 'is taken by another process', EACCES: 'may not be used by this user' };
    const why = reasons[code ?? ''] ?? `cannot be used (${code})`;
    throw new LocalError(`port ${wanted} ${why}`, 'choose another with --port, or leave it out and a free one is taken', { cause: error });
  }
};
