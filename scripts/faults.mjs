// `npm run faults [-- STATE...]`: the whole fault matrix, which writes docs/fault-matrix.md, or the rows of the states named.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const { status } = spawnSync(
  process.execPath,
  [path.join(root, 'node_modules/jest/bin/jest.js'), '--config', path.join(root, 'test/faults/jest.config.js')],
  {
    stdio: 'inherit',
    cwd: root,
    env: { ...process.env, MLOPS_FAULT_STATES: process.argv.slice(2).join(',') },
  },
);
process.exitCode = status ?? 1;
