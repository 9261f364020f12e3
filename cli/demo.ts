import { type Command, Option } from 'commander';
import { SCENARIO_NAMES, scenarioHelp } from './demo/scenarios/names';
import type { Io } from './io';

interface Options {
  readonly json?: string;
  readonly keep?: boolean;
  readonly scenario?: string;
}

export const register = (parent: Command, io: Io): void => {
  parent
    .command('demo')
    .description('the whole loop on real data, on the local engine: train, serve, drift, retrain, promote')
    .addOption(new Option('--scenario <name>', 'one story of what may go wrong instead, see below').choices(SCENARIO_NAMES))
    .option('--json <file>', 'write the figures of the run to a file')
    .option('--keep', 'leave the engine up afterwards')
    .addHelpText('after', scenarioHelp)
    .action(async (options: Options) => {
      // Loaded on demand: no other command needs it.
      const { runDemo } = await import('./demo/demo');
      process.exitCode = await runDemo(io, options);
    });
};
