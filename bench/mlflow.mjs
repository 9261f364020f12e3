// Wall time of MLflow's client against the platform on the engine and against MLflow's own server with SQLite in memory, the same calls:
//   node bench/mlflow.mjs --python PYTHON [--runs 20000] [--points 1000] [--versions 100]
// PYTHON is an interpreter with test/conformance/requirements.txt. The limit of a figure is the time of MLflow's server.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { line } from './line.mjs';

const text = { type: 'string' };
const { values } = parseArgs({ options: { python: text, runs: text, points: text, versions: text } });
if (!values.python) throw new Error('give --python: an interpreter with the packages of test/conformance/requirements.txt');
const sizes = ['runs', 'points', 'versions'].flatMap((name) => (values[name] ? [`--${name}`, values[name]] : []));
const directory = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir(), 'mlops-bench-'));
const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|MLFLOW)_/.test(name)));

const mlops = (...args) =>
  execFileSync(process.execPath, ['assets/bin/mlops.js', ...args], { encoding: 'utf8', env: clean, stdio: ['ignore', 'pipe', 'ignore'] });
const client = (env, ...args) => {
  const program = path.join('bench', 'mlflow_calls.py');
  const how = { encoding: 'utf8', env: { ...clean, ...env }, stdio: ['ignore', 'pipe', 'pipe'] };
  const out = execFileSync(values.python, [program, ...sizes, ...args], how);
  return JSON.parse(out.trim().split('\n').at(-1));
};

const onMlflow = async () => {
  const port = 15_000 + (process.pid % 10_000);
  const uri = `http://127.0.0.1:${port}`;
  const store = ['--backend-store-uri', `sqlite:///${directory}/mlflow.db`, '--artifacts-destination', path.join(directory, 'artifacts')];
  const server = spawn(values.python, ['-m', 'mlflow', 'server', '--host', '127.0.0.1', '--port', String(port), '--workers', '2', ...store], {
    env: { ...clean, MLFLOW_SERVER_ENABLE_JOB_EXECUTION: 'false' },
    detached: true,
    stdio: 'ignore',
  });
  try {
    const deadline = Date.now() + 90_000;
    while (!(await fetch(`${uri}/health`).then(({ ok }) => ok, () => false))) {
      if (Date.now() > deadline || server.exitCode !== null) throw new Error('MLflow\'s server did not start');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return client({ MLFLOW_TRACKING_URI: uri });
  } finally {
    process.kill(-server.pid, 'SIGTERM');
  }
};

const onPlatform = () => {
  const name = `bench-${process.pid}`;
  const { env, endpoint } = JSON.parse(mlops('local', 'start', '--name', name, '--json'));
  try {
    const outputs = path.join(directory, 'outputs.json');
    const cdk = (...args) => execFileSync('npx', ['cdk', ...args], { env: { ...clean, ...env }, stdio: 'ignore' });
    cdk('bootstrap');
    const out = ['--output', path.join(directory, 'cdk.out'), '--outputs-file', outputs];
    cdk('deploy', '--app', 'node bench/mlflow-app.mjs', '--require-approval', 'never', ...out);
    const { environment } = JSON.parse(mlops('mlflow-env', '--platform', 'bench', '--local', name, '--json'));
    const { EmptyApi } = JSON.parse(readFileSync(outputs, 'utf8')).Bench;
    return client(environment, '--empty', `${endpoint}/_aws/execute-api/${EmptyApi}/`);
  } finally {
    mlops('local', 'stop', name);
  }
};

try {
  const theirs = await onMlflow();
  const ours = onPlatform();
  for (const [figure, seconds] of Object.entries(ours)) line(figure, seconds, 's', theirs[figure]);
} finally {
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 500 });
}
