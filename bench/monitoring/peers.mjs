/**
 * Drift reports over the same million rows by DuckDB, pandas with SciPy, whylogs and Evidently: CPU seconds of the whole process on one core, start
 * and baseline included. `node bench/monitoring/throughput.mjs` is this engine's side on the same files.
 * By hand: node bench/monitoring/peers.mjs [DIRECTORY] [rows]
 */
import { line } from '../line.mjs';
import { BASELINE_ROWS, csvFile, dataDirectory } from './data.mjs';
import { pythonOf, script } from './environments.mjs';
import { usageOf } from './usage.mjs';

const PEERS = { duckdb: 'frames', pandas: 'frames', whylogs: 'whylogs', evidently: 'evidently' };

const directory = dataDirectory(process.argv[2]);
const rows = Number(process.argv[3] ?? 1_000_000);
const baseline = await csvFile(directory, 'baseline', BASELINE_ROWS);
const current = await csvFile(directory, 'current', rows);
for (const [peer, environment] of Object.entries(PEERS)) {
  const python = await pythonOf(environment, (text) => process.stderr.write(`${text}\n`));
  const used = usageOf(python, [script(`report_${peer}.py`), baseline, current], { core: 0 });
  line(`${peer}, CSV of ${rows} rows`, rows / used.cpuSeconds, 'rows per CPU second', undefined, {
    cpuSeconds: Math.round(used.cpuSeconds * 100) / 100,
    peakMb: Math.round(used.peakMb),
  });
}
