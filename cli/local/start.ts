import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { LocalEngine } from '../../local/engine';
import { FRAMEWORKS, type OwnImages } from '../../local/sagemaker/images';
import { CliError, UsageError } from '../errors';
import type { Io } from '../io';
import { jsonOption } from '../options';
import { withProgress } from '../progress';

interface Options {
  readonly name?: string;
  readonly port?: number;
  readonly foreground?: boolean;
  readonly image?: OwnImages;
  readonly json?: boolean;
}

/** Settings of a person's shell that would lead programs past the engine. */
const IN_THE_WAY = ['AWS_PROFILE', 'AWS_SESSION_TOKEN'];

export const register = (parent: Command, io: Io): void => {
  jsonOption(
    parent
      .command('start')
      .description('start an engine and print the environment that leads any CDK app or AWS SDK to it')
      .option('--name <name>', 'several engines run side by side (default: "default")')
      .option('--port <number>', 'a free one by default', portNumber)
      .option('--image <repository=what>', `stands in for an image of yours: ${FRAMEWORKS.join(', ')} or a directory with train and serve`, ownImage)
      .option('--foreground', 'stay, and end the engine with this command'),
  ).action(async (_, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const engine = await withProgress(io, 'local engine', (onProgress) =>
      LocalEngine.start({
        name: options.name ?? 'default',
        port: options.port,
        attached: options.foreground ?? false,
        images: options.image,
        onProgress,
      }),
    );
    const { env, name, endpoint, logsDirectory } = engine;
    io.out(options.json ? `${JSON.stringify({ name, endpoint, logsDirectory, env }, null, 2)}\n` : exports(env));
    if (!options.json) io.err(remarks(name, endpoint, options.foreground ?? false));
    if (options.foreground) await untilInterrupted(engine);
  });
};

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new UsageError(`--port ${text} is no port`, 'give a number from 1 to 65535');
  return port;
}

function ownImage(text: string, before: OwnImages = {}): OwnImages {
  const [, repository, what = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  const framework = FRAMEWORKS.some((known) => known === what);
  const program = ['train', 'serve'].some((name) => existsSync(path.join(what, name)));
  if (repository === undefined || !(framework || program)) {
    const choices = `give <repository>=${FRAMEWORKS.join(' or =')}, or a directory with train and serve`;
    throw new UsageError(`--image ${text} names nothing that runs`, choices);
  }
  return { ...before, [repository]: framework ? what : path.resolve(what) };
}

const exports = (env: Readonly<Record<string, string>>): string =>
  [`unset ${IN_THE_WAY.join(' ')}`, ...Object.entries(env).map(([name, value]) => `export ${name}=${value}`)].join('\n') + '\n';

function remarks(name: string, endpoint: string, foreground: boolean): string {
  const which = name === 'default' ? '' : ` --name ${name}`;
  const end = foreground ? 'Ctrl-C ends it' : `end it with: npx mlops local stop${name === 'default' ? '' : ` ${name}`}`;
  return `# engine "${name}" answers at ${endpoint}; ${end}\n# or without exporting anything: npx mlops local exec${which} -- npx cdk deploy\n`;
}

/** Resolves when somebody ends the engine, fails when it ends by itself. */
function untilInterrupted(engine: LocalEngine): Promise<void> {
  return new Promise((resolve, reject) => {
    // Nothing else keeps this process alive.
    const alive = setInterval(() => undefined, 60_000);
    const stop = (): void => {
      clearInterval(alive);
      engine.stop().then(resolve, reject);
    };
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
    engine.onExit((reason) => {
      clearInterval(alive);
      reject(new CliError(`the engine "${engine.name}" ended: ${reason}`, `its logs are in ${engine.logsDirectory}`));
    });
  });
}
