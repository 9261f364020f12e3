// CPU time and memory of the gate on a million holdout rows (whole processes), and how often it lets an equal candidate pass.
// node bench/pipeline/gate.mjs [rows] [trials]
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { line } from '../line.mjs';

const ROWS = Number(process.argv[2] ?? 1_000_000);
const TRIALS = Number(process.argv[3] ?? 2000);
const CPU_SECONDS = 10;
const MEMORY = 512;
const ERROR = 0.05;
/** Keys of the training rows of each model. */
const TRAIN_FACTOR = 3;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-bench-gate-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const enginePath = path.join(directory, 'engine.js');
const modules = [
  'lambda/common/s3.client.ts',
  'lambda/monitoring/quality/estimate.ts',
  'lambda/monitoring/quality/table.ts',
  'lambda/pipeline/gate/champion.ts',
  'lambda/pipeline/gate/judge.ts',
  'lambda/pipeline/gate/page/render.ts',
  'lambda/pipeline/row-keys.ts',
];
const contents = [...modules.map((file) => `export * from './${file}';`), "export { NotFound } from '@aws-sdk/client-s3';"].join('\n');
const output = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'error', mainFields: ['module', 'main'] };
await build({ ...output, stdin: { contents, resolveDir: root, loader: 'ts' }, tsconfigRaw: '{}', outfile: enginePath });

const run = (job, options) => {
  const jobs = path.join(root, 'bench/pipeline/gate-job.mjs');
  const ran = spawnSync(process.execPath, [jobs, enginePath, job, JSON.stringify(options)], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${job} failed: ${ran.stderr}`);
  return JSON.parse(ran.stdout.trim().split('\n').at(-1));
};

const cases = ROWS === 0 ? [] : [['regression', 365], ['binary', 365], ['binary without a time', 0], ['classes', 60]];
for (const [task, days] of cases) {
  const data = path.join(directory, task.replaceAll(' ', '-'));
  run('data', { directory: data, task, rows: ROWS, trainRows: TRAIN_FACTOR * ROWS, days });
  const best = [1, 2].map(() => run('gate', { directory: data, task })).reduce((a, b) => (a.cpuSeconds <= b.cpuSeconds ? a : b));
  const { cpuSeconds, peakMb, rows, ...more } = best;
  line(`gate, ${task}, CPU`, cpuSeconds, 's', CPU_SECONDS, { rows, ...more });
  line(`gate, ${task}, peak memory`, peakMb, 'MB', MEMORY, { rows });
  rmSync(data, { recursive: true });
}

const settings = [14, 20, 30, 60].flatMap((days) => [0, 0.5].map((alike) => ({ days, alike })));
for (const { days, alike } of TRIALS === 0 ? [] : settings) {
  const { share } = run('passes', { days, alike, trials: TRIALS, ratio: 1 });
  const error = Math.sqrt((ERROR * (1 - ERROR)) / TRIALS);
  line(`equal candidates that pass, ${days} days, correlation of neighbouring days ${alike}`, 100 * share, '%', 100 * ERROR, {
    trials: TRIALS,
    standardError: Math.round(10_000 * error) / 100,
  });
}
for (const [days, ratio] of TRIALS === 0 ? [] : [[14, 0.9], [14, 0.8], [30, 0.9]]) {
  const { share } = run('passes', { days, alike: 0, trials: TRIALS, ratio });
  line(`candidates that are ${Math.round(100 - 100 * ratio)} % better and pass, ${days} days`, 100 * share, '%', undefined, { trials: TRIALS });
}
