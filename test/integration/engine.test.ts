import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';
import { DeployError, bootstrap, deployApp, synthApp } from '../../local/deploy';
import { LocalEngine } from '../../local/engine';
import { type EngineState, readState, removeEngine, stateFile, writeState } from '../../local/engine-state';
import { isAlive, waitUntil } from '../../local/processes';
import { projectRoot } from './harness';

const started: LocalEngine[] = [];
const scratch = mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-engine-test-'));
let count = 0;
const freshName = (): string => `test-${process.pid}-${count++}`;

const start = async (options: Parameters<typeof LocalEngine.start>[0] = {}): Promise<LocalEngine> => {
  const engine = await LocalEngine.start({ name: freshName(), attached: true, projectDirectory: projectRoot, ...options });
  started.push(engine);
  return engine;
};

const config = (engine: LocalEngine) => ({
  region: 'us-east-1',
  endpoint: engine.endpoint,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

/** Every process below this one, children of children included. */
const descendants = (root: number): number[] => {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n').map((row) => row.trim().split(/\s+/).map(Number));
  const below = (pid: number): number[] => rows.filter(([, parent]) => parent === pid).flatMap(([child]) => [child, ...below(child)]);
  return below(root);
};

/** A function that has run once, so that its worker process is up. */
const runFunction = async (engine: LocalEngine): Promise<void> => {
  const archive = path.join(scratch, `${engine.name}.zip`);
  const code = 'exports.handler = async () => process.pid';
  const zip = 'import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], "w"); z.writestr("index.js", sys.argv[2]); z.close()';
  expect(spawnSync(engine.state.python, ['-c', zip, archive, code]).status).toBe(0);
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: 'lambda.amazonaws.com' } }] };
  const role = { RoleName: 'worker', AssumeRolePolicyDocument: JSON.stringify(trust) };
  const { Role } = await new IAMClient(config(engine)).send(new CreateRoleCommand(role));
  const lambda = new LambdaClient(config(engine));
  const Code = { ZipFile: readFileSync(archive) };
  await lambda.send(new CreateFunctionCommand({ FunctionName: 'f', Runtime: 'nodejs22.x', Handler: 'index.handler', Role: Role?.Arn, Code }));
  const answer = await lambda.send(new InvokeCommand({ FunctionName: 'f' }));
  expect(answer.FunctionError).toBeUndefined();
};

const allGone = (pids: number[]): Promise<boolean> => waitUntil(() => pids.every((pid) => !isAlive(pid)), 15_000);

