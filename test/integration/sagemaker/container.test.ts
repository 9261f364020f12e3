import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { interpreter } from './support';

jest.setTimeout(30_000);

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc') || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

test('a container and what its script started end when the service is gone, however it went', async () => {
  const root = mkdtempSync(path.join(os.tmpdir(), 'mlops-container-'));
  for (const directory of ['code', 'input/config', 'model', 'output/data']) mkdirSync(path.join(root, directory), { recursive: true });
  const write = (name: string, text: string) => writeFileSync(path.join(root, name), text);
  const lines = ['import os, subprocess, time', 'child = subprocess.Popen(["sleep", "600"])', 'print("pids", os.getpid(), child.pid, flush=True)'];
  write('code/train.py', [...lines, 'time.sleep(600)'].join('\n'));
  write('input/config/hyperparameters.json', '{"sagemaker_program": "train.py"}');
  write('input/config/inputdataconfig.json', '{}');
  write('input/config/resourceconfig.json', '{"hosts": ["algo-1"], "network_interface_name": "eth0", "current_instance_type": "ml.m5.large"}');
  const order = { runner: 'training', framework: 'xgboost', root, cpus: 2, environment: { TRAINING_JOB_NAME: 'job' } };

  const script = path.resolve(__dirname, '../../../local/runners/container.py');
  const child = spawn(await interpreter(), ['-u', script], { detached: true, stdio: ['pipe', 'pipe', 'inherit', 'pipe'] });
  child.stdin!.write(`${JSON.stringify(order)}\n`);
  let said = '';
  child.stdout!.on('data', (part: Buffer) => (said += part.toString()));
  while (!/pids \d+ \d+\n/.test(said)) await sleep(20);
  const pids = /pids (\d+) (\d+)/.exec(said)!.slice(1).map(Number);
  expect(pids.map(alive)).toEqual([true, true]);

  // The kernel closes the pipe of a process that dies, by whatever signal.
  child.stdin!.destroy();
  while (pids.some(alive)) await sleep(20);
  rmSync(root, { recursive: true });
});
