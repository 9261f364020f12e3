import type { Command } from 'commander';
import type { Experiment, Run } from '../../lib/tracking/contract';
import { limit } from '../arguments';
import { CliError } from '../errors';
import { duration, localTime, shorten, state, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';

interface Options extends PlatformOptions {
  readonly limit: number;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('list')
      .description('runs of a model or of any other experiment, newest first; without a name: the experiments')
      .argument('[model]', 'or the name of an experiment')
      .option('--limit <number>', 'how many', limit, 20),
  ).action(async (name: string | undefined, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    if (name === undefined) {
      const experiments = await experimentsOf(platform, options.limit);
      emit(io, options, experiments, () => tableOfExperiments(io, experiments));
      return;
    }
    const runs = await runsOf(platform, name, options.limit);
    emit(io, options, runs, () => (runs.length === 0 ? `${name} has no runs\n` : tableOfRuns(io, runs)));
  });
};

type Shown = Pick<Run, 'runId' | 'name' | 'status' | 'userId'> & {
  readonly startTime: string;
  readonly endTime?: string;
} & Partial<NonNullable<Run['pipeline']>>;

/** Times as everywhere in this program's JSON. */
const shown = ({ runId, name, status, userId, startTime, endTime, pipeline }: Run): Shown => ({
  ...pipeline,
  runId,
  name,
  status,
  userId,
  startTime: new Date(startTime).toISOString(),
  endTime: endTime === undefined ? undefined : new Date(endTime).toISOString(),
});

async function runsOf({ tracking, experiments, models }: Platform, name: string, most: number): Promise<readonly Shown[]> {
  const experiment = await experiments.getByName(name);
  if (!experiment && models.some(({ model }) => model === name)) return [];
  if (!experiment) throw new CliError(`there is neither a model nor an experiment "${name}"`, '`mlops runs list` tells the experiments');
  const found: Run[] = [];
  for await (const page of tracking.rows(experiment.experimentId, { pageSize: most })) {
    found.push(...page);
    if (found.length >= most) break;
  }
  return found.slice(0, most).map(shown);
}

/** The ones that changed last come first. */
async function experimentsOf({ experiments }: Platform, most: number): Promise<readonly Experiment[]> {
  const found: Experiment[] = [];
  for await (const experiment of experiments.list()) if (experiment.lifecycleStage === 'active') found.push(experiment);
  return found.sort((a, b) => b.lastUpdateTime - a.lastUpdateTime).slice(0, most);
}

const tableOfExperiments = (io: Io, experiments: readonly Experiment[]): string =>
  table(
    io,
    ['experiment', 'id', 'made', 'changed'],
    experiments.map(({ name, experimentId, creationTime, lastUpdateTime }) => [
      shorten(name, 60),
      experimentId,
      localTime(new Date(creationTime)),
      localTime(new Date(lastUpdateTime)),
    ]),
  );

const tableOfRuns = (io: Io, runs: readonly Shown[]): string => {
  const named = runs.some(({ runId, name }) => name !== runId);
  return table(
    io,
    ['run', ...(named ? ['name'] : []), 'status', 'outcome', 'version', 'started', 'took', 'cause'],
    runs.map((run) => [
      run.runId,
      ...(named ? [run.name === run.runId ? '-' : shorten(run.name, 30)] : []),
      state(io, run.status),
      run.outcome ? state(io, run.outcome) : run.error ? `at ${run.error.step}` : '-',
      run.version ? `v${run.version}` : '-',
      localTime(run.startTime),
      run.endTime ? duration(run.startTime, run.endTime) : '-',
      shorten(run.cause ?? (run.userId && `by ${run.userId}`), 60) || '-',
    ]),
  );
};
