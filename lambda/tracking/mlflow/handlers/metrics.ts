import { MetricPoint, TRACKING_ERRORS } from '../../../../lib/tracking/contract';
import { invalid, isNamed } from '../errors';
import {
  checkBatch,
  checkKey,
  checkLength,
  checkRunId,
  double,
  integer,
  invalidValue,
  keyValues,
  KeyValue,
  LIMITS,
  missingField,
  objects,
  optionalText,
  required,
  runIdOf,
  runParam,
  runTag,
  text,
} from '../fields';
import type { ApiRequest, Json } from '../http';
import type { Route } from '../router';
import type { Stores } from '../stores';
import { wireMetric, withoutEmpty } from '../wire';

const PREFIX = '/api/2.0/mlflow';

/** As Python prints a number with a fraction. */
const pythonFloat = (value: number): string => (Number.isInteger(value) && Math.abs(value) < 1e16 ? value.toFixed(1) : String(value));

/** A point as it was sent: `path` names it in messages, empty for the only one. */
const pointOf = (json: Json, path = ''): MetricPoint => {
  const within = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const key = text(json, 'key');
  if (key === '') throw missingField(within('key'));
  const value = double(json, 'value');
  if (value === undefined) throw missingField(within('value'));
  const timestamp = integer(json, 'timestamp');
  if (timestamp === undefined) throw missingField(within('timestamp'));
  return {
    key,
    value,
    timestamp,
    step: integer(json, 'step') ?? 0,
    modelId: optionalText(json, 'model_id') || undefined,
    datasetName: optionalText(json, 'dataset_name') || undefined,
    datasetDigest: optionalText(json, 'dataset_digest') || undefined,
  };
};

const checkPoint = ({ key, value, timestamp }: MetricPoint, path = ''): void => {
  const within = (name: string): string => (path === '' ? name : `${path}.${name}`);
  checkKey(key, within('name'));
  if (timestamp < 0) {
    const why = `metric '${key}' (value=${pythonFloat(value)}). Timestamp must be a nonnegative long (64-bit integer) `;
    throw invalidValue(within('timestamp'), timestamp, why);
  }
  checkLength('Metric name', LIMITS.key, key);
};

/** Points that are about a logged model stand with the model too. */
const byModel = (points: readonly MetricPoint[]): Map<string, MetricPoint[]> => {
  const models = new Map<string, MetricPoint[]>();
  for (const point of points) if (point.modelId) models.set(point.modelId, [...(models.get(point.modelId) ?? []), point]);
  return models;
};

interface Batch {
  readonly metrics?: readonly MetricPoint[];
  readonly params?: readonly KeyValue[];
  readonly tags?: readonly KeyValue[];
}

/** Whatever can fail for good fails before anything is written; a batch that breaks off in between completes when it is sent again. */
const log = async (runId: string, batch: Batch, { runs, loggedModels }: Stores): Promise<void> => {
  const models = byModel(batch.metrics ?? []);
  for (const modelId of models.keys()) await loggedModels.get(modelId);
  await runs.logBatch(runId, batch);
  for (const [modelId, points] of models) await loggedModels.logMetrics(modelId, points.map((point) => ({ ...point, runId })));
};

const logMetric = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = runIdOf(json);
  const point = pointOf(json);
  checkPoint(point);
  await log(runId, { metrics: [point] }, stores);
  return {};
};

const logParam = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = runIdOf(json);
  await log(runId, { params: [runParam({ key: required(json, 'key'), value: text(json, 'value') })] }, stores);
  return {};
};

const checkUnique = (params: readonly KeyValue[]): void => {
  const seen = new Set<string>();
  const twice = params.filter(({ key }) => seen.size === seen.add(key).size).map(({ key }) => `'${key}'`);
  if (twice.length === 0) return;
  throw invalid(
    `Duplicate parameter keys have been submitted: [${twice.join(', ')}]. Please ensure the request contains only one param value per param key.`,
  );
};

