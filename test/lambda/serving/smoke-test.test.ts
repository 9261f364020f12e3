import { S3Files } from '../../../lambda/common/s3.client';
import type { Invocation, Prediction } from '../../../lambda/serving/invoke.client';
import { SmokeTest } from '../../../lambda/serving/smoke-test';
import { MemoryBucket } from '../../fakes/memory-s3';

const SOURCE = { holdoutFeaturesUri: 's3://data/holdout-features.csv', candidateScoresUri: 's3://artifacts/scores/candidate' };

const bucket = new MemoryBucket();
beforeEach(() => bucket.install());
afterEach(() => jest.restoreAllMocks());

const ask = async (scores: string, answer: (line: string, call: number) => string | number, rows = 3) => {
  const files = new S3Files();
  await files.putText(SOURCE.holdoutFeaturesUri, 'a,1\nb,2\nc,3\nd,4\n');
  await files.putText(`${SOURCE.candidateScoresUri}/holdout-features.csv.out`, scores);
  const asked: Invocation[] = [];
  const invoke = async (invocation: Invocation): Promise<Prediction> => {
    asked.push(invocation);
    const found = answer(Buffer.from(invocation.body).toString().trim(), asked.length);
    return typeof found === 'number' ? { statusCode: found, body: Buffer.from('broken') } : { statusCode: 200, body: Buffer.from(found) };
  };
  return { problem: await new SmokeTest(files, { invoke }, 1).problem('demand', 7, rows, SOURCE), asked };
};

const right: Record<string, string> = { 'a,1': '1.5', 'b,2': '2.5', 'c,3': '3.5' };

test('asks for as many rows as were stated, one by one and marked', async () => {
  const { problem, asked } = await ask('1.5\n2.5\n3.5\n4.5\n', (line) => right[line]);
  expect(problem).toBeUndefined();
  expect(asked.map(({ inferenceId, contentType, customAttributes }) => [inferenceId, contentType, customAttributes])).toEqual([
    ['smoke-v7-1', 'text/csv', 'mlops-smoke-request'],
    ['smoke-v7-2', 'text/csv', 'mlops-smoke-request'],
    ['smoke-v7-3', 'text/csv', 'mlops-smoke-request'],
  ]);
});

test.each<[string, string, string]>([
  ['a number that differs in its seventh digit only', '1000.001\n', '1000.0012\n'],
  ['JSON with the score', '0.25\n', '{"predictions":1,"score":0.25}'],
  ['a list', '0.25\n', '[[0.25]]'],
  ['a label', 'yes\n', 'yes\n'],
])('takes %s', async (_, score, answer) => {
  expect((await ask(score, () => answer, 1)).problem).toBeUndefined();
});

test.each<[string, string, string | number, string]>([
  ['another number', '12.5\n', '12.6', 'holdout row 1: expected 12.5, got 12.6'],
  ['another label', 'yes\n', 'no', 'holdout row 1: expected yes, got no'],
  ['no number', '12.5\n', 'nan', 'holdout row 1: expected 12.5, got nan'],
  ['an error', '12.5\n', 500, 'holdout row 1: expected 12.5, got status 500 (broken)'],
  ['a refusal', '12.5\n', 400, 'holdout row 1: expected 12.5, got status 400 (broken)'],
])('names row, expected and got of %s', async (_, score, answer, problem) => {
  expect((await ask(score, () => answer, 1)).problem).toBe(problem);
});

test('asks again what passes by itself, not what is refused', async () => {
  const { problem, asked } = await ask('1.5\n', (_, call) => (call < 3 ? 503 : '1.5'), 1);
  expect([problem, asked.length]).toEqual([undefined, 3]);
  expect((await ask('1.5\n', () => 400, 1)).asked).toHaveLength(1);
});

test('fewer scores than rows prove nothing', async () => {
  expect((await ask('1.5\n', () => '1.5')).problem).toMatch(/holdout row 2 has no score/);
});
