import * as fc from 'fast-check';
import { sampled } from '../../../../../lambda/tracking/mlflow/handlers/ui';
import { MemoryApi } from '../api';

const api = new MemoryApi();
let experimentId: string;
let runId: string;
let other: string;

interface Body {
  readonly [name: string]: unknown;
  readonly metrics?: readonly { readonly step: number; readonly run_id: string; readonly value: unknown }[];
}

const ajax = async (method: string, path: string, body?: object) => {
  const headers = body && { 'content-type': 'application/json' };
  const { status, bytes } = await api.call({ method, path, headers, body: body && JSON.stringify(body) });
  return { status, body: JSON.parse(bytes.toString()) as Body };
};

beforeAll(async () => {
  experimentId = (await api.json('POST', 'experiments/create', { name: 'charts', tags: [{ key: 'team', value: 'a' }] })).body.experiment_id as string;
  const run = async (name: string): Promise<string> =>
    (await api.json('POST', 'runs/create', { experiment_id: experimentId, run_name: name })).body.run.info.run_id as string;
  [runId, other] = [await run('one'), await run('two')];
  const metrics = Array.from({ length: 500 }, (_, step) => ({
    key: 'rmse',
    value: step === 7 ? 'NaN' : 1 / (step + 1),
    timestamp: 1000 + step,
    step,
  }));
  await api.json('POST', 'runs/log-batch', { run_id: runId, metrics, params: [{ key: 'alpha', value: '1' }] });
  await api.json('POST', 'runs/log-metric', { run_id: other, key: 'rmse', value: 3, timestamp: 1, step: 0 });
  const dataset = { name: 'bikes', digest: 'd1', source_type: 'local', source: '{}' };
  const tags = [{ key: 'mlflow.data.context', value: 'training' }];
  for (const id of [runId, other]) await api.json('POST', 'runs/log-inputs', { run_id: id, datasets: [{ dataset, tags }] });
});

const INTERVAL = '/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval';

test('a chart gets points of several runs, spread evenly, with the first and the last', async () => {
  const { body } = await ajax('GET', `${INTERVAL}?run_ids=${runId}&run_ids=${other}&metric_key=rmse&max_results=10`);
  const own = body.metrics!.filter(({ run_id: id }) => id === runId).map(({ step }) => step);
  expect([own.length, own[0], own.at(-1)]).toEqual([10, 0, 499]);
  expect(body.metrics!.filter(({ run_id: id }) => id === other)).toHaveLength(1);
});

test('a stretch of steps is looked at closer', async () => {
  const { body } = await ajax('GET', `${INTERVAL}?run_ids=${runId}&metric_key=rmse&start_step=5&end_step=8`);
  expect(body.metrics!.map(({ step, value }) => [step, value])).toEqual([
    [5, 1 / 6],
    [6, 1 / 7],
    [7, 'NaN'],
    [8, 1 / 9],
  ]);
});

test.each([
  ['metric_key=rmse', 'must specify at least one run_id'],
  ['run_ids=a', "Missing value for required parameter 'metric_key'"],
  ['run_ids=a&metric_key=m&max_results=0', 'max_results must be between 1 and 2500'],
  ['run_ids=a&metric_key=m&start_step=1', 'both must be specified'],
  ['run_ids=a&metric_key=m&start_step=2&end_step=1', 'end_step must be greater than start_step'],
  [`metric_key=m&${'run_ids=a&'.repeat(101)}`, 'at most 100 run_ids'],
])('a chart that asks for %s is refused', async (query, why) => {
  const { status, body } = await ajax('GET', `${INTERVAL}?${query}`);
  expect([status, body.message]).toEqual([400, expect.stringContaining(why)]);
});

test('a sample holds what it must: as many as asked for, in order, first and last', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 1, max: 300 }), (count, most) => {
      const points = Array.from({ length: count }, (_, index) => index);
      const taken = sampled(points, most);
      expect(taken).toHaveLength(Math.min(count, most));
      expect([...new Set(taken)].sort((a, b) => a - b)).toEqual(taken);
      if (count > 0) expect(taken.at(-1)).toBe(count - 1);
      if (count > 0 && most > 1) expect(taken[0]).toBe(0);
    }),
  );
});

