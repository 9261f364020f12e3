import type { Command } from 'commander';
import type { RunRecord } from '../../lib/tracking/contract';
import { duration, fields, localTime, number, shorten, state, strong, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

export const register = (parent: Command, io: Io): void => {
  platformOptions(parent.command('show').description('one run: steps, parameters, metrics, and why it failed').argument('<run>')).action(
    async (runId: string, _, command: Command) => {
      const options = command.optsWithGlobals<PlatformOptions>();
      const run = await (await findPlatform(options)).runs.getRun(runId);
      emit(io, options, run, () => show(io, run));
    },
  );
};

function show(io: Io, run: RunRecord): string {
  const about = fields(io, {
    run: run.runId,
    model: run.model,
    status: state(io, run.status),
    outcome: run.outcome && state(io, run.outcome),
    version: run.version ? `v${run.version}` : undefined,
    started: localTime(run.startTime),
    took: run.endTime && duration(run.startTime, run.endTime),
    cause: run.cause,
    execution: run.executionArn,
    'failed at': run.error?.step,
    error: run.error && `${run.error.name}: ${run.error.message}`,
  });
  const steps = table(
    io,
    ['step', 'status', 'started', 'took', 'outcome'],
    run.steps.map((step) => [
      step.name,
      state(io, step.status),
      localTime(step.startTime),
      step.endTime ? duration(step.startTime, step.endTime) : '-',
      shorten(step.error ?? Object.entries(step.outputs ?? {}).map(([name, value]) => `${name}=${value}`).join(' '), 90) || '-',
    ]),
  );
  const metrics = Object.fromEntries(Object.entries(run.metrics).map(([name, value]) => [name, number(value)]));
  const section = (title: string, values: Readonly<Record<string, string>>): string =>
    Object.keys(values).length === 0 ? '' : `\n${strong(io, title)}\n${fields(io, values)}`;
  return `${about}\n${steps}${section('metrics', metrics)}${section('parameters', run.params)}`;
}
