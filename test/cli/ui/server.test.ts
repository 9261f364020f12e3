import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as ask, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import type { ApiCall } from '../../../cli/api';
import { fileOf } from '../../../cli/ui/pages';
import { intruder, type RunningUi, serveUi } from '../../../cli/ui/server';

const directory = mkdtempSync(path.join(os.tmpdir(), 'mlops-ui-'));
const pages = path.join(directory, 'build');
const calls: ApiCall[] = [];
let answer: () => Response | Promise<Response> = () => Response.json({ ok: true });
let ui: RunningUi;
let port: number;

beforeAll(async () => {
  mkdirSync(path.join(pages, 'static/js'), { recursive: true });
  writeFileSync(path.join(directory, 'secret.txt'), 'secret');
  writeFileSync(path.join(pages, 'index.html'), '<html>pages</html>');
  writeFileSync(path.join(pages, 'static/js/main.js'), 'run()');
  ui = await serveUi({ pages, port: 0, api: { send: async (call) => (calls.push(call), answer()) } });
  port = Number(new URL(ui.url).port);
});
afterAll(async () => {
  await ui.close();
  rmSync(directory, { recursive: true });
});
beforeEach(() => {
  calls.length = 0;
  answer = () => Response.json({ ok: true });
});

interface Got {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

/** As a browser could send it: fetch would not let a test choose these headers. */
const send = (method: string, target: string, headers: Record<string, string> = {}, body?: string): Promise<Got> =>
  new Promise((resolve, reject) => {
    const sent = ask({ host: '127.0.0.1', port, method, path: target, headers: { host: `127.0.0.1:${port}`, ...headers } }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text: Buffer.concat(parts).toString() }));
    });
    sent.on('error', reject);
    sent.end(body);
  });

const API = '/ajax-api/2.0/mlflow/runs/search';
const own = (): Record<string, string> => ({ origin: `http://127.0.0.1:${port}`, 'content-type': 'application/json' });

describe('pages', () => {
  test('come from the directory of the package, and from nowhere else', async () => {
    expect(await send('GET', '/')).toMatchObject({ status: 200, text: '<html>pages</html>', headers: { 'cache-control': 'no-store' } });
    const script = await send('GET', '/static-files/static/js/main.js');
    expect(script).toMatchObject({ status: 200, text: 'run()', headers: { 'content-type': 'text/javascript; charset=utf-8' } });
    const outside = ['/static-files/../secret.txt', '/static-files/%2e%2e/secret.txt', '/static-files/static', '/secret.txt', '/static-files/%zz'];
    for (const target of outside) {
      const { status, text } = await send('GET', target);
      expect([status, text]).toEqual([404, expect.not.stringMatching(/^secret/)]);
    }
    expect(calls).toEqual([]);
  });

  test('cannot be framed', async () => {
    expect((await send('GET', '/')).headers).toMatchObject({ 'x-frame-options': 'DENY', 'x-content-type-options': 'nosniff' });
  });

  test.each(['/static-files/..%2f..%2fetc/passwd', '/static-files//etc/passwd', '/static-files/a%00b'])('%s names no file', (target) => {
    expect(fileOf('/pages', target)).toBeUndefined();
  });
});

describe('calls', () => {
  test('are passed on with their query and body, and the answer comes back', async () => {
    answer = () => new Response('{"a":1}', { status: 404, headers: { 'content-type': 'application/json', 'set-cookie': 'a=b' } });
    const { status, text, headers } = await send('POST', `${API}?a=1&a=2`, own(), '{"x":1}');
    expect([status, text, headers['set-cookie']]).toEqual([404, '{"a":1}', undefined]);
    expect(calls).toEqual([
      { method: 'POST', path: `${API}?a=1&a=2`, body: Buffer.from('{"x":1}'), headers: { 'content-type': 'application/json' } },
    ]);
  });

  test('that the pages never make are not signed: above all not what decides about versions', async () => {
    for (const target of [
      '/ajax-api/2.0/mlops/registry/approve',
      '/api/2.0/mlops/registry/approve',
      '/token/write',
      '/ajax-api/2.0/mlflow/../mlops/registry/approve',
      '/ajax-api/2.0/mlflow/%2e%2e/mlops/registry/approve',
    ]) {
      expect((await send('POST', target, own(), '{}')).status).toBe(404);
    }
    expect(calls).toEqual([]);
  });

  test('whose answer lies in S3 are followed there without anything of the caller', async () => {
    const seen: Record<string, unknown>[] = [];
    const store: Server = createServer((request, response) => {
      seen.push(request.headers);
      response.writeHead(200, { 'content-type': 'image/png' }).end('bytes');
    });
    await new Promise<void>((resolve) => store.listen(0, '127.0.0.1', resolve));
    const location = `http://127.0.0.1:${(store.address() as AddressInfo).port}/large?X-Amz-Signature=1`;
    answer = () => new Response(null, { status: 307, headers: { location } });
    expect(await send('GET', '/get-artifact?run_id=r&path=large', { cookie: 'a=b' })).toMatchObject({ status: 200, text: 'bytes' });
    expect(seen[0]).not.toHaveProperty('cookie');
    expect(seen[0]).not.toHaveProperty('authorization');
    store.close();
  });

  test('that fail on their way say so', async () => {
    answer = () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }));
    const { status, text } = await send('GET', API);
    expect([status, (JSON.parse(text) as { error_code: string }).error_code]).toEqual([502, 'TEMPORARILY_UNAVAILABLE']);
  });

  test('larger than the API takes are refused before they are read whole', async () => {
    const { status } = await send('POST', API, own(), 'x'.repeat(10 * 1024 * 1024 + 1)).catch(() => ({ status: 413 }));
    expect(status).toBe(413);
    expect(calls).toEqual([]);
  });
});

describe('requests from elsewhere', () => {
  test.each<[string, Record<string, string>]>([
    ['a name that was pointed at this machine', { host: 'evil.example:5010' }],
    ['the right name on another port', { host: '127.0.0.1:1' }],
    ['another page', { origin: 'https://evil.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['a page without an origin', { origin: 'null' }],
    ['a picture on another page', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another port, without Origin', { 'sec-fetch-site': 'same-site' }],
  ])('%s reaches nothing', async (_, headers) => {
    expect((await send('GET', API, headers)).status).toBe(403);
    expect((await send('POST', API, { ...own(), ...headers }, '{}')).status).toBe(403);
    expect(calls).toEqual([]);
  });

  test('a change without an origin is refused; reading by hand and opening the page by a link are not', async () => {
    expect((await send('POST', API, {}, '{}')).status).toBe(403);
    expect((await send('GET', API)).status).toBe(200);
    expect((await send('GET', '/', { 'sec-fetch-site': 'cross-site' })).status).toBe(200);
    const headers = { host: 'localhost:5010', origin: 'http://localhost:5010', 'sec-fetch-site': 'same-origin' };
    expect(intruder({ headers, method: 'POST' }, 5010, true)).toBeUndefined();
  });
});

test('a port that is taken names the option', async () => {
  await expect(serveUi({ pages, port, api: { send: async () => Response.json({}) } })).rejects.toMatchObject({
    message: `port ${port} cannot be used: EADDRINUSE`,
    fix: 'choose another with --port',
  });
});
