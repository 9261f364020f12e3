import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Files } from '../../lambda/common/s3.client';
import type { ModelVersion } from '../../lib/registry/contract';
import { bootstrap, deployApp, synthApp } from '../../local/deploy';
import { LocalEngine } from '../../local/engine';
import { ensurePython } from '../../local/toolchain';
import type { Io } from '../io';
import { findPlatform, type Platform } from '../platform';
import { readHours } from './bike-data';
import type { DemoResult } from './result';
import { StageError, Stages } from './stages';
import { MONTHS, Story } from './story';
import { summarize } from './summary';

export interface DemoOptions {
  /** File for the result as JSON. */
  readonly json?: string;
  /** Leave the engine up for a look around. */
  readonly keep?: boolean;
}

const STACK = 'MlOps';
const PLATFORM = 'mlops';
const MODEL = 'BikeDemand';
/** What outlives the engine. */
const OUTPUT = path.resolve('.mlops');
const DATA = path.join('examples', 'bike-sharing', 'data', 'hour.csv');

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

/** Goes once around the loop with the bike-demand model on a local engine; the exit code. */
export const runDemo = async (io: Io, options: DemoOptions): Promise<number> => {
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
    const told = tell(stages, options, (started) => {
      engine = started;
      started.onExit(crash);
    }).catch(async (error: unknown) => {
      // A call that found the engine gone fails before the engine's own end is known.
      if (engine && !(await answers(engine))) await Promise.race([crashed, sleep(END_OF_ENGINE_MS)]);
      throw error;
    });
    const result = await Promise.race([told, crashed]);
    finish(io, result, options, engine as unknown as LocalEngine);
  } catch (error) {
    const stage = error instanceof StageError ? error.stage : error instanceof EngineEnded ? 'engine' : 'demo';
    io.err(`\n${stage} failed: ${(error as Error).message}\nwhat to do: ${ADVICE[stage] ?? ADVICE_FOR_RUNS}\n`);
    if (process.env.DEBUG) io.err(`${(error as Error).stack}\n`);
    return leave(1);
  }
  return leave(0);
};

/** All stages; answers what the summary shows. */
const tell = async (stages: Stages, options: DemoOptions, onEngine: (engine: LocalEngine) => void): Promise<DemoResult> => {
  await stages.run('Python packages', (line) => ensurePython({ onProgress: line }));
  const appDirectory = process.cwd();
  // Synthesis takes as long as start and bootstrap of the engine; the two meet before the deployment.
  const synthesized = settled(synthApp({ appDirectory, environment: process.env, output: assemblyDirectory() }));
  const engine = await stages.run('engine', async (line) => {
    const started = await LocalEngine.start({ attached: !options.keep, name: options.keep ? 'demo' : undefined, onProgress: line });
    onEngine(started);
    await bootstrap({ appDirectory, environment: started.environment() });
    return started;
  });
  const environment = engine.environment();
  const assembly = await stages.run('synth', () => synthesized());
  await stages.run('deploy', () => deployApp({ appDirectory, environment, assembly, stacks: [STACK] }));
  const platform = await findPlatform({ local: engine.name, platform: PLATFORM });
  const hours = readHours(DATA);
  const story = new Story(platform, MODEL, hours);
  await stages.run('first version', (line) => story.firstVersion(line));
  for (const month of MONTHS) {
    const started = await stages.run(month, (line) => story.month(month, line));
    if (started) await stages.run(`retraining after ${month}`, (line) => story.whileRunning(started, line));
  }
  const months = await stages.run('review', () => story.review());
  await stages.run(
    'permissions',
    () => checkPermissions(engine),
    ({ used, neverUsed }) => `${used.length} used, none missing; ${neverUsed.length} granted and not used: .mlops/permissions.json`,
  );
  const versions = await allVersions(platform);
  return {
    schemaVersion: 1,
    stages: stages.done,
    versions: versions.map(({ version, metrics, state, cause }) => ({ version, metrics, state, cause })),
    months,
    governor: (await story.decisions()).map(({ decision, cause, at, reason }) => ({ decision, cause: cause.summary, at, reason })),
    awsCalls: await askEngine<Record<string, number>>(engine, 'calls'),
    endpointRequests: story.client.requests,
    endpointFailures: story.client.failures,
    report: await saveReport(platform, story.report?.reportUri as string),
  };
};

