import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { quoted } from '../../cli/mlflow-env';
import { findPlatform, Platform } from '../../cli/platform';
import { main } from '../../cli/program';
import { fakeIo } from './fake-io';

jest.mock('../../cli/platform', () => ({ ...jest.requireActual('../../cli/platform'), findPlatform: jest.fn() }));

interface Asked {
  readonly url?: string;
  readonly authorization?: string;
  readonly body: string;
}

let server: Server;
let address: string;
let asked: Asked[];
let answer: { status: number; body: unknown };

beforeAll(async () => {
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (part) => (body += part));
    request.on('end', () => {
      asked.push({ url: request.url, authorization: request.headers.authorization, body });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const SUBJECT = 'arn:aws:sts::111122223333:assumed-role/scientist/ada';
const keys = { accessKeyId: 'AKIA', secretAccessKey: 'secret' };
const resources = { platform: 'mlops', apiUrl: '' } as ConstructorParameters<typeof Platform>[1];

/** The command against a platform whose API is the server above. */
const run = async (args: readonly string[], options: { readonly local?: boolean; readonly environment?: NodeJS.ProcessEnv } = {}) => {
  const endpoint = options.local ? 'http://127.0.0.1:4566' : undefined;
  const platform = new Platform({ region: 'eu-west-1', endpoint, credentials: keys }, { ...resources, apiUrl: address }, []);
  jest.mocked(findPlatform).mockResolvedValue(platform);
  const { io, written } = fakeIo({ environment: { HOME: '/nowhere', ...options.environment } });
  const code = await main(['mlflow-env', ...args], io);
  return { code, ...written };
};

beforeEach(() => {
  asked = [];
  answer = { status: 200, body: { token: 'a.b.c', scope: 'write', subject: SUBJECT, expires_at: Date.UTC(2026, 10, 21, 20) } };
});

/** What a shell knows after `eval "$(...)"`. */
const evaluated = (script: string, before: NodeJS.ProcessEnv = {}): Record<string, string> => {
  const out = execFileSync('sh', ['-c', 'eval "$SCRIPT"; env'], { env: { PATH: process.env.PATH, ...before, SCRIPT: script }, encoding: 'utf8' });
  return Object.fromEntries(out.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
};

describe('mlflow-env', () => {
  test('leads the client to the platform with a token that a signed request was given', async () => {
    const { code, out, err } = await run([]);
    expect([code, err]).toEqual([0, expect.stringContaining(`reading and writing as ${SUBJECT} until 2026-11-2`)]);
    const authorization = expect.stringMatching(/^AWS4-HMAC-SHA256 .*\/eu-west-1\/execute-api\//);
    expect(asked).toEqual([{ url: '/iam/token/write', authorization, body: '{"seconds":28800}' }]);
    const left = { MLFLOW_TRACKING_USERNAME: 'me', MLFLOW_TRACKING_AWS_SIGV4: 'true', MLFLOW_S3_ENDPOINT_URL: 'http://old' };
    const shell = evaluated(out, { ...left, AWS_PROFILE: 'mine' });
    expect(shell).toMatchObject({
      MLFLOW_TRACKING_URI: `${address}/token`,
      MLFLOW_TRACKING_TOKEN: 'a.b.c',
      MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD: 'true',
      MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE: '4194304',
      AWS_REGION: 'eu-west-1',
      AWS_PROFILE: 'mine',
    });
    for (const name of Object.keys(left)) expect(shell).not.toHaveProperty(name);
  });

  test('leads artifacts to a local engine with its own credentials, past profiles and proxies', async () => {
    const { out } = await run([], { local: true, environment: { NO_PROXY: 'internal.example,127.0.0.1' } });
    const shell = evaluated(out, { AWS_PROFILE: 'mine', AWS_SESSION_TOKEN: 'old' });
    expect(shell).toMatchObject({
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:4566',
      MLFLOW_S3_ENDPOINT_URL: 'http://127.0.0.1:4566',
      AWS_ACCESS_KEY_ID: keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
      NO_PROXY: 'internal.example,127.0.0.1,localhost',
    });
    for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN']) expect(shell).not.toHaveProperty(name);
  });

  test('asks for the scope and time that it was told', async () => {
    const { err } = await run(['--scope', 'read', '--hours', '0.5']);
    expect(asked).toMatchObject([{ url: '/iam/token/read', body: '{"seconds":1800}' }]);
    expect(err).toMatch(/^# reading as /);
  });

  test('prints the same as JSON for programs', async () => {
    const { out } = await run(['--json']);
    expect(JSON.parse(out)).toMatchObject({
      environment: { MLFLOW_TRACKING_URI: `${address}/token` },
      unset: expect.arrayContaining(['MLFLOW_TRACKING_PASSWORD', 'MLFLOW_S3_ENDPOINT_URL']),
      scope: 'write',
      subject: SUBJECT,
      expiresAt: '2026-11-21T20:00:00.000Z',
    });
  });

  test.each([['--scope', 'admin'], ['--hours', '0'], ['--hours', '13'], ['--hours', 'many'], ['--hours', ''], ['--hours', '-1']])(
    'refuses %s %s without asking anybody',
    async (...args) => {
      const { code, out } = await run(args);
      expect([code, out, asked]).toEqual([2, '', []]);
    },
  );

  test('prints nothing that a shell would run where no token was given', async () => {
    answer = { status: 403, body: { message: 'Forbidden' } };
    const { code, out, err } = await run([]);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain('Forbidden');
  });

  test('warns of a file that the client prefers to the token', async () => {
    const home = mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-home-'));
    mkdirSync(path.join(home, '.mlflow'));
    writeFileSync(path.join(home, '.mlflow', 'credentials'), '[mlflow]\nmlflow_tracking_username = me\n');
    const { err } = await run([], { environment: { HOME: home } });
    rmSync(home, { recursive: true });
    expect(err).toContain(path.join(home, '.mlflow', 'credentials'));
  });
});

test('a shell reads back exactly what was quoted', () => {
  const words = fc.array(fc.constantFrom(...'\'"$`\\ !;&()*#~üa1%='), { maxLength: 12 });
  fc.assert(
    fc.property(words, (parts) => {
      const value = parts.join('');
      expect(execFileSync('sh', ['-c', `printf %s ${quoted(value)}`], { encoding: 'utf8' })).toBe(value);
    }),
    { numRuns: 60 },
  );
});
