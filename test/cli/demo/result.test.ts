import { readFileSync } from 'node:fs';
import path from 'node:path';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import type { DemoResult } from '../../../cli/demo/result';
import { StageError, Stages } from '../../../cli/demo/stages';
import { summarize } from '../../../cli/demo/summary';
import type { Io } from '../../../cli/io';

const ajv = new Ajv({ strict: true });
addFormats(ajv);
const valid = ajv.compile(JSON.parse(readFileSync(path.join(__dirname, '../../../docs/schemas/demo.schema.json'), 'utf8')));

const said: string[] = [];
const io = { out: (text: string) => void said.push(text), err: () => undefined, isTerminal: false, colours: false } as unknown as Io;

const result: DemoResult = {
  schemaVersion: 1,
  stages: [{ name: 'engine', seconds: 3.2 }],
  versions: [{ version: 1, metrics: { rmse: 64.2 }, state: 'Production', cause: 'first version' }],
  months: [
    {
      month: '2012-03',
      rmse: 104.3,
      rmseOfFirstVersion: 104.3,
      verdict: { drift: 'drift', quality: 'degraded' },
      features: ['temp'],
      servedVersion: 1,
    },
  ],
  governor: [{ decision: 'started', cause: 'rmse 104.3 is worse than 100', at: '2026-01-01T00:00:00.000Z', reason: 'nothing stood in the way' }],
  awsCalls: { s3: 3, dynamodb: 10 },
  endpointRequests: 31,
  endpointFailures: 0,
  report: 'report.html',
};

describe('the result of the demo', () => {
  test('fits the published schema', () => {
    expect(valid(result)).toBe(true);
  });

  test.each([
    ['an unknown decision', { governor: [{ ...result.governor[0], decision: 'perhaps' }] }],
    ['a month without verdict', { months: [{ ...result.months[0], verdict: undefined }] }],
    ['an unknown key', { mood: 'good' }],
  ])('the schema refuses %s', (_, change) => {
    expect(valid(JSON.parse(JSON.stringify({ ...result, ...change })))).toBe(false);
  });

  test('the summary names served versions, verdicts, decisions, failures and the report', () => {
    const text = summarize(io, result, ['look further']);
    for (const part of ['2012-03', 'v1', '104.3', 'degraded', 'temp', 'started', '31 requests', '0 failed', 'report.html', 'look further']) {
      expect(text).toContain(part);
    }
  });
});

describe('stages', () => {
  test('each done stage is kept with its time, and tells one line', async () => {
    said.length = 0;
    const stages = new Stages(io);
    await stages.run('engine', async () => 7, (value) => `${value} found`);
    expect(stages.done).toEqual([{ name: 'engine', seconds: expect.any(Number) }]);
    expect(said).toEqual([expect.stringMatching(/^engine \(\d+\.\d s\): 7 found\n$/)]);
  });

  test('a failure carries the name of the stage that it ended', async () => {
    const stages = new Stages(io);
    await expect(stages.run('deploy', async () => Promise.reject(new Error('no permission')))).rejects.toMatchObject({
      stage: 'deploy',
      message: 'no permission',
    });
    await expect(stages.run('deploy', async () => Promise.reject(new Error('x')))).rejects.toBeInstanceOf(StageError);
    expect(stages.done).toEqual([]);
  });
});
