// Wall time of `cdk synth` of the app, and its resources against the budget for a platform with one model.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { line } from './line.mjs';

const out = mkdtempSync(path.join(os.tmpdir(), 'mlops-synth-'));
const started = performance.now();
const done = spawnSync(process.execPath, ['node_modules/aws-cdk/bin/cdk', 'synth', '--quiet', '--output', out], { encoding: 'utf8' });
const seconds = (performance.now() - started) / 1000;
if (done.status !== 0) throw new Error(done.stderr);
line('cdk synth', seconds, 's', 10);
for (const file of readdirSync(out).filter((name) => name.endsWith('.template.json'))) {
  const resources = Object.values(JSON.parse(readFileSync(path.join(out, file), 'utf8')).Resources);
  const ofModel = resources.filter((resource) => /\/BikeDemand\//.test(resource.Metadata?.['aws:cdk:path'] ?? ''));
  line('resources of one model', ofModel.length, 'resources', 40, { template: file });
  line('resources of the platform', resources.length - ofModel.length, 'resources', 120, { template: file });
}
rmSync(out, { recursive: true });
