import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { GetParameterCommand, ParameterNotFound, SSMClient } from '@aws-sdk/client-ssm';
import { LocalError } from './errors';
import { signalGroup } from './processes';

export type DeployStage = 'synth' | 'bootstrap' | 'deploy' | 'destroy';

/** The CDK CLI failed; `lines` are the ones of its output that say why. */
export class DeployError extends LocalError {
  constructor(
    readonly stage: DeployStage,
    readonly lines: readonly string[],
    fix: string,
  ) {
    super(`cdk ${stage} failed\n  ${lines.join('\n  ')}\n`, fix);
    this.name = 'DeployError';
  }
}

export interface CdkOptions {
  /** Directory of the app: where the CDK CLI is looked up, and where its cdk.json lies. */
  readonly appDirectory: string;
  /** Complete environment of the CLI; `engine.environment()` for a local engine. */
  readonly environment: NodeJS.ProcessEnv;
  /** Every line that the CLI prints. */
  readonly onProgress?: (line: string) => void;
}

export interface SynthOptions extends CdkOptions {
  /** Where the cloud assembly goes. */
  readonly output: string;
  /** Command of the app; the one in cdk.json by default. */
  readonly app?: string;
  /** Context beside the one in cdk.json, as of `--context name=value`. */
  readonly context?: Readonly<Record<string, string>>;
}

export interface StackOptions extends CdkOptions {
  /** A cloud assembly; the app is not run again. */
  readonly assembly: string;
  /** All stacks by default. */
  readonly stacks?: readonly string[];
}

/** Outputs of each deployed stack. */
export type StackOutputs = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** The CLI's output is read by a program, and what it runs is not to be watched by the tool that runs this. */
const PLAIN = { NODE_OPTIONS: undefined, CDK_DISABLE_CLI_TELEMETRY: 'true', NODE_NO_WARNINGS: '1', NO_COLOR: '1', FORCE_COLOR: '0' };

const QUIET = ['--no-notices', '--no-version-reporting', '--ci', '--no-color'];

export async function synthApp(options: SynthOptions): Promise<string> {
  const app = options.app ? ['--app', options.app] : [];
  const context = Object.entries(options.context ?? {}).flatMap(([name, value]) => ['--context', `${name}=${value}`]);
  await cdk('synth', ['synth', '--quiet', '--output', options.output, ...app, ...context], options, 'repair the app and run the command again');
  return options.output;
}

/** Bootstraps the account and region of the environment, unless that was done before. */
export async function bootstrap(options: CdkOptions): Promise<void> {
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = options.environment;
  if (!account || !region) throw new LocalError('bootstrap needs CDK_DEFAULT_ACCOUNT and CDK_DEFAULT_REGION', 'take the environment from the engine');
  if (await isBootstrapped(options.environment, region)) return;
  const empty = mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-bootstrap-'));
  try {
    const args = ['bootstrap', `aws://${account}/${region}`];
    await cdk('bootstrap', args, options, "look at the engine's log: `mlops local logs`", empty);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

export async function deployApp(options: StackOptions): Promise<StackOutputs> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-deploy-'));
  const outputs = path.join(scratch, 'outputs.json');
  try {
    const args = [...onStacks('deploy', options), '--require-approval', 'never', '--progress', 'events', '--outputs-file', outputs];
    await cdk('deploy', args, options, 'repair the cause named above and deploy again');
    return existsSync(outputs) ? (JSON.parse(readFileSync(outputs, 'utf8')) as StackOutputs) : {};
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export async function destroyApp(options: StackOptions): Promise<void> {
  await cdk('destroy', [...onStacks('destroy', options), '--force'], options, 'repair the cause named above and destroy again');
}

function onStacks(command: string, { assembly, stacks }: StackOptions): string[] {
  return [command, ...(stacks?.length ? stacks : ['--all']), '--app', path.resolve(assembly)];
}

async function isBootstrapped(environment: NodeJS.ProcessEnv, region: string): Promise<boolean> {
  const ssm = new SSMClient({
    region,
    endpoint: environment.AWS_ENDPOINT_URL,
    credentials: { accessKeyId: environment.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: environment.AWS_SECRET_ACCESS_KEY ?? '' },
  });
  try {
    await ssm.send(new GetParameterCommand({ Name: '/cdk-bootstrap/hnb659fds/version' }));
    return true;
  } catch (error) {
    if (error instanceof ParameterNotFound) return false;
    throw error;
  } finally {
    ssm.destroy();
  }
}

function cliOf(appDirectory: string): string {
  for (const place of [appDirectory, process.cwd(), __dirname]) {
    try {
      return path.join(path.dirname(createRequire(path.join(place, 'package.json')).resolve('aws-cdk/package.json')), 'bin', 'cdk');
    } catch {
      // Not installed there: the next place.
    }
  }
  throw new LocalError(`the CDK CLI is not installed for ${appDirectory}`, 'run `npm install --save-dev aws-cdk` there');
}

async function cdk(stage: DeployStage, args: string[], options: CdkOptions, fix: string, cwd = options.appDirectory): Promise<void> {
  const child = spawn(process.execPath, [cliOf(options.appDirectory), ...args, ...QUIET], {
    cwd,
    env: { ...options.environment, ...PLAIN },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  // The CLI runs the app as a child of its own: the group ends with this process, however that ends.
  const end = (): boolean => child.pid !== undefined && signalGroup(child.pid, 'SIGTERM');
  process.once('exit', end);
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    readline.createInterface({ input: stream, crlfDelay: Infinity }).on('line', (raw) => {
      const line = withoutColour(raw).trimEnd();
      if (!line.trim()) return;
      lines.push(line);
      options.onProgress?.(line);
    });
  }
  const ended = await new Promise<string | undefined>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : signal ? `ended by ${signal}` : `exit code ${code}`));
  });
  process.removeListener('exit', end);
  if (ended !== undefined) throw new DeployError(stage, tellingLines(lines, ended), fix);
}

/** The lines that say why: failed resources and errors; else the end of the output. */
export function tellingLines(lines: readonly string[], ended: string): string[] {
  const saysWhy = (line: string): boolean => /_FAILED|❌|\berror\b|Error:|failed|\bfail:|denied|not authorized|\bERR_/i.test(line);
  // What goes well may be called PipelineFailed.
  const isProgress = (line: string): boolean => /\| (CREATE|UPDATE|DELETE)_(IN_PROGRESS|COMPLETE)\b/.test(line);
  const telling = lines.filter((line) => saysWhy(line) && !isProgress(line) && !/^\s+at /.test(line));
  const unique = telling.filter((line, at) => telling.indexOf(line) === at);
  if (unique.length) return unique.slice(0, 15);
  return lines.length ? lines.slice(-10) : [ended];
}

// A terminal's escape sequences.
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g');

function withoutColour(line: string): string {
  return line.replace(COLOUR, '');
}
