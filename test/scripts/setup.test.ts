import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const setup = path.resolve(__dirname, '../../scripts/setup.mjs');

describe('set-up refuses a machine it cannot work on, before it touches anything', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-setup-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const run = (env: NodeJS.ProcessEnv) => spawnSync(process.execPath, [setup], { encoding: 'utf8', env });

  test('a Node that is too old is named with the version that is needed', () => {
    const older = path.join(directory, 'older.cjs');
    writeFileSync(older, "Object.defineProperty(process.versions, 'node', { value: '20.11.1' });\n");
    const { status, stderr } = run({ PATH: process.env.PATH, NODE_OPTIONS: `--require ${older}` });
    expect(status).toBe(1);
    expect(stderr).toMatch(/Node 20\.11\.1 is too old: install Node 20\.16 or newer/);
  });

  test('a Python that is too old is named with the version that is needed, and how to name another', () => {
    const python = path.join(directory, 'python3');
    writeFileSync(python, '#!/bin/sh\necho 3.9\n');
    chmodSync(python, 0o755);
    const { status, stderr } = run({ PATH: directory });
    expect(status).toBe(1);
    expect(stderr).toMatch(/Python 3\.11 or newer is needed .*found only python3 3\.9: install it, or name it in MLOPS_PYTHON/);
  });

  test('no Python at all is said so', () => {
    const { status, stderr } = run({ PATH: path.join(directory, 'nowhere') });
    expect(status).toBe(1);
    expect(stderr).toMatch(/Python 3\.11 or newer is needed .*found none/);
  });
});
