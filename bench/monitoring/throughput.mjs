// Rows per CPU second of whole processes (start and baseline included), peak memory, and how two threads compare with one.
// node bench/monitoring/throughput.mjs [DIRECTORY for the data, kept] [repeats]
import { line } from '../line.mjs';
import { BASELINE_ROWS, captureFile, csvFile, dataDirectory, FIRST_REQUEST, parquetFile } from './data.mjs';
import { best, engine } from './engine.mjs';

const ROWS = 1_000_000;
const MANY_ROWS = 10 * ROWS;
const GOALS = { csv: 700_000, CSV: 500_000, JSON: 150_000, BASE64: 150_000 };
const MEMORY = 160;
const SCALING = 0.9;
const SPIN_ROUNDS = 1_000_000_000;

const directory = dataDirectory(process.argv[2]);
const repeats = Number(process.argv[3] ?? 3);
const baseline = await csvFile(directory, 'baseline', BASELINE_ROWS);
const current = await csvFile(directory, 'current', ROWS);
const large = await csvFile(directory, 'current', MANY_ROWS);
const parquetCurrent = await parquetFile(directory, 'current', ROWS);
const run = await engine();

/** Speeds: a goal is reached where the ratio is 1 or less. */
const speed = (figure, goal, { rows, cpuSeconds, rejected }) => {
  const value = rows / cpuSeconds;
  line(figure, value, 'rows/CPU s', undefined, { ...(goal && { goal, reached: value >= goal }), rows, cpuSeconds, rejected });
};

const csv = best(repeats, () => run('csv', { baseline, files: [current] }));
speed('CSV', GOALS.csv, csv);
line('CSV, peak memory', csv.peakMb, 'MB', MEMORY, { rows: csv.rows });
const many = best(repeats, () => run('csv', { baseline, files: [large] }));
speed('CSV of ten times the rows', GOALS.csv, many);
line('CSV of ten times the rows, peak memory', many.peakMb, 'MB', MEMORY, { rows: many.rows, ofOne: many.peakMb / csv.peakMb });

for (const encoding of ['CSV', 'JSON', 'BASE64']) {
  const file = await captureFile(directory, encoding, ROWS);
  const used = best(repeats, () => run('capture', { baseline, file, start: FIRST_REQUEST, rows: ROWS }));
  speed(`capture, ${encoding} bodies`, GOALS[encoding], used);
  line(`capture, ${encoding} bodies, peak memory`, used.peakMb, 'MB', MEMORY, { rows: used.rows });
}

const parquet = best(repeats, () => run('parquet', { baseline, file: parquetCurrent }));
speed('Parquet', undefined, parquet);
line('Parquet, peak memory', parquet.peakMb, 'MB', MEMORY, { rows: parquet.rows });

const wall = (make) => Math.min(...Array.from({ length: repeats }, () => make().wallSeconds));
const files = [large];
const spins = [1, 2].map((threads) => wall(() => run('spin', { threads, rounds: SPIN_ROUNDS / threads })));
const twice = best(repeats, () => run('csv', { baseline, files, workers: 2 }));
const times = [1, 2].map((workers) => wall(() => run('csv', { baseline, files, workers })));
const scaling = times[0] / times[1] / (spins[0] / spins[1]);
line('scaling from one to two threads, relative to a loop of arithmetic', scaling, 'ratio', undefined, {
  goal: SCALING,
  reached: scaling >= SCALING,
  speedup: times[0] / times[1],
  loop: spins[0] / spins[1],
});
line('CSV, two threads, peak memory for each', twice.peakMb / 2, 'MB', MEMORY, { rows: twice.rows });
