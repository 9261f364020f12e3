// Requests, units and bytes of each operation of the runs table, counted at the SDK's client, with the CPU time of this process and the wall time.
import { onEngine } from './engine-tables.mjs';
import { line } from './line.mjs';
import { counting } from './table-units.mjs';

const RUNS = 1_000;
const AT_ONCE = 8;
const ENGINE = 'bench-tracking';

const point = (key, value, step) => ({ key, value, timestamp: 1_760_000_000_000 + step * 40 + Math.floor(Math.random() * 40), step });
const entries = (count, prefix, value) => Array.from({ length: count }, (_, index) => ({ key: `${prefix}_${index}`, value: value(index) }));
const tags = { 'mlflow.user': 'somebody', 'mlflow.source.name': '/home/somebody/train.py', 'mlflow.source.type': 'LOCAL' };

await onEngine(ENGINE, async ({ client, db, table, load }) => {
  const TableName = 'bench-tracking';
  await table(TableName);
  const counter = counting(client);
  const { ExperimentsClient } = load('lambda/tracking/experiments.client.ts');
  const { RunsClient } = load('lambda/tracking/runs.client.ts');
  const experiments = new ExperimentsClient(TableName, db, 's3://bucket/mlflow');
  const runs = new RunsClient(TableName, db, experiments);
  const { experimentId } = await experiments.create({ name: 'bench' });
  const { experimentId: listed } = await experiments.create({ name: 'bench, listed' });
  const create = (more = {}, id = experimentId) => runs.create({ experimentId: id, userId: 'somebody', tags: { ...tags, ...more } });

  /** One line for an operation that was done `times` times: means of what one took. */
  const measured = async (operation, times, work, limit) => {
    counter.take();
    const cpu = process.cpuUsage();
    const started = performance.now();
    for (let index = 0; index < times; index += 1) await work(index);
    const { user, system } = process.cpuUsage(cpu);
    const wall = (performance.now() - started) / times;
    const sums = Object.entries(counter.take()).map(([name, value]) => [name, Math.round((10 * value) / times) / 10]);
    const taken = Object.fromEntries(sums);
    const cpuMs = Math.round((user + system) / 10 / times) / 100;
    const [what, most] = limit ?? ['requests', undefined];
    const value = what === 'requests' ? taken.readRequests + taken.writeRequests : taken[what];
    line(`tracking ${what === 'writeRequests' ? 'write requests' : 'requests'}`, value, 'requests', most, {
      operation,
      ...taken,
      cpuMs,
      wallMs: Math.round(10 * wall) / 10,
    });
  };

  const made = [];
  await measured('create run', 50, async () => made.push((await create()).runId));
  const [first, second, third] = made;
  await measured('log_metric', 100, (index) => runs.logBatch(first, { metrics: [point('loss', Math.random(), index)] }));
  const epochs = (key, from) => Array.from({ length: 1_000 }, (_, index) => point(key(index), 1 / (index + 1) + Math.random() / 100, from + index));
  const oneKey = (index) => runs.logBatch(second, { metrics: epochs(() => 'loss', index * 1_000) });
  await measured('log_batch, 1000 points of one key', 10, oneKey, ['writeRequests', 12]);
  const manyKeys = () => runs.logBatch(third, { metrics: epochs((key) => `metric_${key}`, 0) });
  await measured('log_batch, 1000 points of 1000 keys', 5, manyKeys, ['writeRequests', 12]);
  const params = (index) => runs.logBatch(made[index + 3], { params: entries(100, 'param', String) });
  await measured('log_batch, 100 params', 10, params, ['writeRequests', 12]);
  const largest = (index) => ({ params: entries(100, 'param', () => 'x'.repeat(6_000)), tags: entries(100, `tag${index}`, () => 'y'.repeat(8_000)) });
  await measured('log_batch, 100 params of 6000 and 100 tags of 8000 characters', 5, (index) => runs.logBatch(made[index + 20], largest(index)));
  await measured('set_tag', 50, (index) => runs.setTag(first, 'note', String(index)));
  await measured('get run, small', 50, () => runs.get(first));
  await measured('get run, 1000 metrics', 20, () => runs.get(third));
  await measured('metric history, 10,000 points logged 1000 at a time', 5, () => runs.metricHistory(second, 'loss'));
  await measured('metric history, 100 points logged one at a time', 10, () => runs.metricHistory(first, 'loss'));

  const typical = async (index) => {
    const { runId } = await create({ 'mlflow.parentRunId': index % 100 === 0 ? 'parent' : `other-${index % 100}` }, listed);
    const params = entries(10, 'hyperparameter', (n) => String(n * index));
    await runs.logBatch(runId, { params, metrics: entries(5, 'metric', String).map(({ key }) => point(key, Math.random(), 10)) });
  };
  for (let start = 0; start < RUNS; start += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => typical(start + index)));
  const all = async (pages, most = Infinity) => {
    let count = 0;
    for await (const page of pages) if ((count += page.length) >= most) break;
    return count;
  };
  await measured('rows, page of 1000', 5, () => all(runs.rows(listed), 1_000), ['requests', 6]);
  await measured('rows, page of 100', 10, () => all(runs.rows(listed, { pageSize: 100 }), 100), ['requests', 6]);
  const byTag = () => all(runs.rowsByTag(listed, 'mlflow.parentRunId', 'parent'));
  await measured('rows by an indexed tag, 10 of 1000', 10, byTag, ['requests', 6]);
});
