import { deflateSync, gunzipSync, gzipSync } from 'node:zlib';
import { Logger } from '@aws-lambda-powertools/logger';
import { ProvisionedThroughputExceededException, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { MlflowError } from '../../../lambda/tracking/mlflow/errors';
import { answer, Router } from '../../../lambda/tracking/mlflow/router';
import { routes } from '../../../lambda/tracking/mlflow/routes';
import type { Stores } from '../../../lambda/tracking/mlflow/stores';
import { eventOf, MemoryApi } from './mlflow/api';

const CREATE = '/api/2.0/mlflow/experiments/create';
const JSON_TYPE = { 'content-type': 'application/json' };

let api: MemoryApi;
let info: jest.SpyInstance;
let error: jest.SpyInstance;

beforeEach(() => {
  api = new MemoryApi();
  info = jest.spyOn(Logger.prototype, 'info').mockImplementation();
  error = jest.spyOn(Logger.prototype, 'error').mockImplementation();
});
afterEach(() => jest.restoreAllMocks());

const run = async (): Promise<{ experimentId: string; runId: string }> => {
  const { body: experiment } = await api.json('POST', 'experiments/create', { name: 'e' });
  const { body } = await api.json('POST', 'runs/create', { experiment_id: experiment.experiment_id, run_name: 'r', start_time: 5 });
  return { experimentId: String(experiment.experiment_id), runId: String(body.run.info.run_id) };
};

describe('transport', () => {
  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
  ])('a body may be compressed with %s', async (encoding, compress) => {
    const body = compress(JSON.stringify({ name: 'packed' }));
    const { status } = await api.call({ method: 'POST', path: CREATE, headers: { ...JSON_TYPE, 'content-encoding': encoding }, body });
    expect(status).toBe(200);
    expect((await api.json('GET', 'experiments/get-by-name?experiment_name=packed')).status).toBe(200);
  });

  test.each([
    ['gzip', Buffer.from('no gzip')],
    ['br', Buffer.from('{}')],
  ])('what cannot be decompressed as %s is the client’s mistake', async (encoding, body) => {
    const headers = { ...JSON_TYPE, 'content-encoding': encoding };
    const { status, bytes } = await api.call({ method: 'POST', path: CREATE, headers, body });
    expect([status, JSON.parse(bytes.toString()).error_code]).toEqual([400, 'INVALID_PARAMETER_VALUE']);
  });

  test('a body that unfolds without end is refused before it is unfolded', async () => {
    const body = gzipSync(Buffer.alloc(80 * 1024 * 1024));
    const { status } = await api.call({ method: 'POST', path: CREATE, headers: { ...JSON_TYPE, 'content-encoding': 'gzip' }, body });
    expect(status).toBe(400);
  });

  test('the calls of the web UI are the same ones', async () => {
    await run();
    const { status } = await api.call({ method: 'GET', path: '/ajax-api/2.0/mlflow/experiments/get-by-name?experiment_name=e' });
    expect(status).toBe(200);
  });

  test('what is no call is not found, a wrong method is told the right one', async () => {
    const { status, body } = await api.json('GET', 'nothing');
    expect([status, body.error_code]).toEqual([404, 'ENDPOINT_NOT_FOUND']);
    const wrong = await api.call({ method: 'DELETE', path: CREATE });
    expect([wrong.status, wrong.headers.allow]).toEqual([405, 'POST']);
  });

  test('health and version answer as text', async () => {
    const texts = await Promise.all(['/health', '/version'].map(async (path) => (await api.call({ method: 'GET', path })).bytes.toString()));
    expect(texts).toEqual(['OK', '3.17.2']);
  });
});

