import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type EngineState, endpointOf, writeState } from './engine-state';
import { LocalError, textOf } from './errors';
import { describeExit, lastLines, MiniStack } from './ministack';
import { freePort } from './processes';
import { startSageMakerService } from './sagemaker/service';

const ATTEMPTS = 3;

/** What the starting process hears. */
export type SupervisorMessage = { readonly type: 'ready' } | { readonly type: 'ended'; readonly reason?: string };

interface Running {
  readonly ministack: MiniStack;
  readonly service: { readonly port: number; close(): Promise<void> | void };
}

/** Runs one engine: the SageMaker service inside this process, MiniStack as its child; neither outlives the other. */
class Supervisor {
  private running?: Running;
  private ending?: Promise<void>;
  private isReady = false;

  constructor(private state: EngineState) {}

  async run(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void this.end());
    process.on('disconnect', () => {
      // A detached engine lives on without its starter, but not one whose start nobody is waiting for any more.
      if (this.state.attached || !this.isReady) void this.end();
    });
    process.on('uncaughtException', (error) => void this.end(`the supervisor failed: ${error.stack ?? error.message}`));
    process.on('unhandledRejection', (error) => void this.end(`the supervisor failed: ${textOf(error)}`));
    this.update({ pid: process.pid });
    try {
      for (let attempt = 1; !this.running && !this.ending; attempt++) await this.attempt(attempt === ATTEMPTS || this.state.portChosen);
    } catch (error) {
      await this.end(textOf(error));
      return;
    }
    if (!this.running || this.ending) return;
    this.update({ status: 'running', ministackPid: this.running.ministack.pid });
    this.isReady = true;
    tell({ type: 'ready' });
  }

  private async attempt(last: boolean): Promise<void> {
    mkdirSync(this.state.workDirectory, { recursive: true });
    const service = await this.startService();
    if (this.ending) return void (await service.close());
    const logFile = path.join(this.state.directory, 'ministack.log');
    const sagemakerUrl = `http://127.0.0.1:${service.port}`;
    const ministack = new MiniStack({ state: this.state, sagemakerUrl, logFile, parentPid: process.pid });
    this.update({ ministackPid: ministack.pid });
    this.running = { ministack, service };
    try {
      await ministack.ready();
    } catch (error) {
      if (last || this.ending || !/already in use/i.test(textOf(error))) throw error;
      // A free port that somebody else took within these two seconds.
      await this.stopParts();
      this.update({ port: await freePort(), ministackPid: undefined });
      return;
    }
    void ministack.exited.then((exit) => this.end(`MiniStack ended by itself (${describeExit(exit)}); its last lines: ${lastLines(logFile)}`));
  }

  private async startService(): Promise<Running['service']> {
    const { state } = this;
    const log = createWriteStream(path.join(state.directory, 'sagemaker.log'), { flags: 'a' });
    const workDirectory = path.join(state.workDirectory, 'sagemaker');
    mkdirSync(workDirectory, { recursive: true });
    return startSageMakerService({
      engineUrl: endpointOf(state),
      engineToken: state.token,
      python: state.python,
      runnersDirectory: state.runnersDirectory,
      workDirectory,
      region: state.region,
      accountId: state.accountId,
      timeScale: state.timeScale,
      waitScale: state.waitScale,
      images: state.images,
      log: (line) => void log.write(`${new Date().toISOString()} ${line}\n`),
    });
  }

  /** Ends everything once, whoever asks first. */
  private end(reason?: string): Promise<void> {
    this.ending ??= this.finish(reason);
    return this.ending;
  }

  private async finish(reason?: string): Promise<void> {
    if (reason) process.stderr.write(`${reason}\n`);
    await this.stopParts().catch((error) => process.stderr.write(`while stopping: ${textOf(error)}\n`));
    rmSync(this.state.workDirectory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
    this.update({ status: reason ? 'failed' : 'stopped', endedAt: new Date().toISOString(), ...(reason ? { reason } : {}) });
    tell({ type: 'ended', ...(reason ? { reason } : {}) });
    process.exitCode = reason ? 1 : 0;
    setTimeout(() => process.exit(), 20);
  }

  private async stopParts(): Promise<void> {
    const { running } = this;
    this.running = undefined;
    await Promise.all([running?.ministack.stop(), running?.service.close()]);
  }

  private update(change: Partial<EngineState>): void {
    this.state = { ...this.state, ...change };
    writeState(this.state);
  }
}

function tell(message: SupervisorMessage): void {
  if (process.connected) process.send?.(message);
}

const [, , file] = process.argv;
if (!file) throw new LocalError('the supervisor is started by the engine, not by hand', 'use `mlops local start`');
void new Supervisor(JSON.parse(readFileSync(file, 'utf8')) as EngineState).run();
