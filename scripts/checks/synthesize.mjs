import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const LARGEST_OUTPUT = 64 * 1024 * 1024;

/** Every CDK app of the checkout: the product's own, one that uses every builder, and those of the examples. */
export const findApps = (root) => [
  { name: 'app', directory: root },
  { name: 'every builder', directory: path.join(root, 'test', 'templates', 'every-builder') },
  ...readdirSync(path.join(root, 'examples'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(path.join(root, 'examples', entry.name, 'cdk.json')))
    .map(({ name }) => ({ name: `examples/${name}`, directory: path.join(root, 'examples', name) })),
];

/** Runs an app as the CDK CLI would, with cdk-nag preloaded; answers its templates and what the validation plug-ins found. */
export const synthesize = ({ directory }, root) => {
  const { app, context = {} } = JSON.parse(readFileSync(path.join(directory, 'cdk.json'), 'utf8'));
  const out = mkdtempSync(path.join(os.tmpdir(), 'mlops-templates-'));
  const preload = path.join(root, 'scripts', 'checks', 'with-nag.js');
  const run = spawnSync(app, {
    shell: true,
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: LARGEST_OUTPUT,
    env: {
      ...process.env,
      NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --require ${JSON.stringify(preload)}`,
      MLOPS_NAG_NOTE: path.join(out, 'nag.json'),
      CDK_OUTDIR: out,
      CDK_CONTEXT_JSON: JSON.stringify(context),
    },
  });
  const read = (name) => (existsSync(path.join(out, name)) ? JSON.parse(readFileSync(path.join(out, name), 'utf8')) : undefined);
  const report = read('validation-report.json');
  const nag = read('nag.json');
  if (!report || !nag) throw new Error(`${app} was not validated: ${run.stderr || run.stdout || run.error}`);
  const templates = readdirSync(out)
    .filter((name) => name.endsWith('.template.json'))
    .map((name) => path.join(out, name));
  return { out, templates, failed: run.status !== 0, output: run.stderr, nag, reports: report.pluginReports };
};