describe('large answers', () => {
  const profile = async (text: string): Promise<string> => {
    const { runId } = await run();
    const dataset = { name: 'd', digest: '1', source_type: 's3', source: '{}', profile: text };
    expect((await api.json('POST', 'runs/log-inputs', { run_id: runId, datasets: [{ dataset }] })).status).toBe(200);
    return `/api/2.0/mlflow/runs/get?run_id=${runId}`;
  };

  test('are compressed where the client takes that, so that they fit into an answer of a function', async () => {
    const path = await profile('"'.repeat(3_000_000));
    const { status, headers, bytes } = await api.call({ method: 'GET', path, headers: { 'accept-encoding': 'gzip, deflate' } });
    expect([status, headers['content-encoding']]).toEqual([200, 'gzip']);
    const { run: found } = JSON.parse(gunzipSync(bytes).toString());
    expect(found.inputs.dataset_inputs[0].dataset.profile).toHaveLength(3_000_000);
  });

  test('that fit into none are refused with the limit', async () => {
    const path = await profile('x'.repeat(7_000_000));
    const { status, bytes } = await api.call({ method: 'GET', path });
    expect([status, JSON.parse(bytes.toString()).message]).toEqual([400, expect.stringContaining('6 MB')]);
  });
});

describe('who may', () => {
  test('nobody without an identity', async () => {
    const event = eventOf({ method: 'GET', path: '/version' });
    const { handler } = await import('../../../lambda/tracking/mlflow-api.lambda');
    const { statusCode } = await handler({ ...event, requestContext: { ...event.requestContext, authorizer: undefined } as never });
    expect(statusCode).toBe(401);
    expect((await handler({ ...event, rawPath: '/version' })).statusCode).toBe(401);
  });

  const reader = { id: 'reader', access: 'read', viaToken: true } as const;
  const changes = routes.filter(({ access }) => access !== 'read');
  const call = { query: new URLSearchParams(), headers: JSON_TYPE, body: Buffer.from('{}'), caller: reader, baseUrl: '' };

  test.each(changes.map(({ method, path }) => [method, path]))('a token that may only read is refused: %s %s', async (method, path) => {
    const asked = answer(new Router(routes), { ...call, method, path: path.replace(/\{\w+\+?\}/g, 'x') }, () => ({}) as Stores);
    await expect(asked).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });

  test('every other call only reads', () => {
    const reads = routes.filter(({ access }) => access === 'read').map(({ method, path }) => `${method} ${path}`);
    const changing = /^(PUT|PATCH|DELETE) |\/(create|delete|restore|update|rename|set-\w+|delete-\w+|log-\w+|outputs|transition-stage|register)$/;
    expect(reads.filter((route) => changing.test(route))).toEqual([]);
  });
});

