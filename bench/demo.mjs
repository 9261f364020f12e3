// The whole demo with everything installed: wall time by stage, and the story's figures.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { line } from './line.mjs';

const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'mlops-demo-')), 'demo.json');
const started = performance.now();
const done = spawnSync('npm', ['run', '--silent', 'demo', '--', '--json', file], { encoding: 'utf8' });
const seconds = (performance.now() - started) / 1000;
if (done.status !== 0) throw new Error(`${done.stdout}\n${done.stderr}`);
const result = JSON.parse(readFileSync(file, 'utf8'));
line('demo', seconds, 's', 90);
for (const stage of result.stages) line('stage', stage.seconds, 's', undefined, { stage: stage.name });
for (const { month, rmse, rmseOfFirstVersion, servedVersion } of result.months) {
  line('rmse against first version', rmse, 'rentals/h', rmseOfFirstVersion, { month, served: servedVersion });
}
line('failed requests', result.endpointFailures, 'requests', undefined, { requests: result.endpointRequests });
