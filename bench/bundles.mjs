// Size of each handler's bundle, and the CPU time that importing it cold costs above an empty Node process.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { line } from './line.mjs';

const REPEATS = 5;
const root = path.resolve('assets', 'lambda');
const bundles = readdirSync(root, { recursive: true })
  .filter((file) => file.endsWith('index.js'))
  .map((file) => path.join(root, file));

/** Handlers read some variables when they are imported: each name that a contract states, with a value that is text and JSON. */
const contracts = readdirSync('lib', { recursive: true }).filter((file) => file.endsWith('contract.ts'));
const names = contracts.flatMap((file) => readFileSync(path.join('lib', file), 'utf8').match(/\bMLOPS_[A-Z_]+\b/g) ?? []);
const env = { PATH: process.env.PATH, AWS_REGION: 'us-east-1', NODE_NO_WARNINGS: '1', ...Object.fromEntries(names.map((name) => [name, '{}'])) };

const cpuMilliseconds = (file) => {
  const program = `${file ? `require(${JSON.stringify(file)});` : ''}const u=process.cpuUsage();console.log((u.user+u.system)/1000)`;
  const once = () => execFileSync(process.execPath, ['-e', program], { env, encoding: 'utf8' }).trim().split('\n').at(-1);
  const times = Array.from({ length: REPEATS }, () => Number(once()));
  return times.sort((a, b) => a - b)[Math.floor(REPEATS / 2)];
};

const empty = cpuMilliseconds();
for (const file of bundles) {
  const name = path.relative(root, path.dirname(file));
  line('bundle', statSync(file).size / 1e6, 'MB', 1.5, { handler: name });
  line('cold import', cpuMilliseconds(file) - empty, 'ms CPU', 150, { handler: name, emptyProcess: Math.round(empty) });
}
