import type { Command } from 'commander';
import type { SignedApi } from './api';
import { CliError, UsageError } from './errors';
import { strong } from './format';
import type { Io } from './io';
import { platformOptions, type PlatformOptions } from './options';
import { findPlatform } from './platform';
import { findMlflow } from './ui/mlflow-package';
import { serveUi } from './ui/server';

interface Options extends PlatformOptions {
  readonly port: number;
  readonly mlflow?: string;
}

const portNumber = (text: string): number => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new UsageError(`'${text}' is no port: 0 to 65535, 0 for any that is free`);
  return port;
};

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('ui')
      .description("MLflow's web pages for this platform, from the mlflow that is installed here; every click acts with your AWS rights")
      .option('--port <number>', 'port on 127.0.0.1, 0 for any that is free', portNumber, 5010)
      .option('--mlflow <python>', 'Python, or directory of its environment, whose mlflow has the pages; the active one by default'),
  ).action(async (_, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { version, pages } = await findMlflow(options.mlflow, io.environment);
    const { api } = await findPlatform(options);
    const spoken = await versionOf(api);
    if (version !== spoken) io.err(`the pages are of MLflow ${version || 'of an unknown version'}, the platform answers like ${spoken}\n`);
    const ui = await serveUi({ pages, api, port: options.port });
    io.out(`${strong(io, ui.url)}\n`);
    io.err('While it runs, every program on this machine that opens this address acts with your AWS rights. Ctrl-C stops it.\n');
    await interrupted();
    await ui.close();
  });
};

/** Version of MLflow that the platform answers like; fails where there is no API or the caller may not read. */
async function versionOf(api: SignedApi): Promise<string> {
  const answer = await api.send({ method: 'GET', path: '/version' });
  if (answer.ok) return (await answer.text()).trim();
  const fix = answer.status === 403 ? 'ask for read access to the API (grantRead), or use a role that has it (AWS_PROFILE)' : undefined;
  throw new CliError(`the API at ${api.url} answered ${answer.status}`, fix);
}

const interrupted = (): Promise<void> =>
  new Promise((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
