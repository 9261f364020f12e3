import { Listr } from 'listr2';
import type { Io } from '../io';

/** A failure that knows which stage it ended. */
export class StageError extends Error {
  constructor(
    public readonly stage: string,
    cause: unknown,
  ) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'StageError';
  }
}

/** Runs the demo's stages one after the other: live in a terminal, one line a stage with its time elsewhere. */
export class Stages {
  public readonly done: { name: string; seconds: number }[] = [];

  constructor(private readonly io: Io) {}

  /** `tell` shows what goes on within the stage; `result` may answer a sentence for the stage's line. */
  public async run<T>(name: string, action: (tell: (line: string) => void) => Promise<T>, result?: (value: T) => string): Promise<T> {
    const started = Date.now();
    const timed = async (tell: (line: string) => void): Promise<{ value: T; line: string }> => {
      try {
        const value = await action(tell);
        const seconds = (Date.now() - started) / 1000;
        this.done.push({ name, seconds: Math.round(seconds * 100) / 100 });
        return { value, line: `${name} (${seconds.toFixed(1)} s)${result ? `: ${result(value)}` : ''}` };
      } catch (error) {
        throw error instanceof StageError ? error : new StageError(name, error);
      }
    };
    return this.io.isTerminal ? this.runLive(name, timed) : this.runPlain(timed);
  }

  private async runPlain<T>(timed: (tell: (line: string) => void) => Promise<{ value: T; line: string }>): Promise<T> {
    const { value, line } = await timed((told) => this.io.out(`    ${told}\n`));
    this.io.out(`${line}\n`);
    return value;
  }

  private async runLive<T>(name: string, timed: (tell: (line: string) => void) => Promise<{ value: T; line: string }>): Promise<T> {
    let value!: T;
    await new Listr(
      [
        {
          title: name,
          task: async (_, task) => {
            const done = await timed((told) => (task.output = told));
            value = done.value;
            task.title = done.line;
          },
          rendererOptions: { outputBar: Infinity, persistentOutput: true },
        },
      ],
      { rendererOptions: { collapseErrors: false, showErrorMessage: false }, registerSignalListeners: false },
    ).run();
    return value;
  }
}
