// Seeded tables for the benches of monitoring: 14 numeric, 4 categorical (5, 20, 200, 5,000 levels) and 2 boolean features, 1 % missing.
// Current data differ from the baseline in n01, n03, n06, n09, n12 (missing rate alone), c20 and b1.
// By hand: node bench/monitoring/data.mjs DIRECTORY [rows of current data, e.g. 1000000]
import { once } from 'node:events';
import { createWriteStream, existsSync, mkdirSync, renameSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export const NUMERIC = Array.from({ length: 14 }, (_, index) => `n${String(index).padStart(2, '0')}`);
export const LEVELS = { c5: 5, c20: 20, c200: 200, c5000: 5000 };
export const BOOLEAN = ['b0', 'b1'];
export const COLUMNS = [...NUMERIC, ...Object.keys(LEVELS), ...BOOLEAN];
export const DRIFTED = ['n01', 'n03', 'n06', 'n09', 'n12', 'c20', 'b1'];
export const BASELINE_ROWS = 100_000;

export const dataDirectory = (argument) => {
  const directory = path.resolve(argument ?? path.join(os.tmpdir(), 'mlops-bench-monitoring'));
  mkdirSync(directory, { recursive: true });
  return directory;
};

/** Mulberry32: uniform on (0, 1). */
export const seeded = (seed) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (((t ^ (t >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
};

const normal = (random) => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
const exponential = (random) => -Math.log(random());

/** Numeric features by number; `drifted` is 1 where the current data differ. */
const DISTRIBUTIONS = [
  normal,
  (random, drifted) => normal(random) + 0.25 * drifted,
  (random) => Math.exp(normal(random)),
  (random, drifted) => Math.exp(2 * normal(random) * (1 + 0.05 * drifted)),
  (random) => random(),
  (random) => random() ** (-1 / 1.5),
  (random, drifted) => normal(random) * (1 + 0.3 * drifted),
  (random) => Math.floor(100 * random()),
  exponential,
  (random, drifted) => exponential(random) * (1 + 0.2 * drifted),
  (random) => (random() < 0.7 ? 0 : exponential(random)),
  (random) => 1000 + 50 * normal(random),
  normal,
  (random) => (random() < 0.5 ? -2 : 2) + normal(random),
];

/** Skewed towards the first levels. */
const level = (random, levels) => Math.floor(levels * random() ** 2);

/** Rows as arrays of text, '' where missing. */
export function* tableRows(rows, seed, drifted) {
  const random = seeded(seed);
  const shift = drifted ? 1 : 0;
  const values = new Array(COLUMNS.length);
  for (let row = 0; row < rows; row += 1) {
    for (let index = 0; index < COLUMNS.length; index += 1) {
      const missing = random() < (index === 12 && drifted ? 0.05 : 0.01);
      if (index < NUMERIC.length) {
        const value = DISTRIBUTIONS[index](random, shift);
        values[index] = missing ? '' : index === 7 ? String(value) : String(Math.round(value * 1e5) / 1e5);
      } else if (index < 18) {
        const levels = Object.values(LEVELS)[index - NUMERIC.length];
        const chosen = drifted && levels === 20 && random() < 0.1 ? 0 : level(random, levels);
        values[index] = missing ? '' : `v${chosen}`;
      } else {
        const chance = index === 19 ? 0.3 + 0.05 * shift : 0.5;
        values[index] = missing ? '' : random() < chance ? 'True' : 'False';
      }
    }
    yield values;
  }
}

/** Writes a file once: an existing one is taken as it is. */
async function write(file, lines) {
  if (existsSync(file)) {
    return file;
  }
  const partial = `${file}.${process.pid}`;
  const stream = createWriteStream(partial);
  let buffer = '';
  for (const text of lines) {
    buffer += text;
    if (buffer.length > 1 << 20) {
      if (!stream.write(buffer)) await once(stream, 'drain');
      buffer = '';
    }
  }
  stream.end(buffer);
  await once(stream, 'finish');
  renameSync(partial, file);
  return file;
}

const SEEDS = { baseline: 20, current: 21 };
const labelOf = (rows) => (rows % 1e6 === 0 ? `${rows / 1e6}m` : `${rows / 1e3}k`);

export function csvFile(directory, kind, rows) {
  const lines = function* () {
    yield `${COLUMNS.join(',')}\n`;
    for (const values of tableRows(rows, SEEDS[kind], kind === 'current')) yield `${values.join(',')}\n`;
  };
  return write(path.join(directory, `${kind}-${labelOf(rows)}.csv`), lines());
}

const fieldOf = (text) => (text === '' ? null : text === 'True' || text === 'False' ? text === 'True' : text.startsWith('v') ? text : Number(text));

/** Bodies of a request with one row, as each encoding writes them. */
export const BODIES = {
  CSV: (values) => ({ observedContentType: 'text/csv', mode: 'INPUT', data: values.join(','), encoding: 'CSV' }),
  JSON: (values) => ({
    observedContentType: 'application/json',
    mode: 'INPUT',
    data: JSON.stringify({ instances: [{ features: values.map(fieldOf) }] }),
    encoding: 'JSON',
  }),
  BASE64: (values) => ({
    observedContentType: 'text/csv',
    mode: 'INPUT',
    data: Buffer.from(values.join(',')).toString('base64'),
    encoding: 'BASE64',
  }),
};

const OUTPUTS = {
  CSV: (score) => ({ observedContentType: 'text/csv', mode: 'OUTPUT', data: score, encoding: 'CSV' }),
  JSON: (score) => ({ observedContentType: 'application/json', mode: 'OUTPUT', data: `{"predictions":[{"score":${score}}]}`, encoding: 'JSON' }),
  BASE64: (score) => ({ observedContentType: 'text/csv', mode: 'OUTPUT', data: Buffer.from(score).toString('base64'), encoding: 'BASE64' }),
};

/** First request of the capture files, in milliseconds; they come one second apart. */
export const FIRST_REQUEST = Date.UTC(2026, 0, 5);

export function captureFile(directory, encoding, rows) {
  const lines = function* () {
    const random = seeded(22);
    let row = 0;
    for (const values of tableRows(rows, SEEDS.current, true)) {
      const eventId = `${row.toString(16).padStart(8, '0')}-5eed-4000-8000-${(row * 2654435761).toString(16).padStart(12, '0').slice(-12)}`;
      const inferenceTime = `${new Date(FIRST_REQUEST + row * 1000).toISOString().slice(0, 19)}Z`;
      const captureData = { endpointInput: BODIES[encoding](values), endpointOutput: OUTPUTS[encoding](random().toFixed(6)) };
      yield `${JSON.stringify({ captureData, eventMetadata: { eventId, inferenceTime }, eventVersion: '0' })}\n`;
      row += 1;
    }
  };
  return write(path.join(directory, `capture-${encoding.toLowerCase()}-${labelOf(rows)}.jsonl`), lines());
}

/** Columns with their types, in memory first: for a million rows, not for more. */
export async function parquetFile(directory, kind, rows) {
  const file = path.join(directory, `${kind}-${labelOf(rows)}.parquet`);
  if (existsSync(file)) {
    return file;
  }
  const { parquetWriteFile } = await import('hyparquet-writer');
  const columns = COLUMNS.map(() => new Array(rows));
  let row = 0;
  for (const values of tableRows(rows, SEEDS[kind], kind === 'current')) {
    values.forEach((text, index) => (columns[index][row] = fieldOf(text)));
    row += 1;
  }
  const typeOf = (index) => (index < NUMERIC.length ? 'DOUBLE' : index < 18 ? 'STRING' : 'BOOLEAN');
  const columnData = COLUMNS.map((name, index) => ({ name, data: columns[index], type: typeOf(index), nullable: true }));
  parquetWriteFile({ filename: `${file}.${process.pid}`, columnData, rowGroupSize: 100_000 });
  renameSync(`${file}.${process.pid}`, file);
  return file;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const directory = dataDirectory(process.argv[2]);
  const rows = Number(process.argv[3] ?? 1_000_000);
  const files = [
    await csvFile(directory, 'baseline', BASELINE_ROWS),
    await csvFile(directory, 'current', rows),
    ...(rows <= 1_000_000 ? [await parquetFile(directory, 'baseline', BASELINE_ROWS), await parquetFile(directory, 'current', rows)] : []),
  ];
  for (const encoding of rows <= 1_000_000 ? Object.keys(BODIES) : []) files.push(await captureFile(directory, encoding, rows));
  process.stdout.write(`${files.join('\n')}\n`);
}
