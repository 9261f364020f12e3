import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findMlflow } from '../../../cli/ui/mlflow-package';

const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-mlflow-'));
const pages = path.join(directory, 'mlflow/server/js/build');
afterAll(() => rmSync(directory, { recursive: true }));

/** An interpreter that says what a Python with such a package would say. */
const python = (name: string, says: string): string => {
  const file = path.join(directory, name, 'bin/python');
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho '${says}'\n`, { mode: 0o755 });
  return path.join(directory, name);
};

const found = JSON.stringify({ directory: path.join(directory, 'mlflow'), version: '3.17.2' });

beforeAll(() => {
  mkdirSync(pages, { recursive: true });
  writeFileSync(path.join(pages, 'index.html'), '');
});

test('an interpreter or the directory of its environment can be named', async () => {
  const environment = python('full', found);
  expect(await findMlflow(environment, {})).toEqual({ version: '3.17.2', pages });
  expect(await findMlflow(path.join(environment, 'bin/python'), {})).toEqual({ version: '3.17.2', pages });
});

test('without a name the active environment comes first', async () => {
  expect(await findMlflow(undefined, { VIRTUAL_ENV: python('active', found) })).toEqual({ version: '3.17.2', pages });
});

test('what lacks is told apart, with what to do', async () => {
  await expect(findMlflow(python('empty', 'null'), {})).rejects.toMatchObject({
    message: expect.stringContaining('no mlflow is installed') as string,
  });
  const skinny = python('skinny', JSON.stringify({ directory: '/nowhere', version: '3.17.2' }));
  await expect(findMlflow(skinny, {})).rejects.toMatchObject({
    message: 'the mlflow in /nowhere has no web pages',
    fix: expect.stringContaining('pip install mlflow') as string,
  });
  await expect(findMlflow('/no/python', {})).rejects.toMatchObject({ message: '/no/python is no Python that runs' });
});

test('a directory that only happens to be called mlflow is none', async () => {
  const before = process.cwd();
  process.chdir(directory);
  try {
    const real = await findMlflow('python3', {}).catch((error: Error) => error);
    if (!(real instanceof Error)) expect(real.pages.startsWith(directory)).toBe(false);
  } finally {
    process.chdir(before);
  }
});