describe('faults', () => {
  test('a busy table makes the client come again', async () => {
    api.dynamo.before = () => {
      throw new ProvisionedThroughputExceededException({ message: 'slow down', $metadata: {} });
    };
    const { status, headers, bytes } = await api.call({ method: 'GET', path: '/api/2.0/mlflow/experiments/get?experiment_id=1' });
    expect([status, headers['retry-after'], JSON.parse(bytes.toString()).error_code]).toEqual([429, '1', 'REQUEST_LIMIT_EXCEEDED']);
    expect(error).not.toHaveBeenCalled();
  });

  test('an unknown fault tells nothing about the inside; the log has its kind under the same id', async () => {
    api.dynamo.before = () => {
      throw Object.assign(new Error('secret value of a parameter'), { name: 'Surprise' });
    };
    const { status, body } = await api.json('GET', 'experiments/get?experiment_id=1');
    expect([status, body.error_code]).toEqual([500, 'INTERNAL_ERROR']);
    expect(body.message).toContain('request-1');
    const logged = JSON.stringify(error.mock.calls);
    expect(logged).toContain('Surprise');
    expect(logged).toContain('request-1');
    expect(String(body.message) + logged + JSON.stringify(info.mock.calls)).not.toContain('secret');
  });

  test('a batch whose function died between two writes completes when it is sent again, and leaves one copy', async () => {
    const { experimentId, runId } = await run();
    const { body } = await api.json('POST', 'logged-models', { experiment_id: experimentId, name: 'm' });
    const modelId = String(body.model.info.model_id);
    const metrics = [{ key: 'acc', value: 0.5, timestamp: 7, step: 1, model_id: modelId }];
    const batch = { run_id: runId, metrics, params: [{ key: 'p', value: '1' }], tags: [{ key: 't', value: '1' }] };
    let writes = 0;
    api.dynamo.before = (command) => {
      if (command instanceof TransactWriteCommand && (writes += 1) === 2) throw new Error('killed');
    };
    expect((await api.json('POST', 'runs/log-batch', batch)).status).toBe(500);
    api.dynamo.before = () => undefined;
    expect((await api.json('POST', 'runs/log-batch', batch)).status).toBe(200);
    const history = await api.json('GET', `metrics/get-history?run_id=${runId}&metric_key=acc`);
    expect(history.body.metrics).toEqual([{ key: 'acc', value: 0.5, timestamp: 7, step: 1 }]);
    const model = await api.json('GET', `logged-models/${modelId}`);
    expect(model.body.model.data.metrics).toHaveLength(1);
  });

  test('a batch that conflicts writes nothing', async () => {
    const { runId } = await run();
    await api.json('POST', 'runs/log-parameter', { run_id: runId, key: 'p', value: '1' });
    const params = [{ key: 'q', value: '1' }, { key: 'p', value: '2' }];
    const metrics = [{ key: 'm', value: 1, timestamp: 1 }];
    expect((await api.json('POST', 'runs/log-batch', { run_id: runId, params, metrics, tags: [{ key: 't', value: '1' }] })).status).toBe(400);
    const { body } = await api.json('GET', `runs/get?run_id=${runId}`);
    expect(body.run.data).toEqual({ params: [{ key: 'p', value: '1' }], tags: [{ key: 'mlflow.runName', value: 'r' }] });
  });

  test('writers that meet all get through', async () => {
    const { runId } = await run();
    let lost = 0;
    api.dynamo.before = (command) => {
      if (command instanceof TransactWriteCommand && (lost += 1) <= 3) {
        throw new TransactionCanceledException({ message: '', $metadata: {}, CancellationReasons: [{ Code: 'TransactionConflict' }] });
      }
    };
    const log = (step: number) => api.json('POST', 'runs/log-metric', { run_id: runId, key: 'm', value: step, timestamp: 1, step });
    const calls = Array.from({ length: 20 }, (_, step) => log(step));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(20).fill(200));
    const { body } = await api.json('GET', `metrics/get-history?run_id=${runId}&metric_key=m`);
    expect(body.metrics).toHaveLength(20);
  });
});

describe('what a call leaves behind', () => {
  test('one line in the log: who asked for what, without anything that was sent', async () => {
    await api.json('POST', 'experiments/create', { name: 'private name', tags: [{ key: 'private', value: 'private' }] });
    await api.json('DELETE', 'logged-models/m-private/tags/private');
    const who = { caller: expect.stringMatching(/\/ann$/), viaToken: false };
    expect(info.mock.calls.map(([, line]) => ({ ...line, ms: typeof line.ms }))).toEqual([
      { ...who, method: 'POST', route: CREATE, status: 200, ms: 'number' },
      { ...who, method: 'DELETE', route: '/api/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}', status: 404, ms: 'number' },
    ]);
    expect(JSON.stringify(info.mock.calls)).not.toContain('private');
  });

  test('data that a run used stands in its lineage', async () => {
    const { runId } = await run();
    const dataset = { name: 'd', digest: 'abc', source_type: 's3', source: '{}' };
    await api.json('POST', 'runs/log-inputs', { run_id: runId, datasets: [{ dataset }] });
    const edges = api.dynamo.items('runs').filter(({ pk }) => String(pk).startsWith('NODE#'));
    expect(edges.map(({ pk, sk }) => [pk, sk])).toEqual([
      [`NODE#run#${runId}`, 'IN#data#abc'],
      ['NODE#data#abc', `OUT#run#${runId}`],
    ]);
  });
});

test('an error says its status by its code', () => {
  expect(new MlflowError('RESOURCE_ALREADY_EXISTS', '').status).toBe(400);
});
