import fc from 'fast-check';
import { S3Files } from '../../../lambda/common/s3.client';
import type { Invocation, Prediction } from '../../../lambda/serving/invoke.client';
import { agrees, differenceOf } from '../../../lambda/serving/smoke-requests';
import { SmokeTest } from '../../../lambda/serving/smoke-test';
import type { SmokeRequestSpec } from '../../../lib/serving/contract';
import { MemoryBucket } from '../../fakes/memory-s3';

const bucket = new MemoryBucket();
beforeEach(() => bucket.install());
afterEach(() => jest.restoreAllMocks());

const NOON: SmokeRequestSpec = { name: 'noon', body: 'secret-row,12', contentType: 'text/csv', expected: '3' };

const ask = async (requests: readonly SmokeRequestSpec[], answer: string | number) => {
  const files = new S3Files();
  await files.putText('s3://assets/smoke.json', JSON.stringify(requests));
  const asked: Invocation[] = [];
  const invoke = async (invocation: Invocation): Promise<Prediction> => {
    asked.push(invocation);
    return typeof answer === 'number' ? { statusCode: answer, body: Buffer.from('broken') } : { statusCode: 200, body: Buffer.from(answer) };
  };
  const smoke = new SmokeTest(files, { invoke }, 1);
  return { problem: await smoke.problemOf('demand', 7, await smoke.requests('s3://assets/smoke.json')), asked };
};

test('what the app states is sent as it stands, marked as what proves a version', async () => {
  const image: SmokeRequestSpec = { name: 'image', body: 'AAEC', base64: true, contentType: 'image/png', accept: 'application/json', expected: '3' };
  const { problem, asked } = await ask([NOON, image], '3.000001\n');
  expect(problem).toBeUndefined();
  const common = { endpointName: 'demand', customAttributes: 'mlops-smoke-request' };
  expect(asked).toEqual([
    { ...common, inferenceId: 'smoke-v7-noon', body: Buffer.from('secret-row,12'), contentType: 'text/csv', accept: undefined },
    { ...common, inferenceId: 'smoke-v7-image', body: Buffer.from([0, 1, 2]), contentType: 'image/png', accept: 'application/json' },
  ]);
});

test.each<[string, string | number, string]>([
  ['another number', '4', 'request noon: expected 3, got 4'],
  ['a refusal', 400, 'request noon: expected 3, got status 400 (broken)'],
])('a wrong answer (%s) names the request, expected and got, and nothing of what was sent', async (_, answer, problem) => {
  expect((await ask([NOON], answer)).problem).toBe(problem);
});

test.each<[string, string, string, number?]>([
  ['a number in CSV', '3', '3.00002\n'],
  ['a number within its tolerance', '3', '3.4', 0.5],
  ['a number that a container wraps', '0.25', '[{"score":0.25,"predicted_label":1}]'],
  ['a word', 'yes', ' yes \n'],
  ['lines', '1,a\n2,b', '1.000001,a\r\n2,b\n'],
  ['JSON', '{"scores":[0.1,0.9]}', '{"scores": [0.1, 0.900001], "model": "v7"}'],
  ['JSON with a tolerance', '[{"score":10}]', '[{"score":12}]', 2],
  ['zero', '0', '-0.0'],
])('takes %s', (_, ...[expected, got, tolerance]) => {
  expect(differenceOf({ expected, tolerance }, got)).toBeUndefined();
});

test.each<[string, string, string, string, number?]>([
  ['a number beyond its tolerance', '3', '3.6', 'expected 3 within 0.5, got 3.6', 0.5],
  ['a prediction before others', '3', '3,4', 'expected 3, got 3,4'],
  ['more lines than expected', '3', '3\n4', 'expected 1 lines, got 2: 3\n4'],
  ['a field of a line', '1,a\n2,b', '1,a\n2,c', 'line 2, field 2: expected b, got c'],
  ['a value in JSON, by its place', '{"scores":[0.1,0.9]}', '{"scores":[0.1,0.8]}', 'scores.1: expected 0.9, got 0.8'],
  ['a longer list', '[1]', '[1,2]', 'expected [1], got [1,2]'],
  ['a field that is not there', '{"a":{"b":1}}', '{"a":{}}', 'a.b: expected 1, got nothing'],
  ['a field that every object has', '{"constructor":"x"}', '{}', 'constructor: expected "x", got nothing'],
  ['text in place of a number', '[1]', '["1"]', '0: expected 1, got "1"'],
  ['no JSON', '[1]', 'error', 'expected [1], got error'],
  ['nothing', '0', '', 'expected 0, got '],
  ['no number', '3', 'nan', 'expected 3, got nan'],
])('tells of %s', (_, ...[expected, got, difference, tolerance]) => {
  expect(differenceOf({ expected, tolerance }, got)).toBe(difference);
});

test('every JSON agrees with itself, and with no other number in its place', () => {
  const json = fc.jsonValue().map((value) => JSON.stringify([value]));
  fc.assert(fc.property(json, (text) => differenceOf({ expected: text }, text) === undefined));
  const apart = fc.tuple(
    fc.double({ min: -1e6, max: 1e6, noNaN: true }),
    fc.double({ min: 0, max: 1e3, noNaN: true }),
    fc.double({ min: 0.01, max: 1e3, noNaN: true }),
  );
  fc.assert(
    fc.property(apart, ([expected, tolerance, beyond]) => {
      expect(agrees(String(expected), String(expected + tolerance / 2), tolerance)).toBe(true);
      expect(agrees(String(expected), String(expected + tolerance + beyond), tolerance)).toBe(false);
    }),
  );
});
