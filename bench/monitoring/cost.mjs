// What it costs a month to monitor a model hourly at 100,000 predictions a day, by line: Lambda from the time that a run takes here,
// S3 from its requests, metrics from what it publishes, alarms from the template. `--days N` (56): how long the model has been served.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { build } from 'esbuild';
import { line } from '../line.mjs';
import { COLUMNS, tableRows } from './data.mjs';
import { DiskBucket } from './disk-bucket.mjs';
import { ModelAlarms } from 'cdk-mlops';

/** us-east-1, US dollars, list prices of November 2026 from memory, not verified. */
const PRICES = {
  lambdaGbSecond: 0.0000133334, // arm64
  lambdaRequest: 0.2 / 1e6,
  s3Put: 0.005 / 1e3, // PUT, LIST
  s3Get: 0.0004 / 1e3,
  s3GbMonth: 0.023,
  kmsRequest: 0.03 / 1e4,
  stateTransition: 0.025 / 1e3,
  metricMonth: 0.3,
  alarmMetricMonth: 0.1,
};
const RUNS = 730;
const MEMORY_GB = 1769 / 1024; // one processor
const STATES = 5; // start, Plan, Windows, Size, Judge
/** With bucket keys S3 asks KMS once for each bucket and way of access, and then for minutes no more. */
const KMS_REQUESTS = 6;
const HOUR = 3_600_000;
const PER_HOUR = Math.round(100_000 / 24);
const OBJECTS_PER_HOUR = 60; // the delivery stream writes every minute
const DAYS = Number(process.argv[process.argv.indexOf('--days') + 1]) || 56;
const MEASURED = 3;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-bench-cost-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const MODULES = ['monitor.client', 'baseline.client', 'baseline/build', 'workflow/plan', 'workflow/judge', 'quality/scored'];
const contents = [
  ...MODULES.map((file) => `export * from './lambda/monitoring/${file}';`),
  "export * from './lib/monitoring/contract'; export { S3Files } from './lambda/common/s3.client';",
  "export { S3ServiceException } from '@aws-sdk/client-s3';",
].join('\n');
const bundle = path.join(directory, 'engine.mjs');
await build({
  ...{ bundle: true, platform: 'node', target: 'node20', format: 'esm', mainFields: ['module', 'main'], tsconfigRaw: '{}', logLevel: 'error' },
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  stdin: { contents, resolveDir: root, loader: 'ts' },
  outfile: bundle,
});
const engine = await import(pathToFileURL(bundle));
const { MonitorClient, BaselineClient, S3Files, S3ServiceException, ScoredEncoder, MONITORING_KEYS, buildBaseline, plan, judge } = engine;

const spec = {
  model: 'M',
  task: { kind: 'REGRESSION', target: 'y', timeColumn: 'at' },
  ...{ endpointName: 'mlops-m', variantName: 'primary', servingKind: 'SERVERLESS', samplingPercentage: 100 },
  ...{ windowSeconds: 3600, delaySeconds: 900, minimumRows: 50, references: [{ kind: 'TRAINING' }] },
  falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } },
  ...{ persistence: { breaches: 2, windows: 3 }, qualitySeconds: 28 * 86_400, featureMetrics: 3 },
  qualityRules: [{ metric: 'rmse', higherIsBetter: false, worseThan: 1.5 }],
  ...{ groupColumns: [], groupRules: [], groupMinimum: { rows: 30, perClass: 10 } },
};
const errorOf = (name, httpStatusCode) => new S3ServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode } });
const bucket = new DiskBucket(directory, errorOf);
const files = () => new S3Files(bucket);
const hourPath = (time) => new Date(time).toISOString().slice(0, 13).replace(/[-T]/g, '/');

