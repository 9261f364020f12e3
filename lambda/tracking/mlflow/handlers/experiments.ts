import { TRACKING_ERRORS } from '../../../../lib/tracking/contract';
import { invalid, isNamed, missing, MlflowError } from '../errors';
import {
  asRecord,
  checkArtifactLocation,
  checkExperimentTag,
  checkLength,
  experimentIdOf,
  keyValues,
  LIMITS,
  optionalText,
  required,
  text,
} from '../fields';
import type { ApiRequest } from '../http';
import type { Route } from '../router';
import type { Stores } from '../stores';
import { wireExperiment } from '../wire';

const PREFIX = '/api/2.0/mlflow/experiments';

const create = async (request: ApiRequest, { experiments }: Stores): Promise<unknown> => {
  const json = request.json();
  const name = required(json, 'name');
  const artifactLocation = optionalText(json, 'artifact_location');
  const tags = keyValues(json, 'tags');
  if (artifactLocation) checkArtifactLocation(artifactLocation);
  checkLength('name', LIMITS.experimentName, name);
  for (const { key, value } of tags) checkExperimentTag(key, value);
  const { experimentId } = await experiments.create({ name, artifactLocation: artifactLocation || undefined, tags: asRecord(tags) });
  return { experiment_id: experimentId };
};

const get = async (request: ApiRequest, { experiments }: Stores): Promise<unknown> => ({
  experiment: wireExperiment(await experiments.get(experimentIdOf(required(request.json(), 'experiment_id')))),
});

const getByName = async (request: ApiRequest, { experiments }: Stores): Promise<unknown> => {
  const name = required(request.json(), 'experiment_name');
  const found = await experiments.getByName(name);
  if (!found) throw missing(`Could not find experiment with name '${name}'`);
  return { experiment: wireExperiment(found) };
};

const update = async (request: ApiRequest, { experiments }: Stores): Promise<unknown> => {
  const json = request.json();
  const experimentId = experimentIdOf(required(json, 'experiment_id'));
  const name = checkLength('name', LIMITS.experimentName, required(json, 'new_name'));
  try {
    await experiments.rename(experimentId, name);
  } catch (error) {
    // MLflow tells a taken name from a bad one by another code here than on creation, and a deleted experiment by a third.
    if (isNamed(error, TRACKING_ERRORS.exists)) throw new MlflowError('BAD_REQUEST', `Experiment(name=${name}) already exists.`, { cause: error });
    if (isNamed(error, TRACKING_ERRORS.deleted)) throw new MlflowError('INVALID_STATE', 'Cannot rename a non-active experiment.', { cause: error });
    throw error;
  }
  return {};
};

const remove = async (request: ApiRequest, { experiments }: Stores): Promise<unknown> => {
  await experiments.delete(experimentIdOf(required(request.json(), 'experiment_id')));
  return {};
};

const restore = async (request: ApiRequest, { experiments }: Stores): Promise<unknown> => {
  await experiments.restore(experimentIdOf(required(request.json(), 'experiment_id')));
  return {};
};

/** Views that people save on an experiment's page. */
const CUSTOM_VIEW = 'mlflow.customView.view';
const MOST_CUSTOM_VIEWS = 50;

const setTag = async (request: ApiRequest, { experiments }: Stores): Promise<unknown> => {
  const json = request.json();
  const experimentId = experimentIdOf(required(json, 'experiment_id'));
  const key = required(json, 'key');
  const value = text(json, 'value');
  checkExperimentTag(key, value);
  if (key.startsWith(CUSTOM_VIEW)) {
    const { tags } = await experiments.get(experimentId);
    const views = Object.keys(tags).filter((name) => name.startsWith(CUSTOM_VIEW));
    if (!views.includes(key) && views.length >= MOST_CUSTOM_VIEWS) {
      throw invalid(
        `Unable to create another custom view for experiment ${experimentId}; the maximum number of custom views per experiment is ` +
          `${MOST_CUSTOM_VIEWS}. Delete an existing custom view before creating a new one.`,
      );
    }
  }
  await experiments.setTag(experimentId, key, value);
  return {};
};

const deleteTag = async (request: ApiRequest, { experiments }: Stores): Promise<unknown> => {
  const json = request.json();
  const experimentId = experimentIdOf(required(json, 'experiment_id'));
  const key = required(json, 'key');
  if (!(await experiments.deleteTag(experimentId, key))) throw missing(`No tag with name: ${key} in experiment with id ${experimentId}`);
  return {};
};

export const experimentRoutes: readonly Route[] = [
  { method: 'POST', path: `${PREFIX}/create`, access: 'write', handle: create },
  { method: 'GET', path: `${PREFIX}/get`, access: 'read', handle: get },
  { method: 'GET', path: `${PREFIX}/get-by-name`, access: 'read', handle: getByName },
  { method: 'POST', path: `${PREFIX}/update`, access: 'write', handle: update },
  { method: 'POST', path: `${PREFIX}/delete`, access: 'write', handle: remove },
  { method: 'POST', path: `${PREFIX}/restore`, access: 'write', handle: restore },
  { method: 'POST', path: `${PREFIX}/set-experiment-tag`, access: 'write', handle: setTag },
  { method: 'POST', path: `${PREFIX}/delete-experiment-tag`, access: 'write', handle: deleteTag },
];
