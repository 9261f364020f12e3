import type { DatasetInput, MetricPoint } from '../../../../lib/tracking/contract';
import { invalid, toMlflowError } from '../errors';
import { checkRunId, integer, object, required, text, texts } from '../fields';
import { graphExperiment, graphRun } from '../graph';
import { ApiRequest, Json, Reply } from '../http';
import type { Route } from '../router';
import { searchRuns } from '../search';
import type { Stores } from '../stores';
import { wireMetric } from '../wire';

/** Calls of MLflow's web pages that its client never makes. */

const PREFIX = '/api/2.0/mlflow';

const MOST_RUNS = 100;
const MOST_POINTS_OF_A_RUN = 2_500;
const MOST_POINTS = 25_000;

const runIds = (request: ApiRequest, name: string, call: string): readonly string[] => {
  const ids = texts(request.json(), name, true);
  if (ids.length === 0) throw invalid(`${call} request must specify at least one ${name.replace(/s$/, '')}.`);
  if (ids.length > MOST_RUNS) throw invalid(`${call} request must specify at most ${MOST_RUNS} run_ids. Received ${ids.length} run_ids.`);
  return ids.map(checkRunId);
};

const wirePoint = (point: MetricPoint, runId: string): Json => ({ ...wireMetric(point), run_id: runId });

const historyBulk = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const ids = [...runIds(request, 'run_id', 'GetMetricHistoryBulk')].sort();
  const key = required(request.json(), 'metric_key');
  const most = Math.min(integer(request.json(), 'max_results') ?? MOST_POINTS, MOST_POINTS);
  const histories = await Promise.all(ids.map(async (id) => (await runs.metricHistory(id, key)).slice(0, most).map((point) => wirePoint(point, id))));
  return { metrics: histories.flat().slice(0, most) };
};

/** Evenly spread over what there is, always with the first and the last; of one only the last. */
export const sampled = <T>(points: readonly T[], most: number): readonly T[] => {
  if (points.length <= most) return points;
  if (most === 1) return points.slice(-1);
  return Array.from({ length: most }, (_, index) => points[Math.round((index * (points.length - 1)) / (most - 1))]);
};

const byStep = (one: MetricPoint, other: MetricPoint): number => one.step - other.step || one.timestamp - other.timestamp || one.value - other.value;

const historyInterval = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const json = request.json();
  const ids = runIds(request, 'run_ids', 'GetMetricHistoryBulkInterval');
  const key = required(json, 'metric_key');
  const most = integer(json, 'max_results') ?? MOST_POINTS_OF_A_RUN;
  if (most < 1 || most > MOST_POINTS_OF_A_RUN) throw invalid(`max_results must be between 1 and ${MOST_POINTS_OF_A_RUN}.`);
  const from = integer(json, 'start_step');
  const to = integer(json, 'end_step');
  if ((from === undefined) !== (to === undefined)) throw invalid('If either start step or end step are specified, both must be specified.');
  if (from !== undefined && to !== undefined && from > to) {
    throw invalid(`end_step must be greater than start_step. Found start_step=${from} and end_step=${to}.`);
  }
  const histories = await Promise.all(
    ids.map(async (id) => {
      const points = (await runs.metricHistory(id, key)).filter(({ step }) => from === undefined || (step >= from && step <= to!));
      return sampled([...points].sort(byStep), most).map((point) => wirePoint(point, id));
    }),
  );
  return { metrics: histories.flat() };
};

const MOST_EXPERIMENTS = 20;
const MOST_SUMMARIES = 1_000;
/** The page offers data sets as a filter: those of the newest runs are enough for it. */
const DATASETS_WITHIN_MS = 4_000;

const CONTEXT_TAG = 'mlflow.data.context';

const searchDatasets = async (request: ApiRequest, { runs }: Stores): Promise<unknown> => {
  const ids = texts(request.json(), 'experiment_ids');
  if (ids.length === 0) throw invalid('SearchDatasets request must specify at least one experiment_id.');
  if (ids.length > MOST_EXPERIMENTS) {
    throw invalid(`SearchDatasets request cannot specify more than ${MOST_EXPERIMENTS} experiment_ids. Received ${ids.length} experiment_ids.`);
  }
  const until = Date.now() + DATASETS_WITHIN_MS;
  const found = new Map<string, Json>();
  for (const id of new Set(ids)) {
    for await (const page of runs.rows(id)) {
      for (const dataset of page.flatMap(({ datasets }) => datasets)) add(found, id, dataset);
      if (found.size >= MOST_SUMMARIES || Date.now() > until) break;
    }
  }
  return found.size === 0 ? {} : { dataset_summaries: [...found.values()].slice(0, MOST_SUMMARIES) };
};

