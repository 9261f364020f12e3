import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cacheDirectory, engineResource, nodeModulesFrom, optimizedFields } from '../../local/resources';

test('the plug-in and the runners are found from the checkout', () => {
  expect(existsSync(path.join(engineResource('plugin'), 'requirements.txt'))).toBe(true);
  expect(existsSync(path.join(engineResource('runners'), 'container.py'))).toBe(true);
  expect(optimizedFields()).toMatch(/optimized-fields\.json$/);
});

test('what is missing is named with the way out', () => {
  expect(() => engineResource('nothing')).toThrow('build the project with `npm run build`');
});

test('the cache follows XDG_CACHE_HOME, else the custom of the system', () => {
  expect(cacheDirectory({ XDG_CACHE_HOME: '/x' })).toBe(path.join('/x', 'cdk-mlops'));
  const custom = process.platform === 'darwin' ? path.join('Library', 'Caches') : '.cache';
  expect(cacheDirectory({})).toBe(path.join(os.homedir(), custom, 'cdk-mlops'));
});

test('packages are looked for from a directory upwards', () => {
  expect(nodeModulesFrom(path.join(__dirname))).toContain(path.resolve(__dirname, '..', '..', 'node_modules'));
});
