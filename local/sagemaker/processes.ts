import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import readline from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Framework } from './images';
import type { SageMakerOptions } from './options';

export interface Order {
  readonly runner: 'training' | 'serving' | 'processing' | 'algorithm' | 'algorithm_serving';
  readonly framework: Framework;
  readonly root: string;
  readonly environment: Record<string, string>;
  readonly cpus?: number;
  readonly program?: string;
  /** Processing: entry point and arguments. */
  readonly command?: readonly string[];
  /** Without a network. */
  readonly isolated?: boolean;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** An interpreter waiting for its order, with the frameworks already imported where it is warm, or at work on it. */
export class Container {
  readonly exited: Promise<Exit>;
  readonly port: Promise<number>;
  running = true;
  ready = false;
  private readonly child: ChildProcess;
  private readonly listeners: Array<(line: string) => void> = [];

  constructor(options: SageMakerOptions, warm: boolean) {
    // A clean environment: a job must get its rights from its role alone, as it does inside its container.
    this.child = spawn(options.python, ['-u', path.join(options.runnersDirectory, 'container.py'), ...(warm ? ['--warm'] : [])], {
      cwd: options.workDirectory,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: {
        PATH: `${path.dirname(options.python)}:/usr/local/bin:/usr/bin:/bin`,
        HOME: options.workDirectory,
        TMPDIR: options.workDirectory,
        LANG: 'C.UTF-8',
        OMP_NUM_THREADS: '2',
        OPENBLAS_NUM_THREADS: '2',
        // Threads that spin while they wait make a training ten times as slow where the cores are shared with others.
        OMP_WAIT_POLICY: 'PASSIVE',
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONNOUSERSITE: '1',
      },
    });
    (this.child.stdin as Writable).on('error', () => undefined);
    for (const stream of [this.child.stdout, this.child.stderr]) {
      readline.createInterface({ input: stream as Readable, crlfDelay: Infinity }).on('line', (line) => this.listeners.forEach((tell) => tell(line)));
    }
    this.port = new Promise((resolve) => {
      readline.createInterface({ input: this.child.stdio[3] as Readable }).on('line', (line) => {
        const said = JSON.parse(line) as { ready?: boolean; port?: number };
        this.ready ||= said.ready === true;
        if (said.port) resolve(said.port);
      });
    });
    this.exited = new Promise((resolve) => {
      this.child.once('error', () => this.ended(resolve, { code: 127, signal: null }));
      this.child.once('exit', (code, signal) => {
        // Output may still be on its way; a grandchild that keeps the pipe open must not hold the job.
        const late = setTimeout(() => this.ended(resolve, { code, signal }), 500);
        this.child.once('close', () => {
          clearTimeout(late);
          this.ended(resolve, { code, signal });
        });
      });
    });
  }

  start(order: Order, onLine: (line: string) => void): void {
    this.listeners.push(onLine);
    (this.child.stdin as Writable).write(`${JSON.stringify(order)}\n`);
  }

  /** SIGTERM to the process and all its children, SIGKILL after the grace period. */
  async stop(graceMilliseconds: number): Promise<Exit> {
    this.signal('SIGTERM');
    const kill = setTimeout(() => this.signal('SIGKILL'), graceMilliseconds);
    const exit = await this.exited;
    clearTimeout(kill);
    return exit;
  }

  signal(name: NodeJS.Signals): void {
    if (!this.running || this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, name);
    } catch {
      // Gone between the check and the signal.
    }
  }

  private ended(resolve: (exit: Exit) => void, exit: Exit): void {
    // Whatever a script left behind in its group goes with it.
    this.signal('SIGKILL');
    this.running = false;
    resolve(exit);
  }
}

const IDLE_MILLISECONDS = 60_000;

/** Starts containers and keeps one warm for the next job, only while jobs are likely. */
export class Containers {
  private readonly all = new Set<Container>();
  private spare?: Container;
  private idle?: NodeJS.Timeout;
  private closed = false;

  constructor(private readonly options: SageMakerOptions) {}

  /** Called when something makes a container likely soon: imports run before it is asked for. */
  prepare(): void {
    if (this.closed) return;
    clearTimeout(this.idle);
    this.idle = setTimeout(() => this.dismiss(), IDLE_MILLISECONDS);
    this.idle.unref();
    if (!this.spare?.running) this.spare = this.create(true);
  }

  take(): Container {
    if (this.closed) throw new Error('the service is closing');
    // One that is still importing would make a script wait for frameworks that it may not want.
    if (!this.spare?.running || !this.spare.ready) return this.create(false);
    const warm = this.spare;
    this.spare = undefined;
    return warm;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.idle);
    const ending = [...this.all].map((container) => {
      container.signal('SIGKILL');
      return container.exited;
    });
    await Promise.all(ending);
  }

  private create(warm: boolean): Container {
    const container = new Container(this.options, warm);
    this.all.add(container);
    void container.exited.then(() => this.all.delete(container));
    return container;
  }

  private dismiss(): void {
    this.spare?.signal('SIGKILL');
    this.spare = undefined;
  }
}
