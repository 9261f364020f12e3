import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { LocalError } from './errors';

/**
 * A file or directory that the engine needs beside its own code: `plugin`, `runners`, ...
 *
 * From the checkout this directory is local/, in the bundles assets/bin or assets/local: all have `../local/<name>`.
 */
export const engineResource = (name: string): string => {
  const found = path.resolve(__dirname, '..', 'local', name);
  if (!existsSync(found)) throw new LocalError(`the engine's ${name} is not at ${found}`, 'build the project with `npm run build`');
  return found;
};

/** The supervisor always runs as a bundle: Node starts it without a compiler. */
export const supervisorProgram = (): string => {
  const places = [path.resolve(__dirname, '..', 'local', 'supervisor.js'), path.resolve(__dirname, '..', 'assets', 'local', 'supervisor.js')];
  const found = places.find((place) => existsSync(place));
  if (!found) throw new LocalError('the engine is not built', 'run `npm run build` first');
  return found;
};

/** Packages for functions that expect the SDK of the AWS runtime, in a project that has none. */
export const bundledPackages = (): string[] =>
  [path.resolve(__dirname, '..', 'local', 'sdk'), path.resolve(__dirname, '..', 'assets', 'local', 'sdk')].filter((place) => existsSync(place));

/** Field lists of the optimized integrations; the plug-in checks state machines against them. */
export const optimizedFields = (): string | undefined =>
  [path.resolve(__dirname, '..', 'local', 'optimized-fields.json'), path.resolve(__dirname, '..', 'lib', 'pipeline', 'optimized-fields.json')].find(
    (place) => existsSync(place),
  );

/** The user's cache for this product, made if absent. */
export const cacheDirectory = (environment: NodeJS.ProcessEnv = process.env): string => {
  const home = os.homedir();
  const base = environment.XDG_CACHE_HOME || (process.platform === 'darwin' ? path.join(home, 'Library', 'Caches') : path.join(home, '.cache'));
  return path.join(base, 'cdk-mlops');
};

/** Every node_modules from a directory upwards: functions that CDK itself deploys resolve the SDK there. */
export const nodeModulesFrom = (directory: string): string[] => {
  const found: string[] = [];
  for (let at = path.resolve(directory); ; at = path.dirname(at)) {
    const candidate = path.join(at, 'node_modules');
    if (existsSync(candidate)) found.push(candidate);
    if (at === path.dirname(at)) return found;
  }
};
