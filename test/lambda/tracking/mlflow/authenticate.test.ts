import { authenticate } from '../../../../lambda/tracking/mlflow/authenticate';
import { createTokenRoutes } from '../../../../lambda/tracking/mlflow/handlers/token';
import { type Caller, type RawRequest } from '../../../../lambda/tracking/mlflow/http';
import { answer, Router } from '../../../../lambda/tracking/mlflow/router';
import type { Stores } from '../../../../lambda/tracking/mlflow/stores';
import { type TokenClaims, TokenRefused } from '../../../../lambda/tracking/token.client';

const ARN = 'arn:aws:sts::111122223333:assumed-role/scientist/ada';

const tokens = (claims: TokenClaims | Error = { subject: ARN, scope: 'read' }) => () => ({
  verify: async (token: string): Promise<TokenClaims> => {
    if (claims instanceof Error) throw claims;
    expect(token).toBe('a.b-c.d_e');
    return claims;
  },
});

const event = (rawPath: string, headers: Record<string, string> = {}, userArn?: string) => ({
  rawPath,
  headers,
  requestContext: { requestId: 'id', ...(userArn ? { authorizer: { iam: { userArn } } } : {}) },
});

const bearer = { authorization: 'Bearer a.b-c.d_e' };

describe('who calls', () => {
  test('is the signer below /iam; what he may do was decided before', async () => {
    const caller = await authenticate(event('/iam/api/2.0/mlflow/runs/create', {}, ARN), tokens());
    expect(caller).toEqual({ id: ARN, access: 'write', viaToken: false });
  });

  test('is nobody below /iam without a signature, whatever else the request shows', async () => {
    const refused = authenticate(event('/iam/api/2.0/mlflow/runs/create', bearer), tokens());
    await expect(refused).rejects.toMatchObject({ code: 'UNAUTHENTICATED', status: 401 });
  });

  test('is the one the token was given to below /token, with the scope of the token', async () => {
    for (const scope of ['read', 'write'] as const) {
      const caller = await authenticate(event('/token/health', { Authorization: 'bearer  a.b-c.d_e ' }), tokens({ subject: ARN, scope }));
      expect(caller).toEqual({ id: ARN, access: scope, viaToken: true });
    }
  });

  test('a signature counts for nothing below /token', async () => {
    await expect(authenticate(event('/token/health', {}, ARN), tokens())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  const noTokens = ['', 'Bearer', 'Bearer ', 'Basic YTpi', 'Bearer a b', 'AWS4-HMAC-SHA256 Credential=x', 'a.b.c'];
  test.each(noTokens)('the header "%s" is no token', async (authorization) => {
    const refused = authenticate(event('/token/health', { authorization }), tokens());
    await expect(refused).rejects.toMatchObject({ code: 'UNAUTHENTICATED', message: expect.stringContaining('A bearer token is missing.') });
  });

  test('what ended or was never good says how to get a new one', async () => {
    const refused = (reason: 'expired' | 'invalid') => authenticate(event('/token/health', bearer), tokens(new TokenRefused(reason)));
    const expired = 'The bearer token has expired. Get one with: eval "$(npx mlops mlflow-env)"';
    await expect(refused('expired')).rejects.toMatchObject({ status: 401, message: expired });
    const wrong = expect.stringMatching(/^The bearer token is not valid here\. Get one/);
    await expect(refused('invalid')).rejects.toMatchObject({ status: 401, message: wrong });
  });

  test('a failure of AWS KMS is no verdict on the token', async () => {
    const away = Object.assign(new Error('away'), { name: 'ThrottlingException' });
    await expect(authenticate(event('/token/health', bearer), tokens(away))).rejects.toBe(away);
  });

  test.each(['/', '/iam', '/token', '/health', '/iamx/health', '/tokens/health'])('nobody calls %s', async (path) => {
    await expect(authenticate(event(path, bearer, ARN), tokens())).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test.each(['/token/api/2.0/mlops/registry/approve', '/token/ajax-api/2.0/mlops/registry/approve', '/token//api/2.0/mlops/registry/import'])(
    'no token changes the state of a version at %s',
    async (path) => {
      const refused = authenticate(event(path, bearer), tokens({ subject: ARN, scope: 'write' }));
      await expect(refused).rejects.toMatchObject({ code: 'PERMISSION_DENIED', status: 403 });
    },
  );
});

describe('a token is handed out', () => {
  const issued: unknown[] = [];
  const routes = createTokenRoutes(() => ({
    issue: async (claims, seconds) => {
      issued.push([claims, seconds]);
      return { token: 'a.b.c', expiresAt: 5 };
    },
  }));
  const ask = async (path: string, body: string, caller: Partial<Caller> = {}) => {
    const raw: RawRequest = {
      method: 'POST',
      path,
      query: new URLSearchParams(),
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(body),
      caller: { id: ARN, access: 'write', viaToken: false, ...caller },
      baseUrl: 'https://x/iam',
    };
    return (await answer(new Router(routes), raw, () => ({}) as Stores)).reply;
  };
  beforeEach(() => issued.splice(0));

  test('to the signer of the request, for eight hours where nothing is said', async () => {
    const { status, body } = await ask('/token/write', '{}');
    expect([status, JSON.parse(body.toString())]).toEqual([200, { token: 'a.b.c', scope: 'write', subject: ARN, expires_at: 5 }]);
    expect(issued).toEqual([[{ subject: ARN, scope: 'write' }, 8 * 3600]]);
  });

  test('for the scope of the path and the time that was asked for', async () => {
    await ask('/token/read', '{"seconds": 60, "scope": "write"}');
    expect(issued).toEqual([[{ subject: ARN, scope: 'read' }, 60]]);
  });

  test.each(['59', '43201', '90.5', '"3600"', 'null'])('not for %s seconds', async (seconds) => {
    await expect(ask('/token/read', `{"seconds": ${seconds}}`)).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
    expect(issued).toEqual([]);
  });

  test('not for a token, and not for a scope that there is not', async () => {
    await expect(ask('/token/read', '{}', { viaToken: true })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
    await expect(ask('/token/admin', '{}')).rejects.toMatchObject({ code: 'ENDPOINT_NOT_FOUND' });
    expect(issued).toEqual([]);
  });
});