const predictionOf = (values) => Number(values[0] || 0) * 2 + 10;
const truthOf = (values, index) => predictionOf(values) + ((index * 7919) % 2000) / 1000 - 1;
/** Rows of the hours from `start`, evenly spread. */
function* rowsOf(start, hours, perHour, seed) {
  let index = 0;
  for (const values of tableRows(hours * perHour, seed, false)) {
    yield { index, at: start + Math.floor((index * HOUR) / perHour), values };
    index += 1;
  }
}
const table = (start, hours, perHour, seed) => {
  async function* chunks() {
    yield Buffer.from(`at,${COLUMNS.join(',')},y\n`);
    for (const { index, at, values } of rowsOf(start, hours, perHour, seed)) {
      yield Buffer.from(`${new Date(at).toISOString()},${values.join(',')},${truthOf(values, index)}\n`);
    }
  }
  return () => [{ where: 'table.csv', chunks: chunks() }];
};
async function* scoresOf(start, hours, perHour, seed) {
  for (const { values } of rowsOf(start, hours, perHour, seed)) yield String(predictionOf(values));
}

const now = Date.parse('2026-06-01T00:00:00Z');
const trained = now - (DAYS + 75) * 24 * HOUR;
const holdout = [trained + 60 * 24 * HOUR, 14 * 24, 70, 2];
const { baseline, blocks } = await buildBaseline({
  ...{ spec, runId: 'r', train: table(trained, 60 * 24, 70, 1), holdout: table(...holdout), scores: () => scoresOf(...holdout) },
});
const baselineUri = 's3://reports/baselines/M/r/baseline.json';
await new BaselineClient(files()).put(baselineUri, baseline, blocks);

/** An hour of requests with their records, and their labels a day later; `scored` where the hour was judged already. */
const hour = (start, { scored, captured }) => {
  const rows = [...rowsOf(start, 1, PER_HOUR, start / HOUR)].map((row) => ({ ...row, id: randomUUID() }));
  if (scored) {
    const encoder = new ScoredEncoder([]);
    const first = { continues: false, rowIndex: 0, version: 1, groups: [] };
    const scoredRow = ({ id, at, values }) => ({ ...first, request: { inferenceId: id }, time: at, prediction: predictionOf(values) });
    const frames = rows.flatMap((row) => encoder.add(scoredRow(row)) ?? []);
    const folder = MONITORING_KEYS.window(start, start + HOUR);
    bucket.put(`reports/monitoring/M/${folder}${MONITORING_KEYS.scored}`, Buffer.concat([...frames, encoder.finish()]));
  }
  const body = (data, mode) => ({ observedContentType: 'text/csv', mode, data, encoding: 'CSV' });
  for (let part = 0; captured && part < OBJECTS_PER_HOUR; part += 1) {
    const lines = rows.filter(({ index }) => index % OBJECTS_PER_HOUR === part).map(({ id, at, values }) => {
      const time = new Date(at).toISOString();
      const endpointInput = body(`${time},${values.join(',')}`, 'INPUT');
      const captureData = { endpointInput, endpointOutput: body(String(predictionOf(values)), 'OUTPUT') };
      return JSON.stringify({ captureData, eventMetadata: { eventId: id, inferenceId: id, inferenceTime: time }, eventVersion: '0' });
    });
    bucket.put(`predictions/capture/mlops-m/primary/${hourPath(start)}/${String(part).padStart(2, '0')}.jsonl`, Buffer.from(`${lines.join('\n')}\n`));
  }
  const arrived = start + 25 * HOUR;
  if (arrived >= now + MEASURED * HOUR) return;
  const label = { rowIndex: 0, observedAt: new Date(arrived).toISOString(), labelVersion: 1 };
  const labels = rows.map(({ id, values, index }) => JSON.stringify({ ...label, inferenceId: id, value: truthOf(values, index) }));
  bucket.put(`predictions/labels/M/${hourPath(arrived)}/a.jsonl`, Buffer.from(`${labels.join('\n')}\n`));
};
for (let start = now - DAYS * 24 * HOUR; start < now + MEASURED * HOUR; start += HOUR) {
  hour(start, { scored: start < now - 3 * HOUR, captured: start >= now - 8 * 24 * HOUR });
}