const logBatch = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = required(json, 'run_id');
  const metrics = objects(json, 'metrics').map((metric, index) => pointOf(metric, `metrics[${index}]`));
  const sentParams = keyValues(json, 'params');
  const sentTags = keyValues(json, 'tags');
  checkRunId(runId);
  metrics.forEach((point, index) => checkPoint(point, `metrics[${index}]`));
  const params = sentParams.map((param, index) => runParam(param, `params[${index}].`));
  const tags = sentTags.map((tag, index) => runTag(tag, `tags[${index}].`));
  checkBatch(metrics.length, params.length, tags.length);
  checkUnique(params);
  try {
    await log(runId, { metrics, params, tags }, stores);
  } catch (error) {
    if (!isNamed(error, TRACKING_ERRORS.paramChanged)) throw error;
    throw await changedParams(runId, params, stores);
  }
  return {};
};

/** Names every parameter of the batch that has another value already. */
const changedParams = async (runId: string, params: readonly KeyValue[], { runs }: Stores): Promise<Error> => {
  const { params: logged } = await runs.get(runId);
  const changed = params
    .filter(({ key, value }) => logged[key] !== undefined && logged[key] !== value)
    .map(({ key, value }) => `{'key': '${key}', 'old_value': '${logged[key]}', 'new_value': '${value}'}`);
  return invalid(`Changing param values is not allowed. Params were already logged='[${changed.join(', ')}]' for run ID='${runId}'.`);
};

const tokenOf = (offset: number): string => Buffer.from(JSON.stringify({ offset })).toString('base64');

const offsetOf = (token: string): number => {
  if (token === '') return 0;
  let value: unknown;
  try {
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(token) || token.length % 4 !== 0) throw invalid('Invalid page token, could not base64-decode');
    value = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
  } catch (error) {
    throw isNamed(error, 'MlflowError') ? error : invalid(`Invalid page token, parsed value=${Buffer.from(token, 'base64').toString('utf8')}`);
  }
  const offset = (value as { offset?: unknown } | null)?.offset;
  if (typeof offset !== 'number' || !Number.isSafeInteger(offset) || offset < 0) throw invalid(`Invalid page token, parsed value=${String(offset)}`);
  return offset;
};

const getHistory = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = runIdOf(json);
  const key = required(json, 'metric_key');
  const most = integer(json, 'max_results');
  if (most !== undefined && most <= 0) throw invalid(`Invalid value ${most} for parameter 'max_results' supplied. It must be a positive integer.`);
  const offset = offsetOf(text(json, 'page_token'));
  const points = await runs.metricHistory(runId, key).catch((error: unknown) => {
    if (isNamed(error, TRACKING_ERRORS.notFound)) return [];
    throw error;
  });
  const end = most === undefined ? points.length : offset + most;
  return withoutEmpty({ metrics: points.slice(offset, end).map(wireMetric), next_page_token: end < points.length ? tokenOf(end) : undefined });
};

/** What clients before MLflow 3 record about a model beside its files: a tag with the list of all models of the run. */
const HISTORY_TAG = 'mlflow.log-model.history';
const MODEL_FIELDS = ['artifact_path', 'flavors', 'utc_time_created', 'run_id'];

const logModel = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const json = request.json();
  const runId = required(json, 'run_id');
  const model = modelOf(required(json, 'model_json'));
  const lacking = MODEL_FIELDS.filter((name) => !(name in model));
  if (lacking.length > 0) throw invalid(`Model json is missing mandatory fields: {${lacking.map((name) => `'${name}'`).join(', ')}}`);
  const { tags } = await runs.get(runId);
  const before = listOf(tags[HISTORY_TAG]);
  await runs.setTag(runId, HISTORY_TAG, JSON.stringify([...before, model]));
  return {};
};

const modelOf = (text: string): Json => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Json;
  } catch {
    // Falls through to the message.
  }
  throw invalid(`Malformed model info. \n ${text} \n is not a valid JSON.`);
};

const listOf = (text: string | undefined): readonly unknown[] => {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
};

export const metricRoutes: readonly Route[] = [
  { method: 'POST', path: `${PREFIX}/runs/log-metric`, access: 'write', handle: logMetric },
  { method: 'POST', path: `${PREFIX}/runs/log-parameter`, access: 'write', handle: logParam },
  { method: 'POST', path: `${PREFIX}/runs/log-batch`, access: 'write', handle: logBatch },
  { method: 'POST', path: `${PREFIX}/runs/log-model`, access: 'write', handle: logModel },
  { method: 'GET', path: `${PREFIX}/metrics/get-history`, access: 'read', handle: getHistory },
];
