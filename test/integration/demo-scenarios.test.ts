import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import Ajv from 'ajv';
import type { ScenarioResult } from '../../cli/demo/scenarios/scenario';
import { projectRoot } from './harness';

const ajv = new Ajv({ allowUnionTypes: true });
const valid = ajv.compile(JSON.parse(readFileSync(path.join(projectRoot, 'docs/schemas/demo-scenario.schema.json'), 'utf8')));
const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-scenarios-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A scenario as a person starts it, without any AWS setting of this process. */
const tell = async (scenario: string): Promise<{ readonly result: ScenarioResult; readonly out: string }> => {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
  const file = path.join(directory, `${scenario}.json`);
  const args = ['assets/bin/mlops.js', 'demo', '--scenario', scenario, '--json', file];
  const ended = await new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    execFile(process.execPath, args, { cwd: projectRoot, env }, (error, out, err) => resolve({ code: error ? error.code : 0, out, err }));
  });
  expect({ ...ended, out: '' }).toEqual({ code: 0, out: '', err: '' });
  expect(ended.out).toContain('none missing');
  const result = JSON.parse(readFileSync(file, 'utf8')) as ScenarioResult;
  valid(result);
  expect(valid.errors ?? []).toEqual([]);
  expect(result.checks.filter(({ ok }) => !ok)).toEqual([]);
  return { result, out: ended.out };
};

const states = ({ versions, champion }: ScenarioResult) => ({ versions: versions.map(({ state }) => state), champion });
const figure = ({ figures }: ScenarioResult, wanted: string): number => figures.find(({ name }) => name === wanted)?.value ?? NaN;

test('bad-candidate: the gate refuses what was trained on wrong counts, and the champion goes on', async () => {
  const { result, out } = await tell('bad-candidate');
  expect(states(result)).toEqual({ versions: ['Production', 'Rejected'], champion: 1 });
  expect(figure(result, 'candidateRmse')).toBeGreaterThan(figure(result, 'championRmse'));
  expect(result.requests.failed).toBe(0);
  expect(readFileSync(result.files[0], 'utf8')).toContain('<!doctype html>');
  expect(out).toContain('Report: .mlops/gate.html');
}, 240_000);

test('canary-rollback: a model that fails in traffic is taken back by its alarm, and few clients saw it', async () => {
  const { result } = await tell('canary-rollback');
  expect(states(result)).toEqual({ versions: ['Production', 'Approved'], champion: 1 });
  expect(result.requests.failed).toBeGreaterThan(0);
  expect(figure(result, 'failedShare')).toBeLessThan(figure(result, 'failedDuringCanary'));
  expect(figure(result, 'detectionSeconds')).toBeGreaterThanOrEqual(0);
}, 240_000);

test('manual-approval: a version serves when a session that AWS knows has approved it', async () => {
  const { result, out } = await tell('manual-approval');
  expect(states(result)).toEqual({ versions: ['Production'], champion: 1 });
  expect(out).toContain('mlops approve BikeDemand 1 --reason TEXT');
  expect(out).toMatch(/approved by arn:aws:sts::\d{12}:assumed-role\/[\w-]+\/ana/);
}, 240_000);

test('spot-interruption: a training goes on from its checkpoint and is billed for less than it took', async () => {
  const { result } = await tell('spot-interruption');
  expect(states(result)).toEqual({ versions: ['Production'], champion: 1 });
  expect(figure(result, 'roundsFromCheckpoint')).toBeGreaterThan(0);
  expect(figure(result, 'billableSeconds')).toBeLessThan(figure(result, 'trainingSeconds'));
}, 300_000);
