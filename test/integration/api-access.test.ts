import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { CfnOutput, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { deploy, type Deployment, engineCall, useEngine } from './harness';
import { ArtifactStore, MlflowApi, ModelRegistry, RunTracker } from 'cdk-mlops';

const ROLES = ['reader', 'writer', 'approver', 'auditor', 'nobody'] as const;
type Role = (typeof ROLES)[number];

interface Keys {
  readonly AccessKeyId: string;
  readonly SecretAccessKey: string;
  readonly SessionToken: string;
}

let url: string;
let arns: Record<string, string>;
const keys = {} as Record<Role, Keys>;

beforeAll(async () => {
  const deployment: Deployment = await deploy((app) => {
    const stack = new Stack(app, 'Access');
    const removalPolicy = RemovalPolicy.DESTROY;
    const store = new ArtifactStore(stack, 'Store', { removalPolicy });
    const registry = new ModelRegistry(stack, 'Registry', { removalPolicy });
    const tracker = new RunTracker(stack, 'Tracker', { removalPolicy });
    const api = new MlflowApi(stack, 'Api', { platformName: 'access', store, registry, tracker });
    const role = (id: Role) => {
      const made = new iam.Role(stack, id, { assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com') });
      new CfnOutput(stack, `${id}Arn`, { value: made.roleArn });
      return made;
    };
    api.grantRead(role('reader'));
    api.grantWrite(role('writer'));
    api.grantApprove(role('approver'));
    registry.grantAudit(role('auditor'));
    role('nobody');
    new CfnOutput(stack, 'Url', { value: api.url });
    new CfnOutput(stack, 'Bucket', { value: store.artifacts.bucketName });
    new CfnOutput(stack, 'Key', { value: api.tokenKey.keyArn });
  });
  arns = deployment.outputs.Access;
  url = arns.Url;
  for (const role of ROLES) keys[role] = await engineCall('/_mlops/session', { roleArn: arns[`${role}Arn`], service: 'lambda.amazonaws.com' });
}, 180_000);

/** Sends a request signed by the role; `pathAndQuery` is below the API's address. */
const signed = async (role: Role, method: string, pathAndQuery: string, body?: string): Promise<Response> => {
  const target = new URL(`${url}${pathAndQuery}`);
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, SessionToken: sessionToken } = keys[role];
  const signer = new SignatureV4({
    service: 'execute-api',
    region: useEngine().region,
    credentials: { accessKeyId, secretAccessKey, sessionToken },
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method,
    protocol: target.protocol,
    hostname: target.hostname,
    port: Number(target.port),
    path: target.pathname,
    query: Object.fromEntries(target.searchParams),
    headers: { host: target.host, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    body,
  });
  // The client writes this one itself.
  delete headers.host;
  return fetch(target, { method, headers, body });
};

const withToken = (token: string, method: string, path: string, body?: string): Promise<Response> =>
  fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) }, body });

const tokenOf = async (role: Role, scope: 'read' | 'write', seconds = 3600): Promise<string> => {
  const answer = await signed(role, 'POST', `/iam/token/${scope}`, JSON.stringify({ seconds }));
  expect([role, scope, answer.status]).toEqual([role, scope, 200]);
  return ((await answer.json()) as { token: string }).token;
};

/** Who gets through to the function. What the function makes of an empty request is another matter: anything but 403 from the gateway. */
const TABLE: readonly (readonly [request: string, allowed: readonly Role[]])[] = [
  ['GET /iam/health', ['reader', 'writer', 'approver']],
  ['GET /iam/api/2.0/mlflow/experiments/get?experiment_id=0', ['reader', 'writer', 'approver']],
  ['GET /iam/api/2.0/mlflow-artifacts/artifacts/x/y', ['reader', 'writer', 'approver']],
  ['POST /iam/api/2.0/mlflow/runs/search', ['reader', 'writer', 'approver']],
  ['POST /iam/api/2.0/mlflow/experiments/search', ['reader', 'writer', 'approver']],
  ['POST /iam/ajax-api/2.0/mlflow/runs/search', ['reader', 'writer', 'approver']],
  ['POST /iam/token/read', ['reader', 'writer', 'approver']],
  ['POST /iam/token/write', ['writer']],
  ['POST /iam/api/2.0/mlflow/runs/create', ['writer']],
  ['POST /iam/ajax-api/2.0/mlflow/runs/create', ['writer']],
  ['PATCH /iam/api/2.0/mlflow/registered-models/update', ['writer']],
  ['DELETE /iam/api/2.0/mlflow/registered-models/delete', ['writer']],
  ['PUT /iam/api/2.0/mlflow-artifacts/artifacts/x/y', ['writer']],
  ['PUT /iam/api/2.0/mlflow-artifacts/artifacts/GET/iam/y', ['writer']],
  ['POST /iam/api/2.0/mlflow-artifacts/mpu/create/iam/token/read', ['writer']],
  ['POST /iam/api/2.0/mlops/registry/approve', ['approver']],
  ['POST /iam/api/2.0/mlops/registry/promote', ['approver']],
  ['POST /iam/api/2.0/mlops/registry/import', ['approver']],
  ['POST /iam/ajax-api/2.0/mlops/registry/approve', []],
];

