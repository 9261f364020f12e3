import type { Command } from 'commander';
import { atLeastTwo, compare, renderComparison } from '../compare';
import { duration } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent.command('compare').description('runs side by side: metrics, parameters, outcome').argument('<runs...>', 'ids of two or more runs'),
  ).action(async (ids: readonly string[], _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    atLeastTwo('run', ids);
    const { runs } = await findPlatform(options);
    const found = await Promise.all(ids.map((id) => runs.getRun(id)));
    const comparison = compare(ids, {
      metric: found.map(({ metrics }) => metrics),
      parameter: found.map(({ params }) => params),
      run: found.map(({ status, outcome, version, startTime, endTime }) => ({
        status,
        outcome,
        version,
        took: endTime && duration(startTime, endTime),
      })),
    });
    emit(io, options, comparison, () => renderComparison(io, comparison));
  });
};