afterEach(async () => {
  for (const engine of started.splice(0)) {
    await engine.stop();
    removeEngine(engine.state);
  }
});

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('a local engine', () => {
  test('answers, tells where, and leaves neither process nor work directory when stopped', async () => {
    const engine = await start();
    await runFunction(engine);
    const { pid, workDirectory } = engine.state;
    const pids = [pid, ...descendants(pid)];
    expect(pids.length).toBeGreaterThanOrEqual(3);
    expect(existsSync(workDirectory)).toBe(true);
    expect(LocalEngine.find(engine.name)?.endpoint).toBe(engine.endpoint);

    await engine.stop();

    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(workDirectory)).toBe(false);
    expect(LocalEngine.find(engine.name)).toBeUndefined();
  });

  test('runs beside another one without sharing anything', async () => {
    const [one, two] = await Promise.all([start(), start()]);
    await new S3Client(config(one)).send(new CreateBucketCommand({ Bucket: 'only-in-one' }));
    const { Buckets: inTwo = [] } = await new S3Client(config(two)).send(new ListBucketsCommand({}));
    expect(one.endpoint).not.toBe(two.endpoint);
    expect(inTwo).toEqual([]);
  });

  test('refuses a port that is taken and names the way out', async () => {
    const server = net.createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as net.AddressInfo;
    await expect(start({ port })).rejects.toThrow(`port ${port} is taken by another process: choose another with --port, or leave it out`);
    await new Promise((resolve) => server.close(resolve));
  });

  test('refuses a second engine of the same name', async () => {
    const engine = await start();
    await expect(start({ name: engine.name })).rejects.toThrow(`the engine "${engine.name}" already runs at ${engine.endpoint}`);
  });

  test('ends as a whole and says so when MiniStack is killed', async () => {
    const engine = await start();
    await runFunction(engine);
    const pids = [engine.state.pid, ...descendants(engine.state.pid)];
    const reason = new Promise<string>((resolve) => engine.onExit(resolve));

    process.kill(readState(engine.name)?.ministackPid as number, 'SIGKILL');

    await expect(reason).resolves.toContain('MiniStack ended by itself (signal SIGKILL)');
    expect(await allGone(pids)).toBe(true);
    expect(readState(engine.name)).toMatchObject({ status: 'failed', reason: expect.stringContaining('SIGKILL') });
    expect(existsSync(path.join(engine.logsDirectory, 'ministack.log'))).toBe(true);
  });

  test('leaves no process when its supervisor is killed', async () => {
    const engine = await start();
    await runFunction(engine);
    const { pid, workDirectory } = engine.state;
    const pids = [pid, ...descendants(pid)];
    const reason = new Promise<string>((resolve) => engine.onExit(resolve));

    process.kill(pid, 'SIGKILL');

    await expect(reason).resolves.toContain('killed');
    expect(await allGone(pids)).toBe(true);
    expect(existsSync(workDirectory)).toBe(false);
    expect(LocalEngine.find(engine.name)).toBeUndefined();
  });

  test('ends with the process that started it', async () => {
    const name = freshName();
    // A starter that dies without a chance to clean up: a shell around the command line would hide the child from the signal.
    const program = path.join(projectRoot, 'assets', 'bin', 'mlops.js');
    const starter = spawn(process.execPath, [program, 'local', 'start', '--foreground', '--name', name], { stdio: 'ignore' });
    expect(await waitUntil(() => LocalEngine.find(name) !== undefined, 30_000)).toBe(true);
    const { pid } = readState(name) as EngineState;
    const pids = [pid, ...descendants(pid)];

    starter.kill('SIGKILL');

    expect(await allGone(pids)).toBe(true);
    removeEngine(readState(name) as EngineState);
  });

  test('outlives its starter when detached, and is stopped by name', async () => {
    const name = freshName();
    const engine = await start({ name, attached: false });
    const found = LocalEngine.find(name) as LocalEngine;
    await found.stop();
    expect(isAlive(engine.state.pid)).toBe(false);
    expect(readState(name)?.status).toBe('stopped');
  });

  test('whose supervisor died unseen is found dead and its work cleared', () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const name = freshName();
    const workDirectory = mkdtempSync(path.join(scratch, 'work-'));
    const directory = path.join(scratch, name);
    writeState({ schemaVersion: 1, name, status: 'running', pid: gone, port: 1, directory, workDirectory } as EngineState);
    expect(LocalEngine.find(name)).toBeUndefined();
    expect(existsSync(workDirectory)).toBe(false);
    expect(readState(name)).toMatchObject({ status: 'failed', reason: expect.stringContaining('supervisor') });
    rmSync(stateFile(name));
  });

  test('tells why it did not start', async () => {
    const name = freshName();
    process.env.LAMBDA_WARM_TTL_SECONDS = 'many';
    try {
      await expect(start({ name })).rejects.toThrow(/did not start[\s\S]*its last lines[\s\S]*its logs are in/);
    } finally {
      delete process.env.LAMBDA_WARM_TTL_SECONDS;
    }
    expect(readState(name)).toMatchObject({ status: 'failed' });
    removeEngine(readState(name) as EngineState);
  });
});

describe('deployment to the engine', () => {
  const app = (body: string): string => {
    const file = path.join(scratch, `app-${count++}.js`);
    const library = JSON.stringify(require.resolve('aws-cdk-lib'));
    writeFileSync(file, `const cdk = require(${library});\nconst app = new cdk.App();\nconst stack = new cdk.Stack(app, 'Try');\n${body}\n`);
    return `${process.execPath} ${file}`;
  };

  test('bootstraps once, deploys an assembly and answers its outputs', async () => {
    const engine = await start();
    const options = { appDirectory: projectRoot, environment: engine.environment() };
    await bootstrap(options);
    const seen: string[] = [];
    await bootstrap({ ...options, onProgress: (line) => seen.push(line) });
    expect(seen).toEqual([]);
    const output = path.join(scratch, 'assembly');
    const stack = "new cdk.CfnOutput(stack, 'Answer', { value: '42' }); new cdk.CfnWaitConditionHandle(stack, 'H');";
    await synthApp({ ...options, output, app: app(stack) });
    await expect(deployApp({ ...options, assembly: output })).resolves.toEqual({ Try: { Answer: '42' } });
  });

  test('names the resource that failed', async () => {
    const engine = await start();
    const options = { appDirectory: projectRoot, environment: engine.environment() };
    await bootstrap(options);
    const output = path.join(scratch, 'failing');
    const body = "new cdk.CfnResource(stack, 'Odd', { type: 'AWS::Synthetics::Group', properties: { Name: 'x' } });";
    await synthApp({ ...options, output, app: app(body) });
    const failure = await deployApp({ ...options, assembly: output }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DeployError);
    expect((failure as DeployError).stage).toBe('deploy');
    expect((failure as DeployError).message).toContain('AWS::Synthetics::Group');
  });

  test('passes the message of an app that cannot be synthesized on', async () => {
    const engine = await start();
    const options = { appDirectory: projectRoot, environment: engine.environment(), output: path.join(scratch, 'none') };
    const synth = synthApp({ ...options, app: app("throw new Error('the target is missing');") });
    await expect(synth).rejects.toThrow(/cdk synth failed[\s\S]*the target is missing/);
  });
});
