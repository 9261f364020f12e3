import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { LocalError } from './errors';
import { withLock } from './lock';
import { cacheDirectory, engineResource } from './resources';

const OLDEST = [3, 11] as const;
/** After the system's own: the versions for which every pinned package has a wheel come first. */
const CANDIDATES = ['python3', 'python3.12', 'python3.11', 'python3.13'];
const COMPLETE = '.complete';

export interface Interpreter {
  readonly command: string;
  readonly executable: string;
  /** For example 3.11.7. */
  readonly version: string;
}

export interface Toolchain {
  /** Interpreter of the virtual environment that holds the engine's packages. */
  readonly python: string;
}

export interface ToolchainOptions {
  /** One short line per step; called only where there is something to do. */
  readonly onProgress?: (line: string) => void;
  readonly environment?: NodeJS.ProcessEnv;
  /** Pinned packages. The engine's by default. */
  readonly requirements?: string;
}

/** The first Python of at least 3.11; MLOPS_PYTHON is the only candidate where it is set. */
export function findPython(environment: NodeJS.ProcessEnv = process.env): Interpreter {
  const chosen = environment.MLOPS_PYTHON;
  const seen: Interpreter[] = [];
  for (const command of chosen ? [chosen] : CANDIDATES) {
    const found = inspect(command, environment);
    if (!found) continue;
    if (isRecent(found.version)) return found;
    seen.push(found);
  }
  const oldest = OLDEST.join('.');
  if (chosen) {
    const what = seen.length ? `is Python ${seen[0].version}, older than ${oldest}` : 'is no Python that starts';
    throw new LocalError(`MLOPS_PYTHON (${chosen}) ${what}`, `set it to a Python of at least ${oldest}`);
  }
  const had = seen.length ? `found only ${seen.map(({ command, version }) => `${command} (${version})`).join(', ')}` : 'found none';
  throw new LocalError(`the local engine needs Python ${oldest} or newer and ${had}`, 'install one, or name it in MLOPS_PYTHON');
}

/** The interpreter of the engine's environment; the first call on a machine builds it, which takes half a minute or so. */
export async function ensurePython(options: ToolchainOptions = {}): Promise<Toolchain> {
  const environment = options.environment ?? process.env;
  const requirements = options.requirements ?? path.join(engineResource('plugin'), 'requirements.txt');
  const base = findPython(environment);
  const hash = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const directory = path.join(cacheDirectory(environment), `python-${base.version}-${hash}`);
  const python = path.join(directory, 'bin', 'python');
  const ready = (): boolean => existsSync(path.join(directory, COMPLETE)) && existsSync(python);
  if (ready()) return { python };
  const onWait = () => options.onProgress?.('another process installs the Python packages: waiting for it');
  await withLock(
    `${directory}.lock`,
    async () => {
      if (!ready()) await build(base, directory, requirements, environment, options.onProgress);
    },
    { onWait },
  );
  return { python };
}

async function build(
  base: Interpreter,
  directory: string,
  requirements: string,
  environment: NodeJS.ProcessEnv,
  onProgress?: (line: string) => void,
): Promise<void> {
  // Scripts of a virtual environment hold its path, so it is built in place; only the marker makes it valid.
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(path.dirname(directory), { recursive: true });
  const python = path.join(directory, 'bin', 'python');
  const env = { ...environment, PYTHONPATH: undefined, PYTHONHOME: undefined, VIRTUAL_ENV: undefined };
  const uv = inspectUv(environment);
  try {
    onProgress?.(`creating a virtual environment with Python ${base.version}`);
    await (uv ? run('uv', ['venv', '--quiet', '--python', base.executable, directory], env) : run(base.executable, ['-m', 'venv', directory], env));
    onProgress?.(`installing the engine's Python packages with ${uv ? 'uv' : 'pip'}`);
    await (uv
      ? run('uv', ['pip', 'install', '--quiet', '--python', python, '--requirement', requirements], env)
      : run(python, ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--requirement', requirements], env));
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw installFailure(error as CommandFailure, base);
  }
  writeFileSync(path.join(directory, COMPLETE), `${new Date().toISOString()}\n`);
}

class CommandFailure extends Error {
  constructor(
    readonly command: string,
    readonly output: string,
  ) {
    super(`${command} failed`);
  }
}

function run(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const collect = (chunk: Buffer): void => {
      output = `${output}${chunk.toString()}`.slice(-20_000);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const name = [path.basename(command), ...args.slice(0, 3)].join(' ');
    child.once('error', (error) => reject(new CommandFailure(name, error.message)));
    child.once('close', (code) => (code === 0 ? resolve() : reject(new CommandFailure(name, output))));
  });
}

const CAUSES: readonly { readonly pattern: RegExp; readonly fix: string }[] = [
  {
    pattern: /ensurepip is not available|No module named '?(venv|ensurepip)/i,
    fix: 'install the venv module of this Python (Debian and Ubuntu: python3-venv), or uv',
  },
  { pattern: /No space left on device|Errno 28/i, fix: 'free disk space (about 1 GB is needed) and run the command again' },
  { pattern: /Permission denied|Errno 13/i, fix: 'make the cache directory writable, or set XDG_CACHE_HOME to one that is' },
  { pattern: /certificate|SSL/i, fix: 'let pip trust the certificates of your network (PIP_CERT) and run the command again' },
  {
    pattern: /resolve|resolution|Connection|timed out|unreachable|dns error|Proxy/i,
    fix: 'check the network, the proxy or the package index (pip config) and run the command again',
  },
  {
    pattern: /No matching distribution|Could not find a version|No solution found/i,
    fix: 'use Python 3.11 or 3.12 (MLOPS_PYTHON), or a package index that has these versions',
  },
];

function installFailure(failure: CommandFailure, base: Interpreter): LocalError {
  const lines = failure.output.split('\n').map((line) => line.trim()).filter(Boolean);
  const telling = lines.filter((line) => /error|fatal|no matching|could not/i.test(line));
  const cause = (telling.length ? telling : lines).slice(-3).join(' | ') || 'no output';
  const fix = CAUSES.find(({ pattern }) => pattern.test(failure.output))?.fix ?? 'repair the cause and run the command again';
  const what = `installing the engine's Python packages failed (${failure.command}, Python ${base.version})`;
  return new LocalError(`${what}: ${cause}`, fix, { cause: failure });
}

function inspect(command: string, environment: NodeJS.ProcessEnv): Interpreter | undefined {
  const script = 'import sys; print("%d.%d.%d" % sys.version_info[:3]); print(sys.executable)';
  const answer = spawnSync(command, ['-c', script], { encoding: 'utf8', env: { ...environment, PYTHONHOME: undefined } });
  if (answer.status !== 0) return undefined;
  const [version, executable] = answer.stdout.trim().split('\n');
  return { command, version, executable: executable || command };
}

function inspectUv(environment: NodeJS.ProcessEnv): boolean {
  return spawnSync('uv', ['--version'], { encoding: 'utf8', env: environment }).status === 0;
}

function isRecent(version: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}
