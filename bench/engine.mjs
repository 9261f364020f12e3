// Memory of an idle engine with its SageMaker service, function workers and training apart, and its time to answer.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { line } from './line.mjs';

const quiet = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
const mlops = (...args) => execFileSync(process.execPath, ['assets/bin/mlops.js', ...args], quiet);
const children = (pid) => execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' }).trim().split(/\s+/).filter(Boolean);
const residentMb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;

const started = performance.now();
mlops('local', 'start', '--name', 'bench');
line('engine start', (performance.now() - started) / 1000, 's', 10);
try {
  const [{ pid }] = JSON.parse(mlops('local', 'status', 'bench', '--json'));
  const processes = [String(pid), ...children(pid)];
  line('engine memory', processes.reduce((sum, id) => sum + residentMb(id), 0), 'MB', 400, { processes: processes.length });
} finally {
  mlops('local', 'stop', 'bench');
}
