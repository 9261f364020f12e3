// Jobs of the gate's bench, each run in a process of its own: node gate-job.mjs ENGINE JOB OPTIONS
import { createReadStream, createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { seeded } from '../monitoring/data.mjs';

const [, , enginePath, job, optionsText] = process.argv;
const engine = createRequire(import.meta.url)(enginePath);
const options = JSON.parse(optionsText);

const normalOf = (random) => () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());

/** S3 on disk, as far as the gate asks for it. */
const onDisk = (directory) => {
  const fileOf = (Key) => path.join(directory, Key);
  return {
    send: async ({ constructor, input: { Key, Prefix } }) => {
      const { statSync, readdirSync } = await import('node:fs');
      const kind = constructor.name;
      if (kind.startsWith('List')) {
        const names = readdirSync(fileOf(Prefix)).map((name) => `${Prefix}${name}`);
        return { Contents: names.map((key) => ({ Key: key, Size: statSync(fileOf(key)).size })) };
      }
      const found = statSync(fileOf(Key), { throwIfNoEntry: false });
      if (!found?.isFile()) throw new engine.NotFound({ message: 'NotFound', $metadata: { httpStatusCode: 404 } });
      return { ContentLength: found.size, Body: kind.startsWith('Get') ? createReadStream(fileOf(Key)) : undefined };
    },
  };
};

const TASKS = {
  regression: { kind: 'REGRESSION', target: 'y', timeColumn: 't' },
  binary: { kind: 'BINARY_CLASSIFICATION', target: 'y', timeColumn: 't', positiveLabel: 'yes' },
  'binary without a time': { kind: 'BINARY_CLASSIFICATION', target: 'y', positiveLabel: 'yes' },
  classes: { kind: 'MULTICLASS_CLASSIFICATION', target: 'y', timeColumn: 't' },
};
const METRICS = { regression: 'rmse', binary: 'auc', 'binary without a time': 'auc', classes: 'macroF1' };
const GATE = { minimumImprovement: 0, confidence: 0.95, minimumBlocks: 20, fewBlocks: 'widen', bounds: [], allowedDuplicateShare: 0.01 };
const CLASSES = Array.from({ length: 10 }, (_, index) => `class ${index}`);
const IMPORTANCE = { repeats: 5, maxSamples: 500, maximumRows: 50_000 };
const COLUMNS = ['t', 'town', ...Array.from({ length: 10 }, (_, index) => `x${index}`), 'y'];

const written = async (file, rows, line) => {
  const out = createWriteStream(file);
  for (let start = 0; start < rows; start += 10_000) {
    let text = '';
    for (let row = start; row < Math.min(rows, start + 10_000); row += 1) text += line(row);
    if (!out.write(text)) await new Promise((done) => out.once('drain', done));
  }
  await new Promise((done) => out.end(done));
};

