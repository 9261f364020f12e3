import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import path from 'node:path';
import {
  checkedName,
  endpointOf,
  enginesDirectory,
  type EngineState,
  forgetOld,
  isUp,
  listStates,
  readState,
  removeEngine,
  settle,
  stateFile,
  SUPERVISOR_WORD,
  writeState,
} from './engine-state';
import { LocalError } from './errors';
import { withLock } from './lock';
import { lastLines } from './ministack';
import { freePort, isAlive, isProcess, signalProcess, waitUntil } from './processes';
import { bundledPackages, engineResource, nodeModulesFrom, optimizedFields, supervisorProgram } from './resources';
import type { OwnImages } from './sagemaker/images';
import type { SupervisorMessage } from './supervisor';
import { ensurePython } from './toolchain';

export const ACCOUNT_ID = '000000000000';
export const DEFAULT_ENGINE = 'default';
const STOP_MILLISECONDS = 15_000;

export interface EngineOptions {
  /** `default` for a detached engine; an attached one is named after its process. */
  readonly name?: string;
  /** An attached engine ends with the process that started it, however that ends. False by default: it stays until stopped. */
  readonly attached?: boolean;
  /** A free one by default. */
  readonly port?: number;
  /** us-east-1 by default. */
  readonly region?: string;
  /** Factor on Wait states and retry intervals of state machines, and on waits of deployments, spot and warm pools. 0.02 by default. */
  readonly waitScale?: number;
  /** Factor on time limits for containers to start and end. 1 by default. */
  readonly timeScale?: number;
  /** What stands in for images of one's own, by repository: `xgboost`, `scikit-learn`, or a directory with the programs `train` and `serve`. */
  readonly images?: OwnImages;
  /** Where functions look for packages that the runtime of AWS provides: every node_modules from here upwards. The working directory by default. */
  readonly projectDirectory?: string;
  readonly onProgress?: (line: string) => void;
}

/** A running local engine: one endpoint that answers as AWS does. */
export class LocalEngine {
  /** Starts an engine and returns when it answers. */
  static async start(options: EngineOptions = {}): Promise<LocalEngine> {
    const attached = options.attached ?? false;
    const name = checkedName(options.name ?? (attached ? `session-${process.pid}-${randomUUID().slice(0, 8)}` : DEFAULT_ENGINE));
    const program = supervisorProgram();
    const { python } = await ensurePython({ onProgress: options.onProgress });
    forgetOld();
    return withLock(`${stateFile(name)}.lock`, async () => {
      const known = readState(name);
      if (known && isUp(known)) {
        const fix = `stop it with \`mlops local stop ${name}\`, or choose another --name`;
        throw new LocalError(`the engine "${name}" already runs at ${endpointOf(known)}`, fix);
      }
      const port = await freePort(options.port);
      const directory = path.join(enginesDirectory(), name);
      rmSync(directory, { recursive: true, force: true });
      mkdirSync(directory, { recursive: true });
      const state: EngineState = {
        schemaVersion: 1,
        name,
        status: 'starting',
        pid: 0,
        port,
        portChosen: options.port !== undefined,
        token: randomBytes(24).toString('hex'),
        region: options.region ?? 'us-east-1',
        accountId: ACCOUNT_ID,
        directory,
        workDirectory: path.join(directory, 'work'),
        attached,
        python,
        pluginDirectory: engineResource('plugin'),
        runnersDirectory: engineResource('runners'),
        optimizedFields: optimizedFields(),
        nodePath: [...new Set([...nodeModulesFrom(options.projectDirectory ?? process.cwd()), ...nodeModulesFrom(__dirname), ...bundledPackages()])],
        waitScale: options.waitScale ?? 0.02,
        timeScale: options.timeScale,
        images: options.images,
        startedAt: new Date().toISOString(),
      };
      writeState(state);
      options.onProgress?.(`starting the engine "${name}" on port ${port}`);
      const child = launch(program, state);
      await started(child, state);
      const running = readState(name);
      if (!running || !isUp(running)) throw new LocalError(`the engine "${name}" ended while starting; see ${directory}`);
      return new LocalEngine(running, child);
    });
  }