const forbidden = async (answer: Response): Promise<boolean> => answer.status === 403 && (await answer.text()) === '{"message": "Forbidden"}';

describe.each(ROLES)('as %s', (role) => {
  test.each(TABLE)('%s', async (request, allowed) => {
    const [method, path] = request.split(' ');
    const answer = await signed(role, method, path, method === 'GET' ? undefined : '{}');
    expect(await forbidden(answer)).toBe(!allowed.includes(role));
  });
});

describe('bearer tokens', () => {
  test('are ES256 by a key of AWS KMS, name their holder, and end', async () => {
    const token = await tokenOf('writer', 'write', 120);
    expect(decodeProtectedHeader(token)).toEqual({ alg: 'ES256', typ: 'JWT', kid: arns.Key.split('/')[1] });
    const { sub, aud, scope, exp = 0, iat = 0 } = decodeJwt(token);
    const holder = expect.stringMatching(/:assumed-role\/.*writer/);
    expect({ sub, aud, scope, seconds: exp - iat }).toEqual({ sub: holder, aud: 'access', scope: 'write', seconds: 120 });
  });

  test('let a reader read and not write', async () => {
    const token = await tokenOf('reader', 'read');
    const read = await withToken(token, 'GET', '/token/api/2.0/mlflow/experiments/get?experiment_id=0');
    expect([401, 403]).not.toContain(read.status);
    const write = await withToken(token, 'POST', '/token/api/2.0/mlflow/experiments/create', '{"name":"x"}');
    expect([write.status, await write.json()]).toEqual([403, { error_code: 'PERMISSION_DENIED', message: expect.any(String) }]);
  });

  test('approve nothing and beget no tokens, whatever they allow', async () => {
    const token = await tokenOf('writer', 'write');
    for (const path of ['/token/api/2.0/mlops/registry/approve', '/token/token/read', '/token/token/write']) {
      const answer = await withToken(token, 'POST', path, '{}');
      expect([path, answer.status, await answer.json()]).toEqual([path, 403, { error_code: 'PERMISSION_DENIED', message: expect.any(String) }]);
    }
  });

  test('are the only way in below /token, and say how to get one', async () => {
    const token = await tokenOf('reader', 'read');
    const answers = {
      nothing: await fetch(`${url}/token/health`),
      garbage: await withToken('a.b.c', 'GET', '/token/health'),
      changed: await withToken(`${token.slice(0, -6)}AAAAAA`, 'GET', '/token/health'),
      signature: await signed('writer', 'GET', '/token/health'),
    };
    for (const [what, answer] of Object.entries(answers)) {
      const message = expect.stringContaining('npx mlops mlflow-env');
      expect([what, answer.status, await answer.json()]).toEqual([what, 401, { error_code: 'UNAUTHENTICATED', message }]);
    }
    expect((await withToken(token, 'GET', '/token/health')).status).not.toBe(401);
    expect((await withToken(token, 'GET', '/iam/health')).status).toBe(403);
  });
});

test('the function uses its key as its policy allows: the recorder saw no refusal of it', async () => {
  await tokenOf('writer', 'write');
  type Row = { readonly role: string; readonly action: string; readonly resource: string };
  const report = await engineCall<{ denied: Row[]; used: Row[] }>('/_mlops/permissions');
  expect(report.used).toContainEqual(expect.objectContaining({ action: 'kms:Sign', resource: arns.Key }));
  const invoked = { action: 'execute-api:Invoke', resource: expect.stringContaining('/$default/POST/iam/token/write') };
  expect(report.used).toContainEqual(expect.objectContaining(invoked));
  expect(report.denied.filter(({ role, action }) => role.includes('Access-ApiFunction') && action.startsWith('kms:'))).toEqual([]);
});
