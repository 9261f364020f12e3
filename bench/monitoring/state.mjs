// Bytes of the mergeable state of a profile, by feature.
// node bench/monitoring/state.mjs [DIRECTORY for the data, kept]
import { line } from '../line.mjs';
import { BASELINE_ROWS, csvFile, dataDirectory } from './data.mjs';
import { engine } from './engine.mjs';

const NUMERIC_LIMIT = 16 * 1024;
const BYTES_PER_LEVEL = 12;

const directory = dataDirectory(process.argv[2]);
const baseline = await csvFile(directory, 'baseline', BASELINE_ROWS);
const file = await csvFile(directory, 'current', 1_000_000);
const run = await engine();

const { rows, features } = run('state', { baseline, file });
const numeric = features.filter(({ kind }) => kind === 'numeric');
const largest = numeric.reduce((most, feature) => (feature.bytes > most.bytes ? feature : most));
line('state of the largest numeric feature', largest.bytes, 'bytes', NUMERIC_LIMIT, { feature: largest.name, rows });
for (const { name, levels, unlisted, bytes } of features.filter(({ kind }) => kind === 'categorical')) {
  line('state of a categorical feature', bytes, 'bytes', levels * BYTES_PER_LEVEL, { feature: name, levels, unlistedNames: unlisted, rows });
}
line('state of all features', features.reduce((sum, { bytes }) => sum + bytes, 0), 'bytes', undefined, { features: features.length, rows });
