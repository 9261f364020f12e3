import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Faults } from '../../local/faults';

describe('fault rules of an engine', () => {
  const asked: Array<{ method?: string; url?: string; token: unknown; body: string }> = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (part: Buffer) => (body += part.toString('utf8')));
    request.on('end', () => {
      asked.push({ method: request.method, url: request.url, token: request.headers['x-mlops-engine-token'], body });
      const unknown = request.url?.endsWith('/none');
      response.writeHead(unknown ? 404 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(unknown ? { message: 'There is no fault none' } : { faults: [{ id: 'fault-1' }], removed: 1 }));
    });
  });
  let faults: Faults;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    faults = new Faults({ endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' });
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => {
    asked.length = 0;
  });

  test('are added, listed and removed through the private door', async () => {
    const rule = { on: 'lambda', operation: 'promote', times: 0, effect: { kind: 'timeout' } } as const;
    await faults.add(rule);
    expect(await faults.list()).toEqual([{ id: 'fault-1' }]);
    expect(await faults.clear()).toBe(1);
    await faults.clear('fault-1');
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      ...['POST /_mlops/faults', 'GET /_mlops/faults', 'DELETE /_mlops/faults', 'DELETE /_mlops/faults/fault-1'],
    ]);
    expect(JSON.parse(asked[0].body)).toEqual(rule);
    expect(new Set(asked.map(({ token }) => token))).toEqual(new Set(['secret']));
  });

  test('that the engine refuses are errors with its words', async () => {
    await expect(faults.clear('none')).rejects.toThrow('There is no fault none');
  });
});
