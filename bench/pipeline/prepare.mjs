// Rows per CPU second and peak memory of preparing data, in whole processes with the memory of the function.
// node bench/pipeline/prepare.mjs [GB of each data set] [part of the name of a data set]
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { line } from '../line.mjs';

const BYTES = Number(process.argv[2] ?? 1) * 1e9;
const ONLY = process.argv[3] ?? '';
/** Of the function; its heap is what Node takes of it. */
const MEMORY = 1769;
/** A function of this memory has one core; what it does beside reading, sorting and writing takes the rest of its 15 minutes. */
const SECONDS = 600;

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-bench-prepare-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
const enginePath = path.join(directory, 'engine.js');
const contents = [
  "export { DataPreparation, LARGEST_DATASET } from './lambda/pipeline/prepare.ts';",
  "export { S3Files } from './lambda/common/s3.client.ts';",
  "export { NotFound } from '@aws-sdk/client-s3';",
].join('\n');
const output = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'error', mainFields: ['module', 'main'] };
await build({ ...output, stdin: { contents, resolveDir: root, loader: 'ts' }, tsconfigRaw: '{}', outfile: enginePath });

const { LARGEST_DATASET: LARGEST } = createRequire(import.meta.url)(enginePath);

const time = (second) => new Date(Date.UTC(2020, 0, 1) + second * 1000).toISOString();
const number = (row, column) => (((row * 2_654_435_761 + column * 40_503) >>> 7) % 100_000) / 100;
const numbers = (row, count) => Array.from({ length: count }, (_, column) => number(row, column)).join(',');
const columns = (count) => Array.from({ length: count }, (_, index) => `f${index}`);
const feature = (name) => ({
  name,
  type: { is: 'fractional', allowedShare: 0.05, severity: 'error' },
  range: { atLeast: 0, allowedShare: 0.01, severity: 'error' },
});

const CASES = {
  'numbers in the order of their times': {
    header: ['at', ...columns(10), 'y'],
    row: (row) => `${time(row)},${numbers(row, 11)}`,
  },
  'numbers in no order': {
    header: ['at', ...columns(10), 'y'],
    row: (row) => `${time((row * 7919) % 10_000_019)},${numbers(row, 11)}`,
  },
  'few numbers without a time': {
    header: ['id', ...columns(2), 'y'],
    row: (row) => `${row},${numbers(row, 3)}`,
    task: { kind: 'REGRESSION', target: 'y' },
  },
  'texts between quotes, in no order': {
    header: ['at', 'note', ...columns(5), 'y'],
    row: (row) => `${time((row * 7919) % 10_000_019)},"said ""${number(row, 9)}"", and left",${numbers(row, 6)}`,
  },
  'numbers under constraints': {
    header: ['at', ...columns(10), 'y'],
    row: (row) => `${time(row)},${numbers(row, 11)}`,
    constraints: {
      ...{ schemaVersion: 1, model: 'Bench', origin: 'edited', consistency: [] },
      features: columns(10).map(feature),
      columns: { names: ['at', ...columns(10)], severity: 'error' },
    },
  },
};

/** Writes a data set of four files. */
const make = ({ header, row }) => {
  const folder = path.join(directory, 'data/datasets/Bench');
  mkdirSync(folder, { recursive: true });
  let next = 0;
  return Array.from({ length: 4 }, (_, index) => {
    const key = `part-${index}.csv`;
    const file = openSync(path.join(folder, key), 'w');
    let size = writeSync(file, `${header.join(',')}\n`);
    while (size < BYTES / 4) size += writeSync(file, Array.from({ length: 10_000 }, () => `${row(next++)}\n`).join(''));
    closeSync(file);
    return { key, size };
  });
};

const chosen = Object.entries(CASES).filter(([name]) => name.includes(ONLY));
for (const [name, { task = { kind: 'REGRESSION', target: 'y', timeColumn: 'at' }, constraints, ...data }] of chosen) {
  const files = make(data);
  const bytes = files.reduce((sum, { size }) => sum + size, 0);
  const job = path.join(root, 'bench/pipeline/prepare-job.mjs');
  const heap = `--max-old-space-size=${MEMORY}`;
  const ran = spawnSync(process.execPath, [heap, job, enginePath, directory, JSON.stringify({ files, task, constraints })], { encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${name} failed: ${ran.stderr}`);
  const { rows, cpuSeconds, wallSeconds, peakMb } = JSON.parse(ran.stdout.trim().split('\n').at(-1));
  const more = { gb: Math.round(bytes / 1e7) / 100, rows };
  const seconds = cpuSeconds / (bytes / 1e9);
  line(`prepare, ${name}, CPU for each GB`, seconds, 's', SECONDS / (LARGEST / 1e9), { ...more, wallSeconds: Math.round(wallSeconds) });
  line(`prepare, ${name}, rows a CPU second`, rows / cpuSeconds, 'rows/s', undefined, more);
  line(`prepare, ${name}, peak memory`, peakMb, 'MB', MEMORY, more);
  rmSync(path.join(directory, 'data'), { recursive: true });
}