/** A cloud assembly of this run's own, gone with the process: two demos, or a demo and a deployment, do not meet in `cdk.out`. */
const assemblyDirectory = (): string => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-demo-'));
  process.once('exit', () => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
};

/** Holds a result that is awaited later, so that an early failure is told in its stage and not as an unhandled rejection. */
const settled = <T>(promise: Promise<T>): (() => Promise<T>) => {
  const result = promise.then(
    (value) => () => value,
    (error: unknown) => () => {
      throw error;
    },
  );
  return async () => (await result)();
};

const allVersions = async (platform: Platform): Promise<ModelVersion[]> => {
  const { items } = await platform.registry.listVersions(MODEL, { limit: 100 });
  return [...items].sort((a, b) => a.version - b.version);
};

const answers = (engine: LocalEngine): Promise<boolean> =>
  askEngine(engine, 'health').then(
    () => true,
    () => false,
  );

const askEngine = async <T>(engine: LocalEngine, route: string): Promise<T> => {
  const answer = await fetch(`${engine.endpoint}/_mlops/${route}`, { headers: { 'x-mlops-engine-token': engine.token } });
  return (await answer.json()) as T;
};

interface Permission {
  readonly role: string;
  readonly action: string;
  readonly resource: string;
}

interface Permissions {
  readonly denied: readonly Permission[];
  readonly used: readonly Permission[];
  readonly neverUsed: readonly Permission[];
}

/** What the roles of the stack used against what their policies grant; something missing ends the demo, for it would be missing on AWS too. */
const checkPermissions = async (engine: LocalEngine): Promise<Permissions> => {
  const { denied, used, neverUsed } = await askEngine<Permissions>(engine, 'permissions');
  const ofTheStack = ({ role }: Permission): boolean => role.includes(`role/${STACK}-`);
  const permissions = { denied, used: used.filter(ofTheStack), neverUsed: neverUsed.filter(ofTheStack) };
  fs.mkdirSync(OUTPUT, { recursive: true });
  fs.writeFileSync(path.join(OUTPUT, 'permissions.json'), `${JSON.stringify(permissions, null, 2)}\n`);
  if (denied.length > 0) {
    const missing = denied.map(({ role, action, resource }) => `${role} may not ${action} on ${resource}`);
    throw new Error(`the roles lack permissions:\n  ${missing.join('\n  ')}`);
  }
  return permissions;
};

/** The report outlives the engine. */
const saveReport = async (platform: Platform, uri: string): Promise<string> => {
  const file = path.join(OUTPUT, 'drift-report.html');
  fs.mkdirSync(OUTPUT, { recursive: true });
  fs.writeFileSync(file, await new S3Files(new S3Client(platform.connection)).readText(uri));
  return file;
};

const finish = (io: Io, result: DemoResult, options: DemoOptions, engine: LocalEngine): void => {
  const further = options.keep
    ? [
        `The engine is still up (${engine.endpoint}). Look further:`,
        '  npx mlops --local demo models show BikeDemand',
        '  npx mlops --local demo runs list BikeDemand',
        '  npx mlops --local demo retrain status BikeDemand',
        '  npx mlops local stop demo',
      ]
    : ['`npm run demo -- --keep` leaves the engine up to look further with `npx mlops --local demo models show BikeDemand`.'];
  io.out(summarize(io, result, further));
  if (options.json) fs.writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  const missed = result.endpointFailures > 0 ? `${result.endpointFailures} requests to the endpoint failed` : undefined;
  if (missed) throw new Error(missed);
};
