import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { projectRoot, useEngine } from './harness';

const tests = path.join(projectRoot, 'test/local/plugin');
const files = readdirSync(tests).filter((name) => /^test_.*\.py$/.test(name));

/** The plug-in is Python, so are its tests; each file starts an engine of its own. */
describe('the plug-in of the local engine', () => {
  test.each(files)('%s', async (file) => {
    const { python } = useEngine();
    const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|MLOPS)_/.test(name)));
    const { stderr } = await promisify(execFile)(python, ['-m', 'unittest', '-v', file.replace(/\.py$/, '')], {
      cwd: tests,
      env: { ...environment, PYTHONPATH: [tests, path.join(projectRoot, 'local/plugin')].join(path.delimiter), PYTHONDONTWRITEBYTECODE: '1' },
      maxBuffer: 32 * 1024 * 1024,
    });
    expect(stderr).toMatch(/^OK/m);
  }, 180_000);
});
