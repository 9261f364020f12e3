import type { DatasetInput, RunStatus } from '../../../../lib/tracking/contract';
import { invalid, missing } from '../errors';
import {
  asRecord,
  checkLength,
  checkRunId,
  experimentIdOf,
  field,
  integer,
  keyValues,
  KeyValue,
  LIMITS,
  missingField,
  object,
  objects,
  optionalText,
  required,
  runIdOf,
  runTag,
  text,
  wrongType,
} from '../fields';
import type { ApiRequest, Json } from '../http';
import type { Route } from '../router';
import type { Stores } from '../stores';
import { wireRun, wireRunInfo } from '../wire';

const PREFIX = '/api/2.0/mlflow/runs';
const RUN_NAME = 'mlflow.runName';

const STATUSES: readonly RunStatus[] = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'];

const create = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const json = request.json();
  const experimentId = text(json, 'experiment_id');
  const startTime = integer(json, 'start_time');
  const name = text(json, 'run_name');
  const tags = keyValues(json, 'tags');
  const named = tags.find(({ key }) => key === RUN_NAME)?.value;
  if (name && named && name !== named) {
    throw invalid(
      "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values " +
        `(run_name='${name}', mlflow.runName='${named}').`,
    );
  }
  const run = await runs.create({
    experimentId: experimentId === '' ? '0' : experimentIdOf(experimentId),
    name: name || named || undefined,
    userId: text(json, 'user_id'),
    startTime: startTime ?? 0,
    tags: asRecord(tags),
  });
  const { info, data, inputs } = wireRun(run);
  return { run: { info, data, inputs } };
};

const get = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => ({ run: wireRun(await runs.get(runIdOf(request.json()))) });

/** A status by its name or number; names that do not exist are passed over, as the protocol does with values of later versions. */
const statusOf = (json: Json): RunStatus | undefined => {
  const value = field(json, 'status');
  if (typeof value === 'number' || (typeof value === 'string' && /^\d+$/.test(value))) return STATUSES[Number(value) - 1];
  if (value !== undefined && typeof value !== 'string') throw wrongType('status', value);
  return STATUSES.find((status) => status === value);
};

const update = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = runIdOf(json);
  const endTime = integer(json, 'end_time');
  const status = statusOf(json);
  const name = optionalText(json, 'run_name');
  return { run_info: wireRunInfo(await runs.update(runId, { status, endTime, name: name || undefined })) };
};

const remove = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  await runs.delete(required(request.json(), 'run_id'));
  return {};
};

const restore = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  await runs.restore(required(request.json(), 'run_id'));
  return {};
};

const setTag = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = runIdOf(json);
  const { key, value } = runTag({ key: required(json, 'key'), value: text(json, 'value') });
  await runs.setTag(runId, key, value);
  return {};
};

const deleteTag = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = runIdOf(json);
  const key = required(json, 'key');
  if (!(await runs.deleteTag(runId, key))) throw missing(`No tag with name: ${key} in run with id ${runId}`);
  return {};
};

const inputTag = ({ key, value }: KeyValue): KeyValue => ({
  key: checkLength('key', LIMITS.inputTagKey, key),
  value: checkLength('value', LIMITS.inputTagValue, value),
});

const optionalWithin = (json: Json, name: string, limit: number): string | undefined => {
  const value = optionalText(json, name);
  return value === undefined ? undefined : checkLength(name, limit, value);
};

const datasetOf = (input: Json): DatasetInput => {
  const json = object(input, 'dataset');
  return {
    name: checkLength('name', LIMITS.datasetName, text(json, 'name')),
    digest: checkLength('digest', LIMITS.datasetDigest, text(json, 'digest')),
    sourceType: text(json, 'source_type'),
    source: checkLength('source', LIMITS.datasetSource, text(json, 'source')),
    schema: optionalWithin(json, 'schema', LIMITS.datasetSchema),
    profile: optionalWithin(json, 'profile', LIMITS.datasetProfile),
    tags: asRecord(keyValues(input, 'tags').map(inputTag)),
  };
};

const logInputs = async (request: ApiRequest, { runs, lineage }: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = checkRunId(required(json, 'run_id'));
  const datasets = objects(json, 'datasets').map(datasetOf);
  const modelIds = objects(json, 'models').map((model) => text(model, 'model_id'));
  await runs.logInputs(runId, datasets, modelIds);
  const digests = new Set(datasets.map(({ digest }) => digest).filter((digest) => digest !== ''));
  for (const id of digests) await lineage.link({ kind: 'data', id }, { kind: 'run', id: runId });
  return {};
};

const logOutputs = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = required(json, 'run_id');
  if (field(json, 'models') === undefined) throw missingField('models');
  const models = objects(json, 'models').map((model) => ({ modelId: text(model, 'model_id'), step: integer(model, 'step') ?? 0 }));
  await runs.logOutputs(runId, models);
  return {};
};

export const runRoutes: readonly Route[] = [
  { method: 'POST', path: `${PREFIX}/create`, access: 'write', handle: create },
  { method: 'GET', path: `${PREFIX}/get`, access: 'read', handle: get },
  { method: 'POST', path: `${PREFIX}/update`, access: 'write', handle: update },
  { method: 'POST', path: `${PREFIX}/delete`, access: 'write', handle: remove },
  { method: 'POST', path: `${PREFIX}/restore`, access: 'write', handle: restore },
  { method: 'POST', path: `${PREFIX}/set-tag`, access: 'write', handle: setTag },
  { method: 'POST', path: `${PREFIX}/delete-tag`, access: 'write', handle: deleteTag },
  { method: 'POST', path: `${PREFIX}/log-inputs`, access: 'write', handle: logInputs },
  { method: 'POST', path: `${PREFIX}/outputs`, access: 'write', handle: logOutputs },
];
