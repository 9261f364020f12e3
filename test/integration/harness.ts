import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { App, AppProps } from 'aws-cdk-lib';
import { deployApp, destroyApp, type StackOutputs } from '../../local/deploy';

/** How tests reach the one engine that runs for all of them. */
export interface EngineConnection {
  readonly endpoint: string;
  readonly token: string;
  readonly region: string;
  readonly accountId: string;
  readonly logsDirectory: string;
  readonly python: string;
  /** AWS_ENDPOINT_URL, credentials, region: for a child process. */
  readonly env: Readonly<Record<string, string>>;
}

/** Set by global-setup.ts in the process that the workers inherit from. */
export const CONNECTION_VARIABLE = 'MLOPS_TEST_ENGINE';

// The set-up imports this module too, outside of any test.
if (typeof jest !== 'undefined') jest.setTimeout(120_000);

export const projectRoot = path.resolve(__dirname, '..', '..');

export function useEngine(): EngineConnection {
  const connection = process.env[CONNECTION_VARIABLE];
  if (!connection) throw new Error('no engine: integration tests run with `npx jest --selectProjects integration`');
  return JSON.parse(connection) as EngineConnection;
}

interface ClientConfig {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** A client of the AWS SDK that talks to the engine as the account's root: `client(S3Client)`. */
export function client<C>(constructor: new (config: ClientConfig) => C): C {
  const { endpoint, region } = useEngine();
  return new constructor({ region, endpoint, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
}

/** The engine's own routes below /_mlops: the permission recorder, sessions of roles. */
export async function engineCall<T>(route: string, body?: unknown): Promise<T> {
  const { endpoint, token } = useEngine();
  const answer = await fetch(`${endpoint}${route}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-mlops-engine-token': token, 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${route} answered ${answer.status}: ${text}`);
  return (text ? JSON.parse(text) : undefined) as T;
}

export interface Deployment {
  readonly outputs: StackOutputs;
  readonly assembly: string;
  destroy(): Promise<void>;
}

/** Synthesizes what `build` puts into the app and deploys it with the CDK CLI, as a person would. */
export async function deploy(build: (app: App) => void, props: AppProps = {}): Promise<Deployment> {
  const engine = useEngine();
  const assembly = mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-assembly-'));
  // Only tests that deploy pay for loading the library.
  const cdk = await import('aws-cdk-lib');
  const app = new cdk.App({ ...props, outdir: assembly });
  build(app);
  app.synth();
  const options = { appDirectory: projectRoot, environment: { ...withoutAws(process.env), ...engine.env }, assembly };
  return {
    outputs: await deployApp(options),
    assembly,
    destroy: async () => {
      await destroyApp(options);
      rmSync(assembly, { recursive: true, force: true });
    },
  };
}

/** Polls until `read` answers something; the last error or the time is the failure. */
export async function eventually<T>(what: string, read: () => Promise<T | undefined>, seconds = 60, pollMilliseconds = 200): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await read();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what} did not happen within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, pollMilliseconds));
  }
}

function withoutAws(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('AWS_')));
}
