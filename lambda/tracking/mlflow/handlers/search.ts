import { TRACKING_ERRORS } from '../../../../lib/tracking/contract';
import { isNamed } from '../errors';
import { field, missingField } from '../fields';
import type { ApiRequest } from '../http';
import type { Route } from '../router';
import { RunSource, searchExperiments, searchLoggedModels, searchRuns } from '../search';
import type { Stores } from '../stores';
import { wireExperiment, wireLoggedModel, wireRun, withoutEmpty } from '../wire';

const PREFIX = '/api/2.0/mlflow';

const experiments = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const { experiments: found, nextPageToken } = await searchExperiments(request.json(), stores.experiments);
  return withoutEmpty({ experiments: found.map(wireExperiment), next_page_token: nextPageToken });
};

/** An experiment that does not exist has no runs. */
const tolerant = (runs: RunSource): RunSource => ({
  getMany: (...asked) => runs.getMany(...asked),
  rowsByTag: (...asked) => runs.rowsByTag(...asked),
  async *rows(...asked) {
    try {
      yield* runs.rows(...asked);
    } catch (error) {
      if (!isNamed(error, TRACKING_ERRORS.experimentNotFound)) throw error;
    }
  },
});

const runs = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const { runs: found, nextPageToken } = await searchRuns(request.json(), tolerant(stores.runs));
  return withoutEmpty({ runs: found.map(wireRun), next_page_token: nextPageToken });
};

const loggedModels = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  if (field(json, 'experiment_ids') === undefined) throw missingField('experiment_ids');
  const { models, nextPageToken } = await searchLoggedModels(json, stores.loggedModels);
  return withoutEmpty({ models: models.map(wireLoggedModel), next_page_token: nextPageToken });
};

export const searchRoutes: readonly Route[] = [
  { method: 'POST', path: `${PREFIX}/experiments/search`, access: 'read', handle: experiments },
  { method: 'GET', path: `${PREFIX}/experiments/search`, access: 'read', handle: experiments },
  { method: 'POST', path: `${PREFIX}/runs/search`, access: 'read', handle: runs },
  { method: 'POST', path: `${PREFIX}/logged-models/search`, access: 'read', handle: loggedModels },
];