test('whole histories of several runs come in one answer', async () => {
  const { body } = await ajax('GET', `/ajax-api/2.0/mlflow/metrics/get-history-bulk?run_id=${runId}&run_id=${other}&metric_key=rmse`);
  expect(body.metrics).toHaveLength(501);
});

test('a data set that many runs read is offered once', async () => {
  const { body } = await ajax('POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', { experiment_ids: [experimentId, experimentId] });
  expect(body.dataset_summaries).toEqual([{ experiment_id: experimentId, name: 'bikes', digest: 'd1', context: 'training' }]);
  expect((await ajax('POST', '/ajax-api/2.0/mlflow/experiments/search-datasets', { experiment_ids: [] })).status).toBe(400);
});

describe('GraphQL', () => {
  const ask = (field: string, type: string, input: object, name = 'data') =>
    ajax('POST', '/graphql', {
      operationName: 'Q',
      variables: { [name]: input },
      query: `query Q($${name}: ${type}!) @component(name: "x") {\n  ${field}(input: $${name}) { apiError { code } }\n}`,
    });

  test('a run with its experiment and versions; 64-bit integers are texts, NaN is null', async () => {
    await api.json('POST', 'registered-models/create', { name: 'm' });
    await api.json('POST', 'model-versions/create', { name: 'm', source: 's3://b/m', run_id: runId });
    await api.json('POST', 'runs/log-metric', { run_id: runId, key: 'bad', value: 'NaN', timestamp: 1, step: 3 });
    const { body } = await ask('mlflowGetRun', 'MlflowGetRunInput', { runId });
    expect(body).toMatchObject({
      errors: null,
      data: {
        mlflowGetRun: {
          apiError: null,
          run: {
            info: { runUuid: runId, runName: 'one', endTime: null, startTime: expect.stringMatching(/^\d+$/) as string },
            experiment: { experimentId, tags: [{ key: 'team', value: 'a' }] },
            modelVersions: [{ name: 'm', version: '1', status: 'READY' }],
            data: {
              params: [{ key: 'alpha', value: '1' }],
              metrics: expect.arrayContaining([expect.objectContaining({ key: 'bad', value: null, step: '3' })]) as object[],
            },
            inputs: { datasetInputs: [{ dataset: { name: 'bikes' }, tags: [{ key: 'mlflow.data.context' }] }] },
          },
        },
      },
    });
  });

  test('an experiment, and a search', async () => {
    const experiment = await ask('mlflowGetExperiment', 'MlflowGetExperimentInput', { experimentId }, 'input');
    expect(experiment.body).toMatchObject({ data: { mlflowGetExperiment: { experiment: { name: 'charts' } } } });
    const input = { experimentIds: [experimentId], maxResults: 1, orderBy: ['run_name DESC'] };
    const found = await ask('mlflowSearchRuns', 'MlflowSearchRunsInput', input);
    expect(found.body).toMatchObject({ data: { mlflowSearchRuns: { runs: [{ info: { runName: 'two' } }] } } });
  });

  test('what is absent or unknown is an error within the answer', async () => {
    const absent = await ask('mlflowGetRun', 'MlflowGetRunInput', { runId: 'nope' });
    expect([absent.status, absent.body]).toEqual([200, { data: { mlflowGetRun: null }, errors: ['Run with id=nope not found'] }]);
    for (const field of ['dropEverything', 'constructor', '__schema']) {
      expect((await ask(field, 'X', {})).body).toEqual({ data: null, errors: [`Cannot query field '${field}' on type 'Query'.`] });
    }
  });
});

test.each([
  ['GET', '/ajax-api/3.0/mlflow/ui-telemetry', { disable_ui_telemetry: true, disable_ui_events: [], ui_rollout_percentage: 0 }],
  ['POST', '/ajax-api/3.0/mlflow/ui-telemetry', {}],
  ['GET', '/ajax-api/2.0/mlflow/gateway-proxy?gateway_path=api', { endpoints: [] }],
  ['GET', '/ajax-api/3.0/mlflow/assistant/providers', { providers: [] }],
])('%s %s: the pages stay quiet about what is not here', async (method, path, answer) => {
  expect(await ajax(method, path)).toEqual({ status: 200, body: answer });
});
