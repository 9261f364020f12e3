import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const root = path.resolve(here, '../..');
export const script = (name) => path.join(here, 'peers', name);

/** TypeScript of the project as a module of this process. */
export const bundled = (entry) => {
  const require = createRequire(import.meta.url);
  const { outputFiles } = require('esbuild').buildSync({
    stdin: { contents: entry, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    write: false,
    logLevel: 'error',
  });
  const module = { exports: {} };
  new Function('module', 'exports', 'require', outputFiles[0].text)(module, module.exports, require);
  return module.exports;
};

/** The interpreter of a peer's own environment in the user's cache, made from its pinned packages where it is not there yet. */
export const pythonOf = async (peer, onProgress = () => undefined) => {
  const { ensurePython } = bundled("export { ensurePython } from './local/toolchain';");
  const { python } = await ensurePython({ requirements: script(`${peer}.txt`), onProgress: (line) => onProgress(`${peer}: ${line}`) });
  return python;
};
