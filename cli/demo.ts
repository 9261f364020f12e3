import type { Command } from 'commander';
import type { Io } from './io';

interface Options {
  readonly json?: string;
  readonly keep?: boolean;
}

export const register = (parent: Command, io: Io): void => {
  parent
    .command('demo')
    .description('the whole loop on real data, on the local engine: train, serve, drift, retrain, promote')
    .option('--json <file>', 'write the figures of the run to a file')
    .option('--keep', 'leave the engine up afterwards')
    .action(async (options: Options) => {
      // Loaded on demand: no other command needs it.
      const { runDemo } = await import('./demo/demo');
      process.exitCode = await runDemo(io, options);
    });
};