const published = new Set();
const add = (values, prefix = '') => Object.keys(values).forEach((name) => published.add(`${prefix}${name}`));
const measureFeatures = (metric, values) => add(values, `${metric} `);
const publisher = { putEvent: async () => undefined, count: add, measure: add, measureFeatures, now: () => now };
const registry = {
  history: async () => [{ toState: 'Production', version: 1, at: new Date(now - DAYS * 24 * HOUR).toISOString() }],
  getVersion: async () => ({ model: 'M', version: 1, missing: [], gate: {}, sagemakerModelName: 'm', baselineUri }),
};
const client = new MonitorClient('M', { predictions: 'predictions', reports: 'reports', data: 'data' }, files(), registry);
const ports = { platform: 'p', spec, client, baselines: new BaselineClient(files()), countInvocations: async () => undefined, publisher };
const run = async (time, limits) => {
  const { windows } = await plan({ ...ports, now: () => time, limits }, { action: 'plan', request: {} });
  for (const window of windows) await judge(ports, { action: 'judge', window });
  return windows.length;
};

// The first run reads what runs before it would have read.
await run(now + spec.delaySeconds * 1000, { smallBytes: Infinity });
Object.assign(bucket, { requests: { list: 0, get: 0, put: 0 }, bytesPut: 0 });
published.clear();
const before = process.cpuUsage();
const started = performance.now();
let windows = 0;
for (let index = 1; index <= MEASURED; index += 1) windows += await run(now + index * HOUR + spec.delaySeconds * 1000);
const { user, system } = process.cpuUsage(before);
const cpu = (user + system) / 1e6 / MEASURED;
const wall = (performance.now() - started) / 1e3 / MEASURED;
const [list, get, put] = ['list', 'get', 'put'].map((kind) => bucket.requests[kind] / MEASURED);

const stack = new Stack(new App(), 'Alarms');
new ModelAlarms(stack, 'Alarms', { platformName: 'p', modelName: 'M', monitor: sfn.StateMachine.fromStateMachineName(stack, 'Monitor', 'm') });
const alarms = Object.entries(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm')).filter(([id]) => !id.includes('PipelineFailed'));
const alarmMetrics = alarms.reduce((sum, [, { Properties }]) => sum + (Properties.Metrics?.filter(({ MetricStat }) => MetricStat).length ?? 1), 0);

const dollars = (figure, value, limit, more) => line(figure, value, 'USD a month', limit, more);
line('CPU of a run', cpu, 's', undefined, { windows: windows / MEASURED });
line('time of a run', wall, 's', undefined, { latencyMs: 20 });
line('S3 requests of a run', list + get + put, 'requests', undefined, { list, get, put });
// Lambda bills time, not CPU: on a machine that has other work this is too much.
const lambda = RUNS * (wall * MEMORY_GB * PRICES.lambdaGbSecond + 2 * PRICES.lambdaRequest);
const s3 = RUNS * ((list + put) * PRICES.s3Put + get * PRICES.s3Get);
const storage = ((bucket.bytesPut / MEASURED) * RUNS * PRICES.s3GbMonth) / 1e9;
const kms = RUNS * KMS_REQUESTS * PRICES.kmsRequest;
dollars('Lambda', lambda);
dollars('S3 requests', s3);
dollars('S3 storage of a month of results', storage);
dollars('KMS requests', kms);
dollars('Lambda, S3 and KMS', lambda + s3 + storage + kms, 1);
dollars('Step Functions', RUNS * STATES * PRICES.stateTransition);
dollars('metrics', published.size * PRICES.metricMonth, undefined, { metrics: [...published].sort() });
dollars('alarms', alarmMetrics * PRICES.alarmMetricMonth, undefined, { alarms: alarms.length, metrics: alarmMetrics });
dollars('metrics and alarms', published.size * PRICES.metricMonth + alarmMetrics * PRICES.alarmMetricMonth, 4);
