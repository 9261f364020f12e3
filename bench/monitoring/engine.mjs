// Bundles the engine for a bench and runs jobs with it in processes of their own, which tell what they used.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');

const MODULES = [
  'lambda/monitoring/profile/index.ts',
  'lambda/monitoring/drift/compare.ts',
  'lambda/monitoring/readers/csv.ts',
  'lambda/monitoring/readers/file.ts',
  'lambda/monitoring/readers/capture.ts',
  'lambda/monitoring/readers/capture-stats.ts',
  'lambda/monitoring/rejections.ts',
  'cli/drift/profile-files.ts',
];

/** Answers a function that runs a job of profile-jobs.mjs: what it answers, with CPU seconds and peak memory of its whole process. */
export async function engine() {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-bench-engine-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  const output = { bundle: true, platform: 'node', target: 'node20', format: 'cjs', logLevel: 'error' };
  const common = { ...output, mainFields: ['module', 'main'], tsconfigRaw: '{}' };
  const contents = MODULES.map((file) => `export * from './${file}';`).join('\n');
  await build({ ...common, stdin: { contents, resolveDir: root, loader: 'ts' }, outfile: path.join(directory, 'engine.js') });
  // By itself, so that other formats do not pay for its start.
  await build({ ...common, entryPoints: [path.join(root, 'lambda/monitoring/readers/parquet.ts')], outfile: path.join(directory, 'parquet.js') });
  await build({ ...common, entryPoints: [path.join(root, 'cli/drift/profile.worker.ts')], outfile: path.join(directory, 'profile.worker.js') });
  const jobs = path.join(root, 'bench/monitoring/profile-jobs.mjs');
  return (job, options = {}) => {
    const ran = spawnSync(process.execPath, [jobs, path.join(directory, 'engine.js'), job, JSON.stringify(options)], { encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`${job} failed: ${ran.stderr}`);
    return JSON.parse(ran.stdout.trim().split('\n').at(-1));
  };
}

/** The run with the least CPU time: other work on the machine can only add to it. */
export const best = (repeats, run) => Array.from({ length: repeats }, run).reduce((least, one) => (one.cpuSeconds < least.cpuSeconds ? one : least));
