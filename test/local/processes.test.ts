import { spawn } from 'node:child_process';
import net from 'node:net';
import { commandOf, freePort, isAlive, isProcess, waitUntil } from '../../local/processes';

describe('a process', () => {
  test('lives until it was ended, and is known by its command line', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'a-telling-word']);
    const pid = child.pid as number;
    expect(await waitUntil(() => commandOf(pid).includes('a-telling-word'), 5_000)).toBe(true);
    expect(isProcess(pid, 'a-telling-word')).toBe(true);
    expect(isProcess(pid, 'another')).toBe(false);
    child.kill('SIGKILL');
    expect(await waitUntil(() => !isAlive(pid), 5_000)).toBe(true);
  });

  test.each([0, -1, Number.NaN, 2 ** 22 + 1])('with the impossible id %s is none', (pid) => expect(isAlive(pid)).toBe(false));
});

describe('a port', () => {
  test('that is free can be listened on', async () => {
    const port = await freePort();
    await expect(freePort(port)).resolves.toBe(port);
  });

  test('that is taken is refused with the way out', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    await expect(freePort(port)).rejects.toThrow(`port ${port} is taken by another process: choose another with --port`);
    await new Promise((resolve) => server.close(resolve));
  });
});
