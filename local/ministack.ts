import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { EngineState } from './engine-state';
import { LocalError } from './errors';
import { signalGroup, signalProcess, waitUntil } from './processes';

const START_MILLISECONDS = 60_000;
const GRACE_MILLISECONDS = 3_000;

/** Of the host's environment, which every function inherits, only what programs need to run at all, and MiniStack's own settings. */
const PASSED = /^(PATH|LANG|LC_[A-Z]+|SSL_CERT_FILE|NODE_EXTRA_CA_CERTS|LOG_LEVEL|(MINISTACK|LAMBDA|SFN)_[A-Z_]+)$/;

export interface MiniStackOptions {
  readonly state: EngineState;
  readonly sagemakerUrl: string;
  readonly logFile: string;
  readonly parentPid: number;
}

export interface MiniStackExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** MiniStack with the plug-in as a child process in a group of its own, so that one signal reaches its function workers too. */
export class MiniStack {
  readonly exited: Promise<MiniStackExit>;
  readonly pid: number;
  private readonly child: ChildProcess;
  private exit?: MiniStackExit;

  constructor(private readonly options: MiniStackOptions) {
    const { state, logFile } = options;
    mkdirSync(path.join(state.workDirectory, 'tmp'), { recursive: true });
    const log = openSync(logFile, 'a');
    this.child = spawn(state.python, ['-m', 'mlops_engine'], {
      cwd: state.workDirectory,
      detached: true,
      stdio: ['ignore', log, log],
      env: environmentOf(options),
    });
    closeSync(log);
    this.pid = this.child.pid ?? 0;
    this.exited = new Promise((resolve) => {
      const ended = (exit: MiniStackExit): void => {
        this.exit = exit;
        resolve(exit);
      };
      this.child.once('error', () => ended({ code: 127, signal: null }));
      this.child.once('exit', (code, signal) => ended({ code, signal }));
    });
  }

  async ready(): Promise<void> {
    const url = `http://127.0.0.1:${this.options.state.port}/_ministack/health`;
    const up = await waitUntil(async () => this.exit !== undefined || (await isHealthy(url)), START_MILLISECONDS, 100);
    if (up && !this.exit) return;
    const what = this.exit ? `ended at once (${describeExit(this.exit)})` : `did not answer within ${START_MILLISECONDS / 1000} s`;
    throw new LocalError(`MiniStack ${what}; its last lines: ${lastLines(this.options.logFile)}`);
  }

  /** Ends it with everything it started. */
  async stop(): Promise<void> {
    if (!this.pid) return;
    if (!this.exit) signalProcess(this.pid, 'SIGTERM');
    await waitUntil(() => this.exit !== undefined, GRACE_MILLISECONDS, 20);
    // Workers stay in the group after their leader is gone.
    while (signalGroup(this.pid, 'SIGKILL')) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const describeExit = ({ code, signal }: MiniStackExit): string => (signal ? `signal ${signal}` : `exit code ${code}`);

export function lastLines(file: string, count = 12): string {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').filter((line) => line.trim());
    return lines.length ? `\n  ${lines.slice(-count).join('\n  ')}` : '(none)';
  } catch {
    return '(none)';
  }
}

function environmentOf({ state, sagemakerUrl, parentPid }: MiniStackOptions): NodeJS.ProcessEnv {
  const passed = Object.fromEntries(Object.entries(process.env).filter(([name]) => PASSED.test(name)));
  return {
    SFN_WAIT_SCALE: String(state.waitScale),
    ...passed,
    // Functions start the host's `node`: the one that runs this program comes first.
    PATH: [path.dirname(process.execPath), passed.PATH ?? '/usr/local/bin:/usr/bin:/bin'].join(path.delimiter),
    // No profile, credentials or settings file of the person may reach a function.
    HOME: state.workDirectory,
    TMPDIR: path.join(state.workDirectory, 'tmp'),
    TZ: 'UTC',
    PYTHONPATH: state.pluginDirectory,
    PYTHONNOUSERSITE: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONUNBUFFERED: '1',
    NODE_PATH: state.nodePath.join(path.delimiter),
    // The SDK's notice about coming Node versions would stand in the log of every function.
    NODE_NO_WARNINGS: '1',
    GATEWAY_PORT: String(state.port),
    BIND_HOST: '127.0.0.1',
    AUTH: 'true',
    MINISTACK_REGION: state.region,
    MINISTACK_ACCOUNT_ID: state.accountId,
    AWS_EC2_METADATA_DISABLED: 'true',
    MLOPS_SAGEMAKER_URL: sagemakerUrl,
    MLOPS_ENGINE_TOKEN: state.token,
    MLOPS_PARENT_PID: String(parentPid),
    ...(state.optimizedFields ? { MLOPS_OPTIMIZED_FIELDS: state.optimizedFields } : {}),
  };
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
