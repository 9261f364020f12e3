import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { App, Lazy, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as iam from 'aws-cdk-lib/aws-iam';
import { ArtifactStore } from '../../../lib/artifacts/artifact-store';
import { Deployment } from '../../../lib/serving/deployment';
import { ModelEndpoint } from '../../../lib/serving/model-endpoint';
import { Serving } from '../../../lib/serving/serving';
import { SmokeRequest, SmokeRequests } from '../../../lib/serving/smoke-requests';

const NOON: SmokeRequest = { name: 'noon', body: '12,1', expected: '3' };
const serving = (smokeRequests: SmokeRequests) => Serving.serverless({ deployment: Deployment.allAtOnce({ smokeRequests }) });
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'smoke-'));
afterAll(() => fs.rmSync(directory, { recursive: true }));

const file = (content: string): string => {
  const name = path.join(directory, 'requests.json');
  fs.writeFileSync(name, content);
  return name;
};

/** What the release would read. */
const staged = (smokeRequests: SmokeRequests) => {
  const app = new App({ outdir: fs.mkdtempSync(path.join(directory, 'out-')) });
  const stack = new Stack(app, 'S');
  const store = new ArtifactStore(stack, 'Store');
  const endpoint = new ModelEndpoint(stack, 'Endpoint', { modelName: 'Demand', platformName: 'mlops', serving: serving(smokeRequests), store });
  endpoint._grantReadSmokeRequests(new iam.Role(stack, 'Release', { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') }));
  const uri = JSON.stringify(stack.resolve(endpoint._toSpec().smokeRequestsUri));
  const { directory: out, stacks } = app.synth();
  const [asset] = fs.readdirSync(out).filter((name) => /^asset\..*\.json$/.test(name));
  return {
    uri,
    asset,
    requests: JSON.parse(fs.readFileSync(path.join(out, asset), 'utf8')) as unknown,
    template: Template.fromJSON(stacks[0].template),
  };
};

test('requests of the app go into an asset that the endpoint names, with CSV as their type', () => {
  const { uri, asset, requests, template } = staged(
    SmokeRequests.inline([NOON, { ...NOON, name: 'night', tolerance: 2, contentType: 'text/plain' }]),
  );
  expect(requests).toEqual([
    { ...NOON, contentType: 'text/csv' },
    { ...NOON, name: 'night', tolerance: 2, contentType: 'text/plain' },
  ]);
  expect(uri).toContain(asset.replace('asset.', ''));
  const resource = { 'Fn::Join': ['', Match.arrayWith([Match.stringLikeRegexp(asset.replace('asset.', ''))])] };
  const statement = { Action: 's3:GetObject', Effect: 'Allow', Resource: resource };
  const roles = [{ Ref: Match.stringLikeRegexp('^Release') }];
  template.hasResourceProperties('AWS::IAM::Policy', { PolicyDocument: { Statement: [statement] }, Roles: roles });
});

test('a file may state bodies and answers as JSON', () => {
  const name = file(
    JSON.stringify([
      { name: 'a', body: { x: 1 }, expected: { score: 0.5 }, tolerance: 0.1 },
      { name: 'b', body: '1', expected: 2 },
    ]),
  );
  expect(staged(SmokeRequests.fromFile(name)).requests).toEqual([
    { name: 'a', body: '{"x":1}', contentType: 'application/json', expected: '{"score":0.5}', tolerance: 0.1 },
    { name: 'b', body: '1', contentType: 'text/csv', expected: '2' },
  ]);
});

test('the same requests are the same asset', () => {
  expect(staged(SmokeRequests.inline([NOON])).asset).toBe(staged(SmokeRequests.inline([{ ...NOON }])).asset);
  expect(staged(SmokeRequests.inline([NOON])).asset).not.toBe(staged(SmokeRequests.inline([{ ...NOON, expected: '4' }])).asset);
});

describe('synth refuses, naming the request and the rule,', () => {
  test.each<[string, object, RegExp]>([
    ['a name that no inference id takes', { name: 'at noon' }, /smokeRequests\[0\]\.name: must be letters, digits and hyphens.*got "at noon"/],
    ['a name like that of a row', { name: '1' }, /first a letter/],
    ['nothing to send', { body: '' }, /\.body: must not be empty/],
    ['a body that is too large', { body: 'x'.repeat(1_000_001) }, /\.body: must stay below 1 MB/],
    ['what is no base64', { base64: true, body: '12,1' }, /\.body: is no base64/],
    ['a type that is none', { contentType: 'csv' }, /\.contentType: must be a MIME type, got "csv"/],
    ['no answer', { expected: ' ' }, /\.expected: must not be empty/],
    ['half an answer', { expected: '{"score":' }, /\.expected: begins like JSON and is none/],
    ['a tolerance below 0', { tolerance: -1 }, /\.tolerance: must be a number from 0, got -1/],
    ['a field that is not known', { tolerence: 1 }, /\.tolerence: a request has no such field; use name, body/],
    ['what is known at deploy only', { expected: Lazy.string({ produce: () => '1' }) }, /\.expected: must be known at synth/],
  ])('%s', (_, change, message) => {
    expect(() => serving(SmokeRequests.inline([{ ...NOON, ...change }]))).toThrow(message);
  });

  test.each<[string, () => SmokeRequests, RegExp]>([
    ['no requests', () => SmokeRequests.inline([]), /deployment\.smokeRequests: must be a list of 1 to 50 requests, got 0 requests/],
    ['too many', () => SmokeRequests.inline(Array.from({ length: 51 }, (_, i) => ({ ...NOON, name: `n${i}` }))), /got 51 requests/],
    ['two of one name', () => SmokeRequests.inline([NOON, NOON]), /smokeRequests\[1\]\.name: another request has this name/],
    ['a file that is not there', () => SmokeRequests.fromFile('nowhere.json'), /file 'nowhere\.json': the file cannot be read as JSON, got ENOENT/],
    ['a file that is no JSON', () => SmokeRequests.fromFile(file('[')), /the file cannot be read as JSON/],
    ['a file with something else', () => SmokeRequests.fromFile(file('[1]')), /requests\.json'\[0\]: a request is an object, got 1/],
  ])('%s', (_, make, message) => {
    expect(() => serving(make())).toThrow(message);
  });
});
