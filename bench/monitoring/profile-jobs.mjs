// Jobs of the throughput bench, each run in a process of its own: node profile-jobs.mjs ENGINE JOB OPTIONS
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

const here = fileURLToPath(import.meta.url);

const spin = (rounds) => {
  let x = 1;
  for (let round = 0; round < rounds; round += 1) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
};

const inThreads = (threads, rounds) =>
  Promise.all(
    Array.from({ length: threads }, () => {
      const worker = new Worker(here, { workerData: { rounds } });
      return new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
    }),
  );

const [, , enginePath, job, options] = process.argv;

/** Shapes and counts of the baseline, from two passes over its file. */
const baselineOf = async (engine, file) => {
  const rejections = new engine.Rejections();
  let sampler;
  await engine.readCsv(engine.fileChunks(file), 'baseline', (columns) => (sampler = new engine.Sampler(columns)), rejections);
  const shaped = engine.shapesOf(sampler).filter((column) => !engine.isSkipped(column));
  const features = shaped.map(({ name, shape }) => ({ name, role: 'feature', column: sampler.columns.indexOf(name), shape }));
  const profiler = new engine.Profiler(features);
  await engine.readCsv(engine.fileChunks(file), 'baseline', () => profiler, rejections);
  return { columns: sampler.columns, features, profile: profiler.toProfile() };
};

const compared = (engine, { features, profile }, current) =>
  features.map(({ name, shape }) => engine.compareCounts(shape, profile.features.get(name), current.features.get(name)));

const JOBS = {
  /** A whole comparison of a CSV file with a baseline: profiles of both, all statistics of each feature. */
  csv: async (engine, { baseline, files, workers = 1 }) => {
    const reference = await baselineOf(engine, baseline);
    const { columns, features } = reference;
    const all = files.map((path) => ({ name: path, path, bytes: statSync(path).size }));
    const started = performance.now();
    const { windows, rejections } = await engine.profileFiles({ files: all, format: 'csv', columns, features, workers });
    const wallSeconds = (performance.now() - started) / 1000;
    compared(engine, reference, windows[0].profile);
    return { rows: windows[0].profile.rows, rejected: rejections.total, wallSeconds };
  },
  /** The same for recorded requests of a window, with duplicates looked for and predictions kept. */
  capture: async (engine, { baseline, file, start, rows }) => {
    const reference = await baselineOf(engine, baseline);
    const rejections = new engine.Rejections();
    let scored = 0;
    const edges = Array.from({ length: 999 }, (_, index) => (index + 1) / 1000);
    const prediction = { name: 'prediction', role: 'prediction', shape: { kind: 'numeric', edges, mean: 0.5, deviation: 0.3 } };
    const profiler = new engine.RequestProfiler({
      features: [...reference.features, prediction],
      columns: reference.columns,
      task: { kind: 'REGRESSION', target: 'y' },
      window: { start, end: start + rows * 1000 },
      promotions: [{ version: 1, at: 0 }],
      groupColumns: [],
      rejections,
      onScored: () => (scored += 1),
    });
    await engine.readCapture(engine.fileChunks(file), 'capture', reference.columns, profiler, rejections, new engine.CaptureStats());
    compared(engine, reference, profiler.toProfile());
    return { rows: profiler.toCounts().rows, scored, rejected: rejections.total };
  },
  /** The same for a Parquet file. */
  parquet: async (engine, { baseline, file }) => {
    const { readParquet } = createRequire(import.meta.url)(path.join(path.dirname(enginePath), 'parquet.js'));
    const reference = await baselineOf(engine, baseline);
    const rejections = new engine.Rejections();
    const profiler = new engine.Profiler(reference.features);
    await readParquet(engine.fileParts(file), 'current', () => profiler, rejections);
    const profile = profiler.toProfile();
    compared(engine, reference, profile);
    return { rows: profile.rows, rejected: rejections.total };
  },
  /** Bytes of what is stored of a profile, by feature, after the file has been counted. */
  state: async (engine, { baseline, file }) => {
    const reference = await baselineOf(engine, baseline);
    const profiler = new engine.Profiler(reference.features);
    await engine.readCsv(engine.fileChunks(file), 'current', () => profiler, new engine.Rejections());
    const profile = profiler.toProfile();
    const empty = engine.encodeProfile(profile, []).length;
    const bytes = reference.features.map((feature) => ({
      name: feature.name,
      kind: feature.shape.kind,
      levels: feature.shape.kind === 'categorical' ? feature.shape.categories.length : undefined,
      unlisted: Object.keys(profile.features.get(feature.name).unlisted ?? {}).length,
      bytes: engine.encodeProfile(profile, [feature]).length - empty,
    }));
    return { rows: profile.rows, features: bytes };
  },
  /** Wall seconds of a loop without memory: what this machine gives to one and to several threads now. */
  spin: async (_, { threads, rounds }) => {
    const started = performance.now();
    await inThreads(threads, rounds);
    return { wallSeconds: (performance.now() - started) / 1000 };
  },
};

if (isMainThread) {
  JOBS[job](createRequire(import.meta.url)(enginePath), JSON.parse(options)).then((answer) => {
    process.on('exit', () => {
      const { user, system } = process.cpuUsage();
      const peakMb = process.resourceUsage().maxRSS / 1024;
      process.stdout.write(`${JSON.stringify({ ...answer, cpuSeconds: (user + system) / 1e6, peakMb })}\n`);
    });
  });
} else {
  spin(workerData.rounds);
}
