import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../local/lock';

let file: string;
beforeEach(() => (file = path.join(mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-lock-')), 'a.lock')));
afterEach(() => rmSync(path.dirname(file), { recursive: true, force: true }));

test('only one holder at a time', async () => {
  let inside = 0;
  let most = 0;
  await Promise.all(
    [1, 2, 3].map(() =>
      withLock(file, async () => {
        most = Math.max(most, ++inside);
        await sleep(20);
        inside--;
      }),
    ),
  );
  expect(most).toBe(1);
  expect(existsSync(file)).toBe(false);
});

test('a lock whose holder died is taken over', async () => {
  writeFileSync(file, `${spawnSync(process.execPath, ['-e', '']).pid} gone`);
  await expect(withLock(file, async () => 'done', { timeoutSeconds: 5 })).resolves.toBe('done');
});

test('a lock whose holder lives is waited for, and the waiting has an end', async () => {
  writeFileSync(file, `${process.pid} somebody`);
  const onWait = jest.fn();
  await expect(withLock(file, async () => 'done', { timeoutSeconds: 0.5, onWait })).rejects.toThrow('held');
  expect(onWait).toHaveBeenCalledTimes(1);
  expect(existsSync(file)).toBe(true);
});

test('a failure gives the lock back', async () => {
  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(existsSync(file)).toBe(false);
});
