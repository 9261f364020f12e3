// CPU time of searches over runs in memory, without what reading them costs: parsing, comparing, ordering and paging, per 1000 rows.
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { buildSync } from 'esbuild';
import { line } from './line.mjs';

const ROWS = 20_000;
const PAGE = 500;
const ROUNDS = 5;
/** Milliseconds of CPU per 1000 rows that leave a search of 100,000 rows well within its seconds. */
const LIMIT = 5;

const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-bench-'));
const outfile = path.join(directory, 'search.cjs');
const entryPoints = ['lambda/tracking/mlflow/search/index.ts'];
buildSync({ entryPoints, outfile, bundle: true, platform: 'node', format: 'cjs', tsconfigRaw: '{}', logLevel: 'error' });
const { searchRuns } = createRequire(import.meta.url)(outfile);
rmSync(directory, { recursive: true });

const numbered = (count, prefix, value) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => `${prefix}_${n}`).map((key) => [key, value(key)]));
const point = (key, value) => ({ key, value, timestamp: 0, step: 0 });

/** A run as people log it: 15 params, 10 tags, 20 metrics. */
const run = (id) => ({
  runId: String(id).padStart(32, '0'),
  experimentId: '1',
  name: `run-${id}`,
  userId: 'ann',
  status: 'FINISHED',
  startTime: 1_760_000_000_000 - id * 1000,
  lifecycleStage: 'active',
  artifactUri: `s3://bucket/mlflow/1/${id}/artifacts`,
  params: { ...numbered(14, 'param', () => 'a value of some length'), lr: String((id % 100) / 1000) },
  tags: { ...numbered(9, 'tag', () => 'another value'), stage: id % 10 === 0 ? 'prod' : 'dev' },
  metrics: { ...numbered(19, 'metric', (key) => point(key, id)), loss: point('loss', Math.sin(id)) },
  datasets: [{ name: 'iris', digest: 'd1', sourceType: 's3', source: '{}', tags: { 'mlflow.data.context': 'training' } }],
  modelInputs: [],
  modelOutputs: [],
});

const rows = Array.from({ length: ROWS }, (_, id) => run(id));
const source = {
  async getMany() {
    return [];
  },
  async *rows() {
    for (let at = 0; at < rows.length; at += PAGE) yield rows.slice(at, at + PAGE);
  },
};

const SEARCHES = {
  'no run matches': { filter: "metrics.loss > 2 AND params.lr = '0.01'" },
  'one run in 100 matches': { filter: "tags.stage = 'prod' AND params.lr LIKE '0.0%' AND metrics.loss > 0.8 AND dataset.name = 'iris'" },
  'by a metric, the first 100': { order_by: ['metrics.loss DESC'], max_results: 100 },
  'filtered and by a param, the first 1000': { filter: "tags.stage ILIKE 'PROD'", order_by: ['params.lr', 'metrics.loss'], max_results: 1000 },
};

for (const [name, search] of Object.entries(SEARCHES)) {
  const times = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    await searchRuns({ experiment_ids: ['1'], ...search }, source);
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000 / (ROWS / 1000));
  }
  line(`search of runs, CPU per 1000 rows: ${name}`, times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)], 'ms', LIMIT, { rows: ROWS });
}

async function* onePage(at) {
  yield rows.slice(at, at + 101);
}

const parts = [];
for (let page_token = '', pages = 0; pages < 10; pages++) {
  const start = process.cpuUsage();
  const found = await searchRuns({ experiment_ids: ['1'], max_results: 100, page_token }, { ...source, rows: () => onePage(pages * 100) });
  const { user, system } = process.cpuUsage(start);
  parts.push((user + system) / 1000);
  page_token = found.nextPageToken;
}
line('search of runs, CPU of one page of 100 in the default order', parts.sort((a, b) => a - b)[5], 'ms', 20);
