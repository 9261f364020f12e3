import type { Command } from 'commander';
import { limit } from '../arguments';
import { duration, localTime, shorten, state, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

interface Options extends PlatformOptions {
  readonly limit: number;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent.command('list').description('runs of a model, newest first').argument('<model>').option('--limit <number>', 'how many', limit, 20),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { runs } = await findPlatform(options);
    const { items } = await runs.listRuns(model, { limit: options.limit });
    emit(io, options, items, () =>
      items.length === 0
        ? `${model} has no runs\n`
        : table(
            io,
            ['run', 'status', 'outcome', 'version', 'started', 'took', 'cause'],
            items.map((run) => [
              run.runId,
              state(io, run.status),
              run.outcome ? state(io, run.outcome) : run.error ? `at ${run.error.step}` : '-',
              run.version ? `v${run.version}` : '-',
              localTime(run.startTime),
              run.endTime ? duration(run.startTime, run.endTime) : '-',
              shorten(run.cause, 60),
            ]),
          ),
    );
  });
};
