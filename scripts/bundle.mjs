// Bundles every Lambda entry, the CLI and the engine's supervisor into assets/, so that consumers need no esbuild and no Docker.
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname), '..');
const target = path.join(root, 'assets');
// Built beside the old bundles and put in their place at the end: whoever runs from them never sees half of them.
const assets = path.join(root, 'node_modules', `.assets-${process.pid}`);
process.on('exit', () => rmSync(assets, { recursive: true, force: true }));

const walk = (directory) =>
  readdirSync(directory, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? walk(path.join(directory, entry.name)) : [path.join(directory, entry.name)],
  );

const common = {
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // ES modules where a package has them: only what is used is bundled, which halves the cold start of a handler.
  mainFields: ['module', 'main'],
  // The paths of tsconfig.json lead the type checker to declarations, which are no programs.
  tsconfigRaw: '{}',
  logLevel: 'warning',
  legalComments: 'linked',
};

const handlers = walk(path.join(root, 'lambda')).filter((file) => file.endsWith('.lambda.ts'));
const programs = ['bin/app.ts', 'bin/mlops.ts', 'local/supervisor.ts'].map((file) => path.join(root, file)).filter((file) => existsSync(file));

await Promise.all([
  ...handlers.map((entry) => {
    const name = path.relative(path.join(root, 'lambda'), entry).replace(/\.lambda\.ts$/, '');
    return build({ ...common, entryPoints: [entry], outfile: path.join(assets, 'lambda', name, 'index.js'), minify: true, keepNames: true });
  }),
  ...programs.map((entry) =>
    build({
      ...common,
      entryPoints: [entry],
      outfile: path.join(assets, path.relative(root, entry).replace(/\.ts$/, '.js')),
      external: ['aws-cdk-lib', 'constructs', 'cdk-mlops'],
    }),
  ),
  // A thread is started from a file beside the program.
  build({ ...common, entryPoints: [path.join(root, 'cli/drift/profile.worker.ts')], outfile: path.join(assets, 'bin/profile.worker.js') }),
  // Functions that CDK itself deploys expect the SDK of the AWS runtime; the emulator has substitutes for all clients they use but this one.
  build({ ...common, entryPoints: ['@aws-sdk/client-s3'], outfile: path.join(assets, 'local/sdk/@aws-sdk/client-s3/index.js'), minify: true }),
]);

// The Python side of the engine and the examples' data are files, not modules: they travel as they are.
for (const directory of ['local/plugin', 'local/runners']) {
  if (existsSync(path.join(root, directory))) {
    mkdirSync(path.join(assets, directory), { recursive: true });
    cpSync(path.join(root, directory), path.join(assets, directory), { recursive: true, filter: (file) => !file.includes('__pycache__') });
  }
}
const optimizedFields = path.join(root, 'lib/pipeline/optimized-fields.json');
if (existsSync(optimizedFields)) cpSync(optimizedFields, path.join(assets, 'local/optimized-fields.json'));

const old = path.join(root, 'node_modules', `.assets-${process.pid}-old`);
if (existsSync(target)) renameSync(target, old);
renameSync(assets, target);
rmSync(old, { recursive: true, force: true });
