import type { Command } from 'commander';
import type { MetricPoint } from '../../lib/tracking/contract';
import { localTime, number, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

const BARS = '▁▂▃▄▅▆▇█';
const WIDTH = 40;
const ROWS = 20;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent.command('metrics').description('metrics of a run; with a name: every point of that metric').argument('<run>').argument('[metric]'),
  ).action(async (runId: string, key: string | undefined, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const { tracking } = await findPlatform(options);
    if (key === undefined) {
      const { metrics } = await tracking.get(runId);
      const latest = Object.values(metrics).sort((a, b) => a.key.localeCompare(b.key));
      emit(io, options, latest, () =>
        latest.length === 0 ? `${runId} has no metrics\n` : table(io, ['metric', 'latest', 'step', 'at'], latest.map(row)),
      );
      return;
    }
    const points = await tracking.metricHistory(runId, key);
    const none = `${runId} has no metric ${key}; \`mlops runs metrics ${runId}\` tells those that it has\n`;
    emit(io, options, points, () => (points.length === 0 ? none : chart(io, points)));
  });
};

const row = ({ key, value, step, timestamp }: MetricPoint): string[] => [key, number(value), String(step), localTime(new Date(timestamp))];

function chart(io: Io, points: readonly MetricPoint[]): string {
  const values = points.map(({ value }) => value).filter(Number.isFinite);
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const every = Math.max(1, Math.ceil(values.length / WIDTH));
  const bars = values
    .filter((_, at) => at % every === 0)
    .map((value) => BARS[high === low ? 0 : Math.round(((value - low) / (high - low)) * (BARS.length - 1))]);
  const shown = points.slice(-ROWS).map((point) => row(point).slice(1));
  const left = points.length > ROWS ? `the last ${ROWS} of ${points.length} points; all with --json\n` : '';
  return `${points[0].key}  ${bars.join('')}  ${number(low)} to ${number(high)}\n${left}${table(io, ['value', 'step', 'at'], shown)}`;
}
