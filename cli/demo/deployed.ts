import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { S3Files } from '../../lambda/common/s3.client';
import { bootstrap, deployApp, synthApp } from '../../local/deploy';
import { LocalEngine } from '../../local/engine';
import { ensurePython } from '../../local/toolchain';
import { findPlatform, type Platform } from '../platform';
import type { Stages } from './stages';

const STACK = 'MlOps';
const PLATFORM = 'mlops';
export const MODEL = 'BikeDemand';
export const DATA = path.join('examples', 'bike-sharing', 'data', 'hour.csv');
/** What outlives the engine. */
const OUTPUT = path.resolve('.mlops');

/** The app on an engine of its own. */
export interface Deployed {
  readonly engine: LocalEngine;
  readonly platform: Platform;
  /** Of the app's stack. */
  readonly outputs: Readonly<Record<string, string>>;
}

export interface DeployOptions {
  /** Leave the engine up for a look around. */
  readonly keep?: boolean;
  /** Variant of the app. */
  readonly scenario?: string;
  readonly onEngine: (engine: LocalEngine) => void;
}

/** The first stages of every story: an engine, and the app on it. */
export const deploy = async (stages: Stages, { keep, scenario, onEngine }: DeployOptions): Promise<Deployed> => {
  await stages.run('Python packages', (line) => ensurePython({ onProgress: line }));
  const appDirectory = process.cwd();
  const context = scenario === undefined ? undefined : { scenario };
  // Synthesis takes as long as start and bootstrap of the engine; the two meet before the deployment.
  const synthesized = settled(synthApp({ appDirectory, environment: process.env, output: assemblyDirectory(), context }));
  const engine = await stages.run('engine', async (line) => {
    const started = await LocalEngine.start({ attached: !keep, name: keep ? 'demo' : undefined, onProgress: line });
    onEngine(started);
    await bootstrap({ appDirectory, environment: started.environment() });
    return started;
  });
  const environment = engine.environment();
  const assembly = await stages.run('synth', () => synthesized());
  const outputs = await stages.run('deploy', () => deployApp({ appDirectory, environment, assembly, stacks: [STACK] }));
  return { engine, platform: await findPlatform({ local: engine.name, platform: PLATFORM }), outputs: outputs[STACK] ?? {} };
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

export const answers = (engine: LocalEngine): Promise<boolean> =>
  askEngine(engine, 'health').then(
    () => true,
    () => false,
  );

export const askEngine = async <T>(engine: LocalEngine, route: string): Promise<T> => {
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
export const checkPermissions = (stages: Stages, engine: LocalEngine): Promise<Permissions> =>
  stages.run(
    'permissions',
    async () => {
      const { denied, used, neverUsed } = await askEngine<Permissions>(engine, 'permissions');
      const ofTheStack = ({ role }: Permission): boolean => role.includes(`role/${STACK}-`);
      const permissions = { denied, used: used.filter(ofTheStack), neverUsed: neverUsed.filter(ofTheStack) };
      keepFile('permissions.json', `${JSON.stringify(permissions, null, 2)}\n`);
      if (denied.length > 0) {
        const missing = denied.map(({ role, action, resource }) => `${role} may not ${action} on ${resource}`);
        throw new Error(`the roles lack permissions:\n  ${missing.join('\n  ')}`);
      }
      return permissions;
    },
    ({ used, neverUsed }) => `${used.length} used, none missing; ${neverUsed.length} granted and not used: .mlops/permissions.json`,
  );

/** A report that outlives the engine; its path. */
export const saveReport = async (platform: Platform, uri: string, name: string): Promise<string> =>
  keepFile(name, await new S3Files(new S3Client(platform.connection)).readText(uri));

const keepFile = (name: string, text: string): string => {
  const file = path.join(OUTPUT, name);
  fs.mkdirSync(OUTPUT, { recursive: true });
  fs.writeFileSync(file, text);
  return file;
};
