import { spawn } from 'node:child_process';
import os from 'node:os';
import type { Command } from 'commander';
import { CliError, UsageError } from '../errors';
import type { Io } from '../io';
import { localEngine } from '../platform';

export const register = (parent: Command, io: Io): void => {
  parent
    .command('exec')
    .description('run a program with the environment of an engine: mlops local exec -- npx cdk deploy')
    .option('--name <name>', 'which engine')
    .argument('<command...>', 'after --')
    .action(async (words: string[], options: { readonly name?: string }) => {
      const engine = localEngine(options.name);
      const [program, ...args] = words;
      if (!program) throw new UsageError('there is nothing to run', 'give the program after --');
      process.exitCode = await run(program, args, engine.environment(io.environment));
    });
};

/** The exit code as a shell would answer it. */
function run(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'inherit' });
    // The terminal sends Ctrl-C to the child too: this process waits for what the child makes of it.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    process.on('SIGTERM', () => child.kill('SIGTERM'));
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(new CliError(error.code === 'ENOENT' ? `there is no program "${program}"` : error.message, 'check the name and PATH')),
    );
    child.once('close', (code, signal) => resolve(signal ? 128 + os.constants.signals[signal] : (code ?? 1)));
  });
}
