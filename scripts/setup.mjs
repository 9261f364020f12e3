// Makes a bare checkout ready to run: right Node and Python, packages by lock file, library and bundles built. Prints only what it does.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const fail = (message) => {
  process.stderr.write(`setup: ${message}\n`);
  process.exit(1);
};

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 16)) {
  fail(`Node ${process.versions.node} is too old: install Node 20.16 or newer and run the command again`);
}

const pythonVersion = (command) => {
  const found = spawnSync(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8' });
  return found.status === 0 ? found.stdout.trim() : undefined;
};
const candidates = [process.env.MLOPS_PYTHON, 'python3', 'python3.13', 'python3.12', 'python3.11'].filter(Boolean);
const seen = candidates.map((command) => [command, pythonVersion(command)]).filter(([, version]) => version);
if (!seen.some(([, version]) => Number(version.split('.')[0]) === 3 && Number(version.split('.')[1]) >= 11)) {
  const had = seen.length ? `found only ${seen.map(([command, version]) => `${command} ${version}`).join(', ')}` : 'found none';
  fail(`Python 3.11 or newer is needed for the local engine, ${had}: install it, or name it in MLOPS_PYTHON`);
}

const walk = (directory) =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(directory, entry.name);
    if (entry.name === '__pycache__') return [];
    return entry.isDirectory() ? walk(file) : [file];
  });
const digest = (files) => {
  const hash = createHash('sha256');
  for (const file of [...files].sort()) hash.update(path.relative(root, file)).update(readFileSync(file));
  return hash.digest('hex');
};
const run = (what, command, args) => {
  const started = Date.now();
  process.stdout.write(`setup: ${what} ... `);
  const done = spawnSync(command, args, { cwd: root, encoding: 'utf8', env: { ...process.env, npm_config_loglevel: 'error' } });
  if (done.status !== 0) {
    process.stdout.write('failed\n');
    process.stderr.write(`${done.stdout ?? ''}${done.stderr ?? ''}${done.error ? `${done.error.message}\n` : ''}`);
    fail(`${what} failed: see the lines above`);
  }
  process.stdout.write(`${((Date.now() - started) / 1000).toFixed(1)} s\n`);
};
/** Runs `action` unless the stamp says that the same inputs were already processed. */
const once = (stamp, inputs, action) => {
  const file = path.join(root, stamp);
  const wanted = digest(inputs);
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) return;
  action();
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, wanted);
};

const manifests = ['package.json', 'package-lock.json'].map((name) => path.join(root, name));
const sources = (...names) => names.flatMap((name) => walk(path.join(root, name)));

once('node_modules/.setup', manifests, () => run('npm packages', 'npm', ['ci', '--no-audit', '--no-fund']));
once('dist/.setup', [...manifests, ...sources('lib')], () => run('library (jsii)', 'npm', ['run', '--silent', 'build:lib']));
once('assets/.setup', [...manifests, ...sources('lib', 'lambda', 'cli', 'local', 'bin', 'scripts')], () =>
  run('bundles', 'npm', ['run', '--silent', 'build:assets']),
);
