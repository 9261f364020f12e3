import type { RunStep } from '../../lib/tracking/contract';
import { bad, duration, good, shorten, state, strong } from '../format';
import type { Io } from '../io';

/** A run at one moment. */
export interface WatchedRun {
  readonly status: string;
  readonly startedAt: Date;
  readonly steps: readonly RunStep[];
  /** What the job under way has written since the moment before. */
  readonly lines: readonly string[];
}

export interface WatchedEnd {
  readonly ok: boolean;
  readonly status: string;
  readonly startedAt?: Date;
  readonly endedAt: Date;
  readonly outcome?: string;
  readonly version?: number;
  readonly step?: string;
  readonly error?: string;
  readonly message?: string;
  readonly exitCode?: number;
}

export interface WatchView {
  show(run: WatchedRun): void;
  end(end: WatchedEnd): void;
}

interface Named {
  readonly runId: string;
  readonly model: string;
}

/** What fits the reader: a picture that is redrawn for a person, lines for a file, objects for a program. */
export const viewOf = (io: Io, json: boolean, run: Named): WatchView =>
  json ? new ObjectView(io, run) : io.isTerminal ? new ScreenView(io, run) : new LineView(io, run);

const SHOWN_LINES = 6;
const WIDTH = 100;

const took = (step: RunStep, now: Date): string => duration(step.startTime, step.endTime ?? now.toISOString());

const farewell = (io: Io, { runId, model }: Named, end: WatchedEnd): string => {
  const time = end.startedAt === undefined ? '' : ` after ${duration(end.startedAt.toISOString(), end.endedAt.toISOString())}`;
  if (end.ok) {
    const version = end.version === undefined ? '' : ` (${model} v${end.version})`;
    return `${good(io, end.outcome ?? 'ended')}${version}: run ${runId} ended well${time}\n`;
  }
  const code = end.exitCode === undefined ? '' : ` (exit code ${end.exitCode})`;
  return [
    `${bad(io, end.status)}: run ${runId} ended at step ${end.step}${time}`,
    `  ${end.error}: ${end.message}${code}`,
    `  all about it: mlops runs show ${runId}`,
    `  go on from there: mlops runs resume ${runId}\n`,
  ].join('\n');
};

class ScreenView implements WatchView {
  private drawn = 0;
  private lines: string[] = [];
  private of = '';

  constructor(
    private readonly io: Io,
    private readonly run: Named,
  ) {}

  show({ status, startedAt, steps, lines }: WatchedRun): void {
    const { io } = this;
    const now = new Date();
    const current = steps.findLast((step) => step.status === 'RUNNING')?.name ?? '';
    if (current !== this.of) this.lines = [];
    this.of = current;
    this.lines = [...this.lines, ...lines].slice(-SHOWN_LINES);
    const width = Math.max(0, ...steps.map(({ name }) => name.length));
    const picture = [
      `${strong(io, this.run.runId)}  ${state(io, status)}  ${duration(startedAt.toISOString(), now.toISOString())}`,
      ...steps.map((step) => `  ${step.name.padEnd(width)}  ${state(io, step.status).padEnd(8)}  ${took(step, now)}`),
      ...this.lines.map((line) => `    ${shorten(line, WIDTH)}`),
    ];
    this.erase();
    io.out(`${picture.join('\n')}\n`);
    this.drawn = picture.length;
  }

  end(end: WatchedEnd): void {
    this.io.out(farewell(this.io, this.run, end));
  }

  /** Lines are shortened so that none takes two rows of the terminal. */
  private erase(): void {
    if (this.drawn > 0) this.io.out(`\u001b[${this.drawn}A\u001b[0J`);
  }
}

/** Tells each change once. */
abstract class ChangesView implements WatchView {
  private readonly known = new Map<string, string>();

  show({ steps, lines }: WatchedRun): void {
    // What has ended is told before what began after it.
    for (const step of steps) {
      const key = `${step.status} ${step.startTime}`;
      if (this.known.get(step.name) === key) continue;
      this.known.set(step.name, key);
      this.step(step);
    }
    const current = steps.findLast(({ status }) => status === 'RUNNING')?.name;
    for (const line of lines) this.line(current ?? '', line);
  }

  abstract end(end: WatchedEnd): void;
  protected abstract step(step: RunStep): void;
  protected abstract line(step: string, line: string): void;
}

class LineView extends ChangesView {
  constructor(
    private readonly io: Io,
    private readonly run: Named,
  ) {
    super();
  }

  end(end: WatchedEnd): void {
    this.io.out(farewell(this.io, this.run, end));
  }

  protected step(step: RunStep): void {
    const after = step.endTime === undefined ? '' : ` after ${duration(step.startTime, step.endTime)}`;
    this.io.out(`${step.endTime ?? step.startTime}  ${step.name}  ${step.status}${after}\n`);
  }

  protected line(step: string, line: string): void {
    this.io.out(`  ${step} | ${line}\n`);
  }
}

class ObjectView extends ChangesView {
  constructor(
    private readonly io: Io,
    private readonly run: Named,
  ) {
    super();
  }

  end({ ok, startedAt, endedAt, ...end }: WatchedEnd): void {
    this.put({ end: { ...end, ok, startTime: startedAt?.toISOString(), endTime: endedAt.toISOString() } });
  }

  protected step(step: RunStep): void {
    this.put({ step });
  }

  protected line(step: string, text: string): void {
    this.put({ line: { step, text } });
  }

  private put(about: object): void {
    this.io.out(`${JSON.stringify({ runId: this.run.runId, ...about })}\n`);
  }
}