const JOBS = {
  /** Holdout, scores of both models and keys of their training rows. */
  data: async ({ directory, task, rows, trainRows, days }) => {
    for (const folder of ['candidate', 'champion']) mkdirSync(path.join(directory, folder), { recursive: true });
    const random = seeded(1);
    const normal = normalOf(random);
    const truth = Float64Array.from({ length: rows }, () => normal());
    const truthText = (value) => {
      if (task === 'regression') return (100 + 10 * value).toFixed(3);
      return task === 'classes' ? classOf(value) : value > 1 ? 'yes' : 'no';
    };
    const classOf = (value) => CLASSES[Math.min(9, Math.max(0, Math.floor(5 + 2.5 * value)))];
    const scoreText = (value) => {
      if (task === 'regression') return (100 + 10 * value).toFixed(4);
      return task === 'classes' ? classOf(value) : (1 / (1 + Math.exp(2 - 2 * value))).toFixed(6);
    };
    const cells = (row, value, first) => {
      const time = new Date(first + Math.floor((row / rows) * days * 86_400) * 1000).toISOString().slice(0, 19);
      let text = `${time},town ${row % 40}`;
      for (let column = 0; column < 10; column += 1) text += `,${(random() * 1000).toFixed(3)}`;
      return `${text},${truthText(value)}`;
    };
    const head = `${COLUMNS.join(',')}\n`;
    await written(path.join(directory, 'holdout.csv'), rows, (row) => `${row === 0 ? head : ''}${cells(row, truth[row], Date.UTC(2024, 0, 1))}\n`);
    await written(path.join(directory, 'candidate/0.out'), rows, (row) => `${scoreText(truth[row] + 0.5 * normal())}\n`);
    await written(path.join(directory, 'champion/0.out'), rows, (row) => `${scoreText(truth[row] + 0.6 * normal())}\n`);
    const features = COLUMNS.slice(0, -1);
    const sample = Array.from({ length: Math.min(rows, IMPORTANCE.maxSamples) }, (_, index) => Math.floor((index * rows) / IMPORTANCE.maxSamples));
    const permuted = { uri: 's3://b/permuted-rows.csv', features, repeats: IMPORTANCE.repeats, sample };
    await written(path.join(directory, 'candidate/permuted-rows.csv.out'), features.length * IMPORTANCE.repeats * sample.length, (row) => {
      return `${scoreText(truth[sample[row % sample.length]] + normal())}\n`;
    });
    for (const whose of ['candidate', 'champion']) {
      const keys = new engine.RowKeys(COLUMNS);
      const numbers = new Float64Array(COLUMNS.length);
      const bytes = Buffer.alloc(8);
      const [starts, ends] = [new Int32Array(COLUMNS.length), new Int32Array(COLUMNS.length).fill(0)];
      ends[0] = 8;
      for (let row = 0; row < trainRows; row += 1) {
        bytes.writeDoubleLE(random());
        keys.text({ bytes, starts, ends, length: COLUMNS.length, numbers });
      }
      writeFileSync(path.join(directory, `${whose}.bin`), keys.toBytes());
      const rowKeys = { uri: `s3://b/${whose}.bin`, columns: COLUMNS, rows: trainRows };
      const train = { rows: trainRows, to: '2023-12-31T23:00:00.000Z' };
      writeFileSync(path.join(directory, `${whose}.json`), JSON.stringify({ rowKeys, train, permuted }));
    }
    writeFileSync(path.join(directory, 'model.tar.gz'), 'model');
    return {};
  },
  /** All that the function does between its input and its two reports. */
  gate: async ({ directory, task }) => {
    const files = new engine.S3Files(onDisk(directory));
    const gate = {
      ...GATE,
      metric: METRICS[task],
      groups: [{ column: 'town', metric: METRICS[task], worseThan: task === 'regression' ? 1e9 : 0, minimumRows: 100 }],
      maximumModelBytes: 1e9,
      maximumMillisecondsPerRow: 1,
    };
    const prepared = {
      round: 0,
      manifestUri: 's3://b/candidate.json',
      holdoutUri: 's3://b/holdout.csv',
      candidateScoresUri: 's3://b/candidate/',
      championScoresUri: 's3://b/champion/',
      champion: { present: true, version: 1, manifestUri: 's3://b/champion.json' },
    };
    const request = { model: 'Bench', runId: 'r', prepared, trainingStatus: 'Completed', modelUri: 's3://b/model.tar.gz', scoringMilliseconds: 1000 };
    const report = await engine.judgeCandidate(files, request, { gate, task: TASKS[task], importance: IMPORTANCE });
    if (!report.importance) throw new Error(JSON.stringify(report.missing));
    const page = engine.renderGate(report);
    const [rule] = report.rules;
    const { method, blocks, low } = rule.interval;
    return { rows: report.rows, passed: report.passed, method, blocks, low, jsonBytes: JSON.stringify(report).length, pageBytes: page.length };
  },
  /** Share of candidates that pass, which are as good as the champion where `ratio` is 1. Days have moods of their own, alike from day to day. */
  passes: async ({ days, trials, ratio, alike, minimumImprovement = 0 }) => {
    const normal = normalOf(seeded(7 + days + Math.round(100 * alike)));
    const rowsOfDay = 24;
    const task = TASKS.regression;
    let passed = 0;
    for (let trial = 0; trial < trials; trial += 1) {
      const tables = [new engine.QualityTable(task), new engine.QualityTable(task)];
      const levels = [normal(), normal()];
      for (let day = 0; day < days; day += 1) {
        for (const side of [0, 1]) {
          levels[side] = alike * levels[side] + Math.sqrt(1 - alike ** 2) * normal();
          const size = (side === 0 ? ratio : 1) * Math.exp(0.3 * levels[side]);
          for (let row = 0; row < rowsOfDay; row += 1) tables[side].add(day, size * normal(), 0);
        }
      }
      const figures = tables.map((table) => engine.figuresOf(table)[0]);
      const judged = { candidate: figures[0], champion: figures[1] };
      const rule = engine.judgeChampion({ ...GATE, metric: 'rmse', minimumImprovement }, judged, { unit: 'day', count: days }, trial);
      passed += rule.passed ? 1 : 0;
    }
    return { share: passed / trials };
  },
};

const answer = await JOBS[job](options);
const { user, system } = process.cpuUsage();
process.stdout.write(`${JSON.stringify({ ...answer, cpuSeconds: (user + system) / 1e6, peakMb: process.resourceUsage().maxRSS / 1024 })}\n`);
