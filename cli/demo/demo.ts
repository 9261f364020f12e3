import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalEngine } from '../../local/engine';
import type { Io } from '../io';
import { answers, DATA } from './deployed';
import { tellLoop } from './loop';
import { findScenario } from './scenarios';
import { tellScenario } from './scenarios/tell';
import { StageError, Stages } from './stages';
import type { Told } from './told';

export interface DemoOptions {
  /** File for the result as JSON. */
  readonly json?: string;
  /** Leave the engine up for a look around. */
  readonly keep?: boolean;
  /** Another story than the loop. */
  readonly scenario?: string;
}

/** What to do about a failure, by the stage that it ended. */
const ADVICE: Readonly<Record<string, string>> = {
  'Python packages': 'check that PyPI can be reached and that Python 3.11 or newer is installed, then run the command again',
  synth: 'the message names the construct; `npm run build` makes the library that the app imports',
  engine: 'run the command again; if it happens again, the lines above and the logs that they name say why',
  permissions: 'grant what is missing in the construct that owns the role; .mlops/permissions.json has the whole list',
  deploy: 'the message names the resource; run again with `--keep`, and the logs stay: `npx mlops local logs demo`',
};
const ADVICE_FOR_RUNS = 'run again with `--keep`: the engine ends all the same, but its logs stay: `npx mlops local logs demo`';

/** Time within which what is left of a crashed engine has ended. */
const END_OF_ENGINE_MS = 15_000;

class EngineEnded extends Error {
  constructor(reason: string) {
    super(`the local engine ended on its own: ${reason}`);
  }
}

/** Goes once around the loop with the bike-demand model on a local engine, or tells a scenario; the exit code. */
export const runDemo = async (io: Io, options: DemoOptions): Promise<number> => {
  const scenario = options.scenario === undefined ? undefined : findScenario(options.scenario);
  const stages = new Stages(io);
  let engine: LocalEngine | undefined;
  const leave = async (code: number): Promise<never> => {
    if (!options.keep || code !== 0) await engine?.stop();
    process.exit(code);
  };
  const interrupted = (): void => {
    io.err('\ninterrupted: the engine and its processes are being stopped\n');
    void leave(130);
  };
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    if (!fs.existsSync(DATA)) throw new Error(`${DATA} is not here: the demo runs from a checkout of cdk-mlops`);
    let crash: (reason: string) => void = () => undefined;
    const crashed = new Promise<never>((_, reject) => {
      crash = (reason) => reject(new EngineEnded(reason));
    });
    // Awaited by a race or not at all.
    crashed.catch(() => undefined);
    const onEngine = (started: LocalEngine): void => {
      engine = started;
      started.onExit(crash);
    };
    const deployment = { keep: options.keep, scenario: scenario?.name, onEngine };
    const told = (scenario ? tellScenario(io, stages, scenario, deployment) : tellLoop(io, stages, deployment)).catch(async (error: unknown) => {
      // A call that found the engine gone fails before the engine's own end is known.
      if (engine && !(await answers(engine))) await Promise.race([crashed, sleep(END_OF_ENGINE_MS)]);
      throw error;
    });
    finish(io, await Promise.race([told, crashed]), options);
  } catch (error) {
    const stage = error instanceof StageError ? error.stage : error instanceof EngineEnded ? 'engine' : 'demo';
    io.err(`\n${stage} failed: ${(error as Error).message}\nwhat to do: ${ADVICE[stage] ?? ADVICE_FOR_RUNS}\n`);
    if (process.env.DEBUG) io.err(`${(error as Error).stack}\n`);
    return leave(1);
  }
  return leave(0);
};

const finish = (io: Io, { result, summary, wrong }: Told, options: DemoOptions): void => {
  io.out(summary);
  if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  if (wrong.length > 0) throw new Error(wrong.join('; '));
};
