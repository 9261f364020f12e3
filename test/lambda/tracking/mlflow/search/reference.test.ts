import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MlflowError } from '../../../../../lambda/tracking/mlflow/errors';
import {
  searchExperiments,
  searchLoggedModels,
  searchModelVersions,
  searchRegisteredModels,
  searchRuns,
} from '../../../../../lambda/tracking/mlflow/search';
import type { Run } from '../../../../../lib/tracking/contract';
import { experimentSource, loggedModelSource, registrySource, runSource, type Records } from './sources';

interface Case {
  readonly entity: 'run' | 'experiment' | 'registered-model' | 'model-version' | 'logged-model';
  readonly filter?: string;
  readonly order_by?: unknown;
  readonly datasets?: readonly { readonly dataset_name?: string; readonly dataset_digest?: string }[];
  readonly max_results?: number;
  readonly ids?: readonly string[];
  readonly error?: string;
  readonly message?: string;
}

const { records: recorded, cases } = JSON.parse(readFileSync(join(__dirname, 'reference.json'), 'utf8')) as { records: Records; cases: Case[] };

/** JSON has no NaN. */
const numbered = (run: Run): Run => ({
  ...run,
  metrics: Object.fromEntries(Object.entries(run.metrics).map(([key, point]) => [key, { ...point, value: Number(point.value) }])),
});
const records: Records = { ...recorded, runs: recorded.runs.map(numbered) };

/**
 * Where this differs from MLflow's server on purpose.
 * - Its 500s: what a client got wrong is a 400 here, because a client repeats a call for minutes after a 500; and what has an answer gets it.
 * - A status of a logged model is compared by its name, which there never matches, as well as by its number.
 * - A dataset without a digest stands for all digests, as MLflow documents; its REST server takes the absent digest for an empty one.
 */
const ANSWERED_HERE: Readonly<Record<string, (ids: readonly string[]) => boolean>> = {
  'start_time < 99999999999999999999': (ids) => ids.length === 14,
  'version_number = 99999999999999999999': (ids) => ids.length === 0,
  'attributes.creation_timestamp > 1700000000005': (ids) => ids.length === 4,
  "status = 'READY'": (ids) => ids.length === 1,
  "status = 'LOGGED_MODEL_READY'": (ids) => ids.length === 1,
  "status != 'READY'": (ids) => ids.length === 5,
};

const isAnsweredHere = ({ entity, filter = '' }: Case): boolean =>
  filter in ANSWERED_HERE && !(entity === 'model-version' && filter.startsWith('status'));

const takesAnyDigest = ({ datasets = [] }: Case): boolean => datasets.some((dataset) => dataset.dataset_name && !dataset.dataset_digest);

const ask = async (body: Case): Promise<string[]> => {
  const { entity } = body;
  const experiment_ids = recorded.experiments.slice(1, 3).map(({ experimentId }) => experimentId);
  const json = { max_results: 1000, ...body, experiment_ids };
  switch (entity) {
    case 'run':
      return (await searchRuns(json, runSource(records.runs))).runs.map(({ runId }) => runId);
    case 'experiment':
      return (await searchExperiments(json, experimentSource(records.experiments))).experiments.map(({ experimentId }) => experimentId);
    case 'registered-model':
      return (await searchRegisteredModels(json, registrySource(records))).models.map(({ name }) => name);
    case 'model-version':
      return (await searchModelVersions(json, registrySource(records))).versions.map(({ model, version }) => `${model}/${version}`);
    case 'logged-model':
      return (await searchLoggedModels(json, loggedModelSource(records.loggedModels))).models.map(({ modelId }) => modelId);
  }
};

const answer = async (body: Case): Promise<{ ids?: string[]; error?: string; message?: string }> => {
  try {
    return { ids: await ask(body) };
  } catch (error) {
    if (error instanceof MlflowError) return { error: error.code, message: error.message };
    throw error;
  }
};

const shown = (body: Case): string => JSON.stringify({ ...body, ids: undefined, error: undefined, message: undefined }).slice(0, 150);

const MATCHED_ON = [
  'Invalid entity type',
  'Invalid attribute key',
  'Invalid dataset key',
  'Invalid comparator',
  'Invalid value',
  'Invalid order',
  'Invalid experiment ID',
  'Expected numeric value',
  'Expected a quoted string',
  'Only ',
  'IS NULL',
  'While parsing a list in the query, expected a non-empty',
];

const OTHER_WORDS = ['Could not be parsed.', 'Found 1e+3', 'Got value NULL'];

describe('search answers what a real MLflow server answered', () => {
  const comparable = cases.filter((body) => !isAnsweredHere(body) && !takesAnyDigest(body));

  const table = (bodies: readonly Case[]) => bodies.map((body) => [shown(body), body] as const);

  test.each(table(comparable.filter(({ ids }) => ids)))('the same records in the same order: %s', async (_, body) => {
    expect(await answer(body)).toEqual({ ids: body.ids });
  });

  test.each(table(comparable.filter(({ error }) => error)))('a refusal with status 400: %s', async (_, body) => {
    expect(await answer(body)).toMatchObject({ error: 'INVALID_PARAMETER_VALUE' });
  });

  // Sets are shown in any order there, so what follows them is left out; keywords of SQL are plain words here.
  const worded = comparable.filter(
    ({ error, message = '' }) =>
      error === 'INVALID_PARAMETER_VALUE' &&
      MATCHED_ON.some((start) => message.startsWith(start)) &&
      !OTHER_WORDS.some((end) => message.endsWith(end)),
  );

  test.each(table(worded))('in the same words: %s', async (_, body) => {
    const until = (message = '') => message.split('{')[0];
    expect(until((await answer(body)).message)).toBe(until(body.message));
  });

  test.each(table(cases.filter(isAnsweredHere)))('more than there: %s', async (_, body) => {
    const { ids = [] } = await answer(body);
    expect(ANSWERED_HERE[body.filter!](ids)).toBe(true);
  });
});
