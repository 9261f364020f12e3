import type { LoggedModelStatus } from '../../../../lib/tracking/contract';
import { invalid, missing } from '../errors';
import { asRecord, experimentIdOf, field, keyValues, missingField, pythonText, required, text, wrongType } from '../fields';
import type { ApiRequest, Json } from '../http';
import type { Route } from '../router';
import type { Stores } from '../stores';
import { wireLoggedModel } from '../wire';

const PREFIX = '/api/2.0/mlflow/logged-models';

const BAD_NAME = /[/:.%"']/;

const create = async (request: ApiRequest, { loggedModels }: Stores): Promise<unknown> => {
  const json = request.json();
  const experimentId = experimentIdOf(required(json, 'experiment_id'));
  const name = text(json, 'name');
  if (BAD_NAME.test(name)) {
    throw invalid(
      `Invalid model name (${pythonText(name)}) provided. Model name must be a non-empty string and cannot contain the following characters: ` +
        "('/', ':', '.', '%', '\"', \"'\")",
    );
  }
  const model = await loggedModels.create({
    experimentId,
    name,
    modelType: text(json, 'model_type'),
    sourceRunId: text(json, 'source_run_id'),
    params: asRecord(keyValues(json, 'params')),
    tags: asRecord(keyValues(json, 'tags')),
  });
  return { model: wireLoggedModel(model) };
};

const get = async ({ pathParams, query }: ApiRequest, { loggedModels }: Stores): Promise<unknown> => ({
  model: wireLoggedModel(await loggedModels.get(pathParams.model_id, query.get('allow_deleted') === 'true')),
});

const STATUSES: readonly LoggedModelStatus[] = ['LOGGED_MODEL_PENDING', 'LOGGED_MODEL_READY', 'LOGGED_MODEL_UPLOAD_FAILED'];

const statusOf = (json: Json): LoggedModelStatus => {
  const value = field(json, 'status');
  if (value === undefined || value === '') throw missingField('status');
  const named = STATUSES.find((status) => status === value) ?? (/^\d+$/.test(String(value)) ? STATUSES[Number(value) - 1] : undefined);
  if (named === undefined) throw wrongType('status', value);
  return named;
};

const finalize = async (request: ApiRequest, { loggedModels }: Stores): Promise<unknown> => {
  const json = request.json();
  const modelId = required(json, 'model_id');
  return { model: wireLoggedModel(await loggedModels.setStatus(modelId, statusOf(json))) };
};

const remove = async ({ pathParams }: ApiRequest, { loggedModels }: Stores): Promise<unknown> => {
  await loggedModels.delete(pathParams.model_id);
  return {};
};

const setTags = async (request: ApiRequest, { loggedModels }: Stores): Promise<unknown> => {
  await loggedModels.setTags(request.pathParams.model_id, asRecord(keyValues(request.json(), 'tags')));
  return {};
};

const deleteTag = async ({ pathParams: { model_id: modelId, tag_key: key } }: ApiRequest, { loggedModels }: Stores): Promise<unknown> => {
  if (await loggedModels.deleteTag(modelId, key)) return {};
  throw missing(`No tag with key ${pythonText(key)} found for model with ID ${pythonText(modelId)}.`);
};

const logParams = async (request: ApiRequest, { loggedModels }: Stores): Promise<unknown> => {
  const json = request.json();
  required(json, 'model_id');
  await loggedModels.logParams(request.pathParams.model_id, asRecord(keyValues(json, 'params')));
  return {};
};

export const loggedModelRoutes: readonly Route[] = [
  { method: 'POST', path: PREFIX, access: 'write', handle: create },
  { method: 'GET', path: `${PREFIX}/{model_id}`, access: 'read', handle: get },
  { method: 'PATCH', path: `${PREFIX}/{model_id}`, access: 'write', handle: finalize },
  { method: 'DELETE', path: `${PREFIX}/{model_id}`, access: 'write', handle: remove },
  { method: 'PATCH', path: `${PREFIX}/{model_id}/tags`, access: 'write', handle: setTags },
  { method: 'DELETE', path: `${PREFIX}/{model_id}/tags/{tag_key}`, access: 'write', handle: deleteTag },
  { method: 'POST', path: `${PREFIX}/{model_id}/params`, access: 'write', handle: logParams },
];
