import type { LoggedModel } from '../../../../lib/tracking/contract';
import { invalid } from '../errors';
import { boolean, field, objects, optionalText, text } from '../fields';
import type { Json } from '../http';
import { compareText, sortEntry } from './compare';
import { loggedModelOrderField, parseLoggedModelFilter, STATUS_NUMBERS } from './logged-model-filter';
import { every, own, test } from './match';
import { by } from './order-by';
import { collected, unordered, type Budget } from './page';
import { fingerprint, readToken, writeToken } from './page-token';
import type { Condition, DatasetFilter, Order, Value } from './query';
import { checkOrders, experimentIds, loggedModelsPerPage } from './request';

/** What a search reads logged models through. */
export interface LoggedModelSource {
  rows(experimentId: string): AsyncGenerator<LoggedModel[]>;
}

type Point = LoggedModel['metrics'][number];

const ADVICE = 'Search fewer experiments at a time.';
const ID_DIGITS = 20;

const statusNumber = (model: LoggedModel): string => String(STATUS_NUMBERS[model.status.replace('LOGGED_MODEL_', '')]);

const ATTRIBUTES: Readonly<Record<string, (model: LoggedModel) => Value>> = {
  name: (model) => model.name,
  model_id: (model) => model.modelId,
  model_type: (model) => model.modelType ?? '',
  status: statusNumber,
  status_message: (model) => model.statusMessage,
  source_run_id: (model) => model.sourceRunId ?? '',
  experiment_id: (model) => model.experimentId,
  artifact_location: (model) => model.artifactUri,
  lifecycle_stage: () => 'active',
  creation_timestamp_ms: (model) => model.createdAt,
  last_updated_timestamp_ms: (model) => model.updatedAt,
};

const SORT_ATTRIBUTES: typeof ATTRIBUTES = { ...ATTRIBUTES, experiment_id: (model) => model.experimentId.padStart(ID_DIGITS, '0') };

const isOn = ({ datasetName, datasetDigest }: Point, { name, digest }: DatasetFilter): boolean =>
  datasetName === name && (digest === undefined || datasetDigest === digest);

const isOnAny = (point: Point, datasets: readonly DatasetFilter[]): boolean =>
  datasets.length === 0 || datasets.some((dataset) => isOn(point, dataset));

/** Any point of the metric may answer. */
const metricTest = (condition: Condition, datasets: readonly DatasetFilter[]): ((model: LoggedModel) => boolean) => {
  const holds = test(condition);
  return ({ metrics }) => metrics.some((point) => point.key === condition.field.key && isOnAny(point, datasets) && holds(point.value));
};

const modelTest = (condition: Condition, datasets: readonly DatasetFilter[]): ((model: LoggedModel) => boolean) => {
  const { kind, key } = condition.field;
  const holds = test(condition);
  switch (kind) {
    case 'metric':
      return metricTest(condition, datasets);
    case 'param':
      return (model) => holds(own(model.params, key));
    case 'tag':
      return (model) => holds(own(model.tags, key));
    default:
      return (model) => holds(ATTRIBUTES[key](model));
  }
};

/** Newest point of a metric: by time, then step, then the first run. */
const isNewer = (a: Point, b: Point): boolean =>
  a.timestamp !== b.timestamp ? a.timestamp > b.timestamp : a.step !== b.step ? a.step > b.step : compareText(a.runId, b.runId) < 0;

const newest = (model: LoggedModel, { field: { key }, dataset }: Order): Value => {
  let found: Point | undefined;
  for (const point of model.metrics) {
    if (point.key === key && (!dataset || isOn(point, dataset)) && (!found || isNewer(point, found))) {
      found = point;
    }
  }
  return found?.value;
};

const reader = (order: Order): ((model: LoggedModel) => Value) =>
  order.field.kind === 'metric' ? (model) => newest(model, order) : SORT_ATTRIBUTES[order.field.key];

const datasetOf = (json: Json): DatasetFilter | undefined => {
  const name = text(json, 'dataset_name');
  return name === '' ? undefined : { name, digest: optionalText(json, 'dataset_digest') || undefined };
};

const datasetsOf = (json: Json): DatasetFilter[] =>
  objects(json, 'datasets').map((entry) => {
    const dataset = datasetOf(entry);
    if (dataset === undefined) {
      throw invalid('`dataset_name` in the `datasets` clause must be specified.');
    }
    return dataset;
  });

const ordersOf = (json: Json): Order[] => {
  const orders = checkOrders(objects(json, 'order_by')).map(
    (entry): Order => ({
      field: loggedModelOrderField(text(entry, 'field_name')),
      ascending: field(entry, 'ascending') === undefined || boolean(entry, 'ascending'),
      dataset: datasetOf(entry),
    }),
  );
  const ties = [by('creation_timestamp_ms', false), by('model_id', true)];
  return [...orders, ...ties.filter((tie) => !orders.some((order) => order.field.kind === 'attribute' && order.field.key === tie.field.key))];
};

/** Logged models: fields `experiment_ids`, `filter`, `datasets`, `max_results`, `order_by`, `page_token` of MLflow's `logged-models/search`. */
export const searchLoggedModels = async (
  json: Json,
  loggedModels: LoggedModelSource,
  budget?: Budget,
): Promise<{ models: LoggedModel[]; nextPageToken?: string }> => {
  const filter = text(json, 'filter');
  const datasets = datasetsOf(json);
  const limit = loggedModelsPerPage(json);
  const conditions = parseLoggedModelFilter(filter);
  const orders = ordersOf(json);
  const experiments = experimentIds(json);
  const print = fingerprint(['logged-models', filter, orders, datasets, [...experiments].sort()]);
  const tests = conditions.map((condition) => modelTest(condition, datasets));
  // Without a condition on a metric a model has to have any metric on the datasets.
  if (datasets.length > 0 && !conditions.some((condition) => condition.field.kind === 'metric')) {
    tests.push(({ metrics }) => metrics.some((point) => isOnAny(point, datasets)));
  }
  const readers = orders.map(reader);
  const { records, next } = await collected(
    unordered(experiments.map((id) => loggedModels.rows(id))),
    {
      matches: every(tests),
      orders,
      keyOf: (model) => readers.map((read) => sortEntry(read(model))),
      limit,
      after: readToken(text(json, 'page_token'), print, orders.length),
      budget,
    },
    ADVICE,
  );
  return { models: records, nextPageToken: next && writeToken(print, next) };
};