const add = (found: Map<string, Json>, experimentId: string, { name, digest, tags }: DatasetInput): void => {
  const context = tags[CONTEXT_TAG];
  const key = JSON.stringify([experimentId, name, digest, context]);
  if (!found.has(key)) found.set(key, { experiment_id: experimentId, name, digest, ...(context === undefined ? {} : { context }) });
};

/** Answer of one query by its first field; the page asks for one at a time, and takes more fields than it asked for. */
const QUERIES: Readonly<Record<string, (input: Json, stores: Stores) => Promise<Json>>> = {
  mlflowGetExperiment: async (input, { experiments }) => ({
    __typename: 'MlflowGetExperimentResponse',
    apiError: null,
    experiment: graphExperiment(await experiments.get(text(input, 'experimentId'))),
  }),
  mlflowGetRun: async (input, { runs, experiments, registry }) => {
    const run = await runs.get(text(input, 'runId') || text(input, 'runUuid'));
    const [experiment, versions] = await Promise.all([experiments.get(run.experimentId), registry.versionsOfRun(run.runId)]);
    return { __typename: 'MlflowGetRunResponse', apiError: null, run: graphRun(run, experiment, versions) };
  },
  mlflowSearchRuns: async (input, stores) => {
    const { runs: found } = await searchRuns(snakeCased(input), stores.runs);
    const answers = found.map(async (run) => {
      const [experiment, versions] = await Promise.all([stores.experiments.get(run.experimentId), stores.registry.versionsOfRun(run.runId)]);
      return graphRun(run, experiment, versions);
    });
    return { __typename: 'MlflowSearchRunsResponse', apiError: null, runs: await Promise.all(answers) };
  },
};

const snakeCased = (input: Json): Json =>
  Object.fromEntries(Object.entries(input).map(([name, value]) => [name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]));

const FIRST_FIELD = /^[^{]*\{\s*(\w+)/;

const graphql = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  const field = FIRST_FIELD.exec(required(json, 'query'))?.[1] ?? '';
  const query = Object.hasOwn(QUERIES, field) ? QUERIES[field] : undefined;
  if (!query) return { data: null, errors: [`Cannot query field '${field}' on type 'Query'.`] };
  const variables = object(json, 'variables');
  const input = 'input' in variables ? object(variables, 'input') : object(variables, 'data');
  try {
    return { data: { [field]: await query(input, stores) }, errors: null };
  } catch (error) {
    const fault = toMlflowError(error);
    if (fault.status >= 500) throw error;
    return { data: { [field]: null }, errors: [fault.message] };
  }
};

/** What the pages ask about features that are not here; each answer is the one of a server that has them and where nobody uses them. */
const ABSENT: readonly (readonly [path: string, answer: Json])[] = [
  ['/api/3.0/mlflow/ui-telemetry', { disable_ui_telemetry: true, disable_ui_events: [], ui_rollout_percentage: 0 }],
  ['/api/3.0/mlflow/assistant/config', { providers: {}, projects: {}, remote_access_allowed: false }],
  ['/api/3.0/mlflow/assistant/providers', { providers: [] }],
  ['/api/2.0/mlflow/gateway-proxy', { endpoints: [] }],
  ['/api/3.0/mlflow/gateway/endpoints/list', {}],
  ['/api/3.0/mlflow/gateway/secrets/list', {}],
  ['/api/3.0/mlflow/gateway/secrets/config', { secrets_available: false }],
];

export const uiRoutes: readonly Route[] = [
  { method: 'GET', path: `${PREFIX}/metrics/get-history-bulk`, access: 'read', handle: historyBulk },
  { method: 'GET', path: `${PREFIX}/metrics/get-history-bulk-interval`, access: 'read', handle: historyInterval },
  { method: 'POST', path: `${PREFIX}/experiments/search-datasets`, access: 'read', handle: searchDatasets },
  { method: 'POST', path: '/graphql', access: 'read', handle: graphql },
  ...ABSENT.map(([path, answer]): Route => ({ method: 'GET', path, access: 'read', handle: async () => answer })),
  { method: 'POST', path: '/api/3.0/mlflow/ui-telemetry', access: 'read', handle: async () => Reply.json({}) },
];
