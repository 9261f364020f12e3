import { randomUUID } from 'node:crypto';
import { cp, mkdir } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../processes';
import { type Mode, modeOf } from './algorithm';
import { type Context, scaled } from './context';
import { messageOf } from './errors';
import { programOf } from './images';
import { type ModelRecord, modelDataOf } from './models';
import type { Container } from './processes';
import { downloadAll, extractArchive, listKeys, locationOf, relativeName, removeDirectory, storageReason } from './storage';

export interface ModelAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
}

const DEFAULT_STARTUP_SECONDS = 240;
const TERMINATION_SECONDS = 30;
const PING_MILLISECONDS = 2000;
const RESTART_SECONDS = 1;
const MOST_RESTARTS = 5;
const RUNNERS = { program: 'processing', script: 'serving', algorithm: 'algorithm_serving' } as const;

/** Why a model server did not come up, with the last line that its container said. */
export class StartFailure extends Error {
  constructor(
    readonly kind: 'data' | 'ping',
    message: string,
  ) {
    super(message);
  }
}

/** One model behind its own process: files fetched as the model's role, GET /ping, POST /invocations. */
export class ModelServer {
  inFlight = 0;
  private readonly root: string;
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: 64 });
  private container?: Container;
  private port = 0;
  private lastLine = '';
  private stopped = false;
  private doomed = false;
  /** Where a program of one's own was told to listen. */
  private toldPort?: number;

  constructor(
    private readonly context: Context,
    private readonly model: ModelRecord,
    private readonly onLine: (line: string) => void,
    private readonly environment: Record<string, string> = {},
  ) {
    this.root = path.join(context.options.workDirectory, 'serving', `${model.name}-${randomUUID().slice(0, 8)}`);
  }

  async start(startupSeconds = DEFAULT_STARTUP_SECONDS): Promise<void> {
    try {
      await this.fetchFiles();
    } catch (error) {
      throw new StartFailure('data', storageReason(error));
    }
    await this.launch(startupSeconds);
    void this.watch(startupSeconds);
  }

  async invoke(body: Buffer, headers: Record<string, string>, timeoutMilliseconds = 60_000): Promise<ModelAnswer> {
    this.inFlight += 1;
    try {
      return await this.request('POST', '/invocations', timeoutMilliseconds, body, headers);
    } finally {
      this.inFlight -= 1;
    }
  }

  /** Lets requests under way end, then ends the process. */
  async drain(): Promise<void> {
    const deadline = Date.now() + 60_000;
    while (this.inFlight > 0 && Date.now() < deadline) await sleep(20);
    await this.stop();
  }

  /** The container dies as it stands, or as soon as it is started. */
  kill(): void {
    this.doomed = this.container === undefined;
    this.container?.signal('SIGKILL');
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.container?.stop(scaled(this.context, TERMINATION_SECONDS));
    this.agent.destroy();
    await removeDirectory(this.root);
  }

  private async launch(startupSeconds: number): Promise<void> {
    const environment: Record<string, string> = { ...this.model.container.Environment, AWS_REGION: this.context.options.region, ...this.environment };
    const how = await this.command(environment);
    this.container = this.context.containers.take();
    this.container.start(
      { ...how, framework: this.context.images.framework(this.model.container.Image!), root: this.root },
      (line) => {
        if (line.trim()) this.lastLine = line.trim();
        this.onLine(line);
      },
    );
    if (this.doomed) this.kill();
    await this.healthy(Date.now() + scaled(this.context, startupSeconds));
  }

  /** A framework says where it listens; a program of one's own is told. */
  private async command(environment: Record<string, string>) {
    const own = this.ownProgram();
    this.toldPort = own === undefined ? undefined : await freePort();
    const port: Record<string, string> = this.toldPort === undefined ? {} : { SAGEMAKER_BIND_TO_PORT: String(this.toldPort) };
    const complete = { ...environment, ...port, SM_MODEL_DIR: path.join(this.root, 'model') };
    return { runner: RUNNERS[this.mode()], program: own ?? environment.SAGEMAKER_PROGRAM, environment: complete };
  }

  private mode(): Mode {
    const { Image, Environment } = this.model.container;
    return modeOf(Image!, { ...Environment, ...this.environment }.SAGEMAKER_PROGRAM, this.context.options.images, 'serve');
  }

  private ownProgram(): string | undefined {
    return programOf(this.context.options.images, this.model.container.Image!, 'serve');
  }

  /** A container that dies while it serves is started again, as on an instance. */
  private async watch(startupSeconds: number): Promise<void> {
    for (let failures = 0; failures < MOST_RESTARTS; ) {
      await this.container!.exited;
      if (this.stopped) return;
      this.onLine('The container ended and is started again.');
      await sleep(scaled(this.context, RESTART_SECONDS), undefined, { ref: false });
      if (this.stopped) return;
      try {
        await this.launch(startupSeconds);
        failures = 0;
      } catch (error) {
        failures += 1;
        this.onLine(messageOf(error));
      }
    }
  }

  private async fetchFiles(): Promise<void> {
    const s3 = this.context.engine.s3(this.model.roleArn);
    const modelDirectory = path.join(this.root, 'model');
    const codeDirectory = path.join(this.root, 'code');
    await mkdir(modelDirectory, { recursive: true });
    await mkdir(codeDirectory, { recursive: true });
    const data = modelDataOf(this.model.container);
    if (data?.form === 'archive') await extractArchive(s3, data.uri, path.join(this.root, 'model.tar.gz'), modelDirectory);
    else if (data) {
      const { bucket, key } = locationOf(data.uri);
      const keys = data.form === 'object' ? [key] : await listKeys(s3, bucket, key);
      await downloadAll(s3, bucket, new Map(keys.map((name) => [name, relativeName(name, key)])), modelDirectory);
    }
    if (this.mode() !== 'script') return;
    const environment = { ...this.model.container.Environment, ...this.environment };
    const submitted = environment.SAGEMAKER_SUBMIT_DIRECTORY ?? '/opt/ml/model/code';
    if (/^(s3|https):\/\//.test(submitted)) await extractArchive(s3, submitted, path.join(this.root, 'sourcedir.tar.gz'), codeDirectory);
    else await cp(this.inContainer(submitted), codeDirectory, { recursive: true });
  }

  /** The image's /opt/ml is this server's own root. */
  private inContainer(name: string): string {
    const inside = path.resolve(this.root, path.relative('/opt/ml', name.replace(/^file:\/\//, '')));
    if (!inside.startsWith(this.root + path.sep)) throw new Error(`SAGEMAKER_SUBMIT_DIRECTORY ${name} is neither in S3 nor below /opt/ml`);
    return inside;
  }

  private async healthy(deadline: number): Promise<void> {
    const container = this.container!;
    const late = new AbortController();
    const timeout = sleep(Math.max(0, deadline - Date.now()), undefined, { signal: late.signal, ref: false }).catch(() => undefined);
    try {
      const told = this.toldPort === undefined ? container.port : Promise.resolve(this.toldPort);
      const port = await Promise.race([told, container.exited.then(() => undefined), timeout.then(() => undefined)]);
      if (port === undefined) throw this.pingFailure(container.running ? 'the container did not answer in time' : 'the container ended');
      this.port = port;
      while (container.running && Date.now() < deadline) {
        const answer = await this.request('GET', '/ping', PING_MILLISECONDS).catch(() => undefined);
        if (answer?.status === 200) return;
        await sleep(50);
      }
      throw this.pingFailure('/ping did not answer 200');
    } finally {
      late.abort();
    }
  }

  private pingFailure(what: string): StartFailure {
    return new StartFailure('ping', this.lastLine ? `${what}; its last line: ${this.lastLine}` : what);
  }

  private request(
    method: string,
    url: string,
    timeoutMilliseconds: number,
    body?: Buffer,
    headers: Record<string, string> = {},
  ): Promise<ModelAnswer> {
    return new Promise((resolve, reject) => {
      const length = body ? { 'content-length': String(body.length) } : {};
      const request = http.request(
        { host: '127.0.0.1', port: this.port, method, path: url, agent: this.agent, headers: { ...headers, ...length } },
        (response) => {
          const parts: Buffer[] = [];
          response.on('data', (part: Buffer) => parts.push(part));
          response.on('error', reject);
          response.on('end', () => {
            const contentType = response.headers['content-type'] ?? 'application/octet-stream';
            resolve({ status: response.statusCode ?? 500, contentType, body: Buffer.concat(parts) });
          });
        },
      );
      request.setTimeout(timeoutMilliseconds, () => request.destroy(new Error('timed out')));
      request.on('error', (error) => reject(new Error(messageOf(error))));
      request.end(body);
    });
  }
}
