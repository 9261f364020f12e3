import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { signalGroup, waitUntil } from '../../local/processes';

export interface MlflowServerOptions {
  /** Python of an environment that has MLflow in full. */
  readonly python: string;
  readonly workers?: number;
}

/** MLflow's own server on loopback, with SQLite and artifacts in memory where the system has such a directory. */
export class MlflowServer {
  static async start({ python, workers = 2 }: MlflowServerOptions): Promise<MlflowServer> {
    const directory = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'mlops-mlflow-'));
    const port = await freePort();
    const options = [
      'server', '--host', '127.0.0.1', '--port', String(port), '--workers', String(workers),
      '--backend-store-uri', `sqlite:///${directory}/mlflow.db`, '--artifacts-destination', path.join(directory, 'artifacts'),
    ];
    // A group of its own: the server starts workers.
    const child = spawn(python, ['-m', 'mlflow', ...options], {
      cwd: directory,
      env: { ...withoutSettings(process.env), GIT_PYTHON_REFRESH: 'quiet', MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const server = new MlflowServer(`http://127.0.0.1:${port}`, child, directory);
    const up = await waitUntil(async () => child.exitCode !== null || (await server.answers()), 90_000, 200);
    if (up && child.exitCode === null) return server;
    await server.stop();
    throw new Error(`MLflow's server did not start:\n${server.output}`);
  }

  private output = '';

  private constructor(
    readonly uri: string,
    private readonly child: ChildProcess,
    private readonly directory: string,
  ) {
    const collect = (chunk: Buffer): void => {
      this.output = `${this.output}${chunk.toString()}`.slice(-10_000);
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
  }

  async stop(): Promise<void> {
    const pid = this.child.pid as number;
    signalGroup(pid, 'SIGTERM');
    if (!(await waitUntil(() => this.child.exitCode !== null || this.child.signalCode !== null, 5_000))) signalGroup(pid, 'SIGKILL');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }

  private async answers(): Promise<boolean> {
    return fetch(`${this.uri}/health`).then(({ ok }) => ok, () => false);
  }
}

/** What a person's shell or another test has set for the client must not reach a program that is given its own. */
export const withoutSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(AWS|MLFLOW|PYTHON)_?/.test(name)));

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