  /** The running engine of this name. */
  static find(name: string = DEFAULT_ENGINE): LocalEngine | undefined {
    const state = readState(name);
    return state && state.status === 'running' ? new LocalEngine(state) : undefined;
  }

  /** Every engine known to this user, running or ended. */
  static list(): EngineState[] {
    return listStates();
  }

  private readonly listeners: Array<(reason: string) => void> = [];
  private stopping = false;

  private constructor(
    readonly state: EngineState,
    child?: ChildProcess,
  ) {
    child?.once('exit', () => {
      if (this.stopping) return;
      const ended = settle(state, 'its supervisor was killed');
      this.listeners.forEach((tell) => tell(ended.reason ?? 'it was stopped by another command'));
    });
  }

  get name(): string {
    return this.state.name;
  }

  get endpoint(): string {
    return endpointOf(this.state);
  }

  get token(): string {
    return this.state.token;
  }

  get logsDirectory(): string {
    return this.state.directory;
  }

  /** What a program needs to talk to this engine instead of AWS. */
  get env(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL: this.endpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: this.state.region,
      AWS_DEFAULT_REGION: this.state.region,
      AWS_EC2_METADATA_DISABLED: 'true',
      CDK_DEFAULT_ACCOUNT: this.state.accountId,
      CDK_DEFAULT_REGION: this.state.region,
    };
  }

  /** `base` with this engine's environment in the place of every AWS setting, so that no profile, session or proxy leads elsewhere. */
  environment(base: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
    const kept = Object.fromEntries(Object.entries(base).filter(([name]) => !/^(AWS|CDK_DEFAULT)_/.test(name)));
    const noProxy = [base.NO_PROXY ?? base.no_proxy, '127.0.0.1', 'localhost'].filter(Boolean).join(',');
    return { ...kept, ...this.env, NO_PROXY: noProxy, no_proxy: noProxy };
  }

  /** Called when an engine that this process started ends without `stop()`. */
  onExit(tell: (reason: string) => void): void {
    this.listeners.push(tell);
  }

  /** Ends the engine with all its processes; logs of an attached engine go with it. */
  async stop(): Promise<void> {
    this.stopping = true;
    const { pid } = this.state;
    if (isProcess(pid, SUPERVISOR_WORD)) {
      signalProcess(pid, 'SIGTERM');
      if (!(await waitUntil(() => !isAlive(pid), STOP_MILLISECONDS))) signalProcess(pid, 'SIGKILL');
      await waitUntil(() => !isAlive(pid), 2_000);
    }
    const ended = settle(this.state, 'it had to be killed');
    if (this.state.attached && ended.status === 'stopped') removeEngine(this.state);
  }
}

function launch(program: string, state: EngineState): ChildProcess {
  const log = openSync(path.join(state.directory, 'supervisor.log'), 'a');
  const env = { ...process.env, NODE_OPTIONS: undefined, NODE_PATH: undefined, JEST_WORKER_ID: undefined };
  // A group of its own: Ctrl-C reaches the command, and the command ends the engine.
  const child = spawn(process.execPath, ['--max-semi-space-size=4', program, stateFile(state.name)], {
    cwd: state.directory,
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    env,
  });
  closeSync(log);
  return child;
}

async function started(child: ChildProcess, state: EngineState): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = (reason: string): void =>
      reject(new LocalError(`the local engine did not start: ${reason}`, `its logs are in ${state.directory}`));
    child.on('message', (message: SupervisorMessage) => (message.type === 'ready' ? resolve() : failed(message.reason ?? 'it was stopped')));
    child.once('error', (error) => failed(error.message));
    child.once('exit', (code, signal) => {
      const what = `the supervisor ended (${signal ?? code}): ${lastLines(path.join(state.directory, 'supervisor.log'))}`;
      failed(settle(state, what).reason ?? what);
    });
  }).finally(() => child.removeAllListeners());
  // Neither process waits for the other to finish; a closed channel alone tells an attached engine to end.
  child.unref();
  child.channel?.unref();
  if (!state.attached) child.disconnect();
}
