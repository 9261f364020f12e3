import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const cache = () => {
  const home = os.homedir();
  const base = process.env.XDG_CACHE_HOME || (process.platform === 'darwin' ? path.join(home, 'Library', 'Caches') : path.join(home, '.cache'));
  return path.join(base, 'cdk-mlops');
};

const run = (command, args) => {
  const done = spawnSync(command, args, { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${command} ${args.join(' ')} failed: ${done.stderr || done.stdout || done.error}`);
};

/** Directory with the pinned Python tools in a virtual environment of the user's cache; made at the first call. */
export const pythonTools = (requirements) => {
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const directory = path.join(cache(), `checks-${hash}`);
  const tools = path.join(directory, 'bin');
  if (existsSync(path.join(directory, '.complete'))) return tools;
  mkdirSync(cache(), { recursive: true });
  rmSync(directory, { recursive: true, force: true });
  run(process.env.MLOPS_PYTHON ?? 'python3', ['-m', 'venv', directory]);
  run(path.join(tools, 'python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements]);
  // Only now: a set-up that was interrupted is made again.
  run(path.join(tools, 'python'), ['-c', `open(${JSON.stringify(path.join(directory, '.making'))}, 'w').close()`]);
  renameSync(path.join(directory, '.making'), path.join(directory, '.complete'));
  return tools;
};
