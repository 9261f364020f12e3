import type { MonitorAnswer, MonitorResult } from '../../../lib/monitoring/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { MemoryBucket } from '../../fakes/memory-s3';
import { register, registryOver, versionRecord } from '../../fakes/registry';
import { MemoryEvents } from '../../fakes/sdk';
import { captureLine, labelLine, makeBaseline, makeRows, SPEC } from './samples';

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  MLOPS_PLATFORM: 'mlops',
  MLOPS_BUS_NAME: 'bus',
  MLOPS_REGISTRY_TABLE: 'registry',
  MLOPS_HISTORY_TABLE: 'history',
  MLOPS_PREDICTIONS_BUCKET: 'predictions',
  MLOPS_REPORTS_BUCKET: 'reports',
  MLOPS_MONITOR_SPEC: JSON.stringify(SPEC),
});

const dynamo = new MemoryDynamo();
const bucket = new MemoryBucket();
const bus = new MemoryEvents();
const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);

let handler: (event: unknown) => Promise<MonitorAnswer>;

const MARCH = { windowStart: '2012-03-01T00:00:00Z', windowEnd: '2012-04-01T00:00:00Z' };

/** Version 3 serves since long before the window. */
const serving = async (baselineUri: string): Promise<void> => {
  const registry = registryOver(dynamo.client());
  const by = { actor: 'ana', reason: 'x' };
  for (const runId of ['run-1', 'run-2', 'run-3']) await register(registry, SPEC.model, versionRecord(runId, { baselineUri }));
  await registry.transition(SPEC.model, 3, 'Approved', by);
  await registry.promote(SPEC.model, 3, by);
  for (const entry of dynamo.items('history')) dynamo.put('history', { ...entry, at: '2012-01-01T00:00:00.000Z' });
};

beforeAll(async () => {
  dynamo.install();
  bucket.install();
  bus.install();
  ({ handler } = await import('../../../lambda/monitoring/run-monitor.lambda'));
  bucket.objects.set('reports/baseline.json', JSON.stringify(await makeBaseline(undefined, () => 100)));
});
afterAll(() => jest.restoreAllMocks());
beforeEach(async () => {
  for (const key of [...bucket.objects.keys()]) if (!key.startsWith('reports/baseline')) bucket.objects.delete(key);
  dynamo.clear();
  await serving('s3://reports/baseline.json');
  bus.events.length = 0;
  output.mockClear();
});

/** A month of requests, one a day, and the truth of each of its rows. */
const record = (truth: number, shift = 0): void => {
  const rows = makeRows(40, MARCH.windowStart, 31 * 24, { shift });
  const captured = Array.from({ length: 31 }, (_, day) => captureLine(rows.slice(day * 24, day * 24 + 24), { id: `day-${day}` }));
  const labels = rows.map((_, hour) => labelLine(`day-${Math.floor(hour / 24)}`, hour % 24, truth));
  bucket.objects.set(`predictions/capture/${SPEC.endpointName}/primary/2012/03/31/23/a.jsonl`, `${captured.join('\n')}\n`);
  bucket.objects.set(`predictions/labels/${SPEC.model}/2012/04/01/00/a.jsonl`, `${labels.join('\n')}\n`);
};

const published = (): string => output.mock.calls.flat().join('\n');

test('a window is judged, stored, told and measured', async () => {
  record(250, 3);
  const answer = await handler(MARCH);
  expect(answer).toMatchObject({ model: SPEC.model, version: 3, rows: 744, driftVerdict: 'drift', qualityVerdict: 'degraded' });
  expect(answer.metrics.rmse).toBe(150);
  expect(answer.driftedFeatures).toContain('temp');
  const result = JSON.parse(bucket.text(answer.resultUri)) as MonitorResult;
  expect(result).toMatchObject({ platform: 'mlops', version: 3, servedBy: [{ version: 3, rows: 744 }], quality: { labelled: 744 } });
  expect(bucket.text(answer.reportUri)).toMatch(/^<!doctype html>/i);
  expect(bus.ofType('Model Quality Degraded')).toEqual([expect.objectContaining({ metric: 'rmse', value: 150, bound: 100, version: 3 })]);
  expect(bus.ofType('Data Drift Detected')).toHaveLength(1);
  expect(bus.ofType('Monitor Run Completed')).toHaveLength(1);
  expect(published()).toContain('"QualityDegraded":1');
  expect(published()).toContain('"Quality.rmse":150');
});

test('the scheduler\'s time is the end of the window, whose start is as far back as the spec says', async () => {
  record(101);
  const answer = await handler({ windowEnd: '2012-03-20T00:00:00Z' });
  const [windowStart, windowEnd] = ['2012-03-06T00:00:00.000Z', '2012-03-20T00:00:00.000Z'];
  expect(answer).toMatchObject({ windowStart, windowEnd, rows: 14 * 24, qualityVerdict: 'ok' });
  expect(bus.events.map(({ type }) => type)).toEqual(['Monitor Run Completed']);
});

test('without an end the window ends now, when nobody has asked for anything', async () => {
  record(101);
  const answer = await handler(undefined);
  expect(answer).toMatchObject({ rows: 0, driftVerdict: 'no-traffic', qualityVerdict: 'no-traffic', metrics: {} });
  expect(Math.abs(Date.parse(answer.windowEnd) - Date.now())).toBeLessThan(120_000);
  expect(published()).not.toContain('Quality.rmse');
});

test('a baseline of another release is named, and nothing is published as a verdict', async () => {
  dynamo.clear();
  await serving('s3://reports/old.json');
  bucket.objects.set('reports/old.json', '{"schemaVersion":99}');
  record(101);
  await expect(handler(MARCH)).rejects.toThrow(/s3:\/\/reports\/old.json is no baseline that this release can read: \S+/);
  expect(bus.events).toEqual([]);
});

test('a window that ends before it starts is refused', async () => {
  await expect(handler({ windowStart: MARCH.windowEnd, windowEnd: MARCH.windowStart })).rejects.toThrow('the window must end after it starts');
  await expect(handler({ windowEnd: 'yesterday' })).rejects.toMatchObject({ name: 'ZodError' });
});
