import { type InvokeEndpointCommand, ModelError, SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { STSClient } from '@aws-sdk/client-sts';
import { main } from '../../cli/program';
import type { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import { GovernorClient } from '../../lambda/retraining/governor.client';
import { RunTrackerClient } from '../../lambda/tracking/run-tracker.client';
import type { VersionRecord } from '../../lib/registry/contract';
import type { DecisionRecord } from '../../lib/retraining/contract';
import { CALLER, MemoryPlatform, modelResources, PLATFORM } from '../fakes/platform';
import { register, registryOver, versionRecord } from '../fakes/registry';
import { fakeIo } from './fake-io';

process.env.AWS_REGION = 'eu-west-1';

let platform: MemoryPlatform;
let registry: ModelRegistryClient;
let runs: RunTrackerClient;
let governor: GovernorClient;

beforeEach(() => {
  platform = new MemoryPlatform().install().add(PLATFORM, [
    modelResources('Demand'),
    modelResources('Churn', { servingKind: 'REAL_TIME', recorderFunction: undefined }),
  ]);
  registry = registryOver(platform.dynamo.client());
  runs = new RunTrackerClient('runs', platform.dynamo.client());
  governor = new GovernorClient('governor', platform.dynamo.client());
});
afterEach(() => jest.restoreAllMocks());

const mlops = async (args: readonly string[], stdin = '') => {
  const { io, written } = fakeIo({ stdin });
  return { code: await main(args, io), ...written };
};

const json = async <T>(...args: string[]): Promise<T> => {
  const { code, out, err } = await mlops([...args, '--json']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  return JSON.parse(out) as T;
};

const by = { actor: 'ana', reason: 'because' };

const record = (runId: string, rmse: number): VersionRecord =>
  versionRecord(runId, {
    code: { uri: 's3://code/code.tar.gz', sha256: 'b'.repeat(64), entryPoint: 'train.py', commit: 'c0ffee', dirty: true },
    hyperparameters: { rounds: '10' },
    metrics: { rmse },
    sagemakerModelName: 'mlops-demand-1',
    cause: 'rmse 120 is worse than 100',
  });

/** Version 1 serves, version 2 waits for approval. */
const twoVersions = async (): Promise<void> => {
  await register(registry, 'Demand', record('run-1', 64.25), by);
  await registry.transition('Demand', 1, 'Approved', by);
  await registry.promote('Demand', 1, by);
  await register(registry, 'Demand', record('run-2', 60), by);
};

describe('the platform', () => {
  test('is the only one there is', async () => {
    expect((await json<{ model: string }[]>('models', 'list')).map(({ model }) => model)).toEqual(['Churn', 'Demand']);
  });

  test('is to be chosen where there are several, and the choice reads no other', async () => {
    platform.add({ ...PLATFORM, platform: 'other', registryTable: 'other-registry' });
    const { code, err } = await mlops(['models', 'list']);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining('there are several platforms in this account and region: mlops, other') });
    expect(await json('models', 'list', '--platform', 'other')).toEqual([]);
    expect((await mlops(['models', 'list', '--platform', 'other'])).out).toBe('no models yet\n');
  });

  test('that is not there is named with the way out', async () => {
    platform.parameters.clear();
    expect((await mlops(['models', 'list'])).err).toMatch(/^error: there is no platform in this account and region\n {2}deploy one/);
    expect((await mlops(['models', 'list', '--platform', 'x'])).err).toContain('there is no platform "x"');
  });

  test.each([
    ['is no JSON', '{'],
    ['is of another version', '{"platform":"mlops"}'],
  ])('whose parameter %s is an error that names the parameter', async (_, value) => {
    platform.parameters.set('/cdk-mlops/mlops/platform', value);
    const { code, err } = await mlops(['models', 'list']);
    expect(code).toBe(1);
    expect(err).toContain('the parameter /cdk-mlops/mlops/platform does not describe a platform of this version');
  });

  test('names its models where it is asked for another', async () => {
    for (const command of ['status', 'pause', 'resume', 'request']) {
      const err = 'error: platform mlops has no model "Other"\n  its models: Churn, Demand\n';
      expect(await mlops(['retrain', command, 'Other'])).toEqual({ code: 1, out: '', err });
    }
  });
});

describe('models', () => {
  test('are listed with what serves, also those that the app no longer has', async () => {
    await twoVersions();
    await registry.createModel({ name: 'Old' }, by);
    expect(await json('models', 'list')).toEqual([
      { model: 'Churn', endpointName: 'mlops-churn', servingKind: 'REAL_TIME' },
      {
        model: 'Demand',
        endpointName: 'mlops-demand',
        servingKind: 'SERVERLESS',
        champion: { version: 1, since: expect.any(String), metrics: { rmse: 64.25 } },
      },
      { model: 'Old' },
    ]);
    const { out } = await mlops(['models', 'list']);
    expect(out).toMatch(/^Churn\s+nothing yet\s.*instances\s+mlops-churn$/m);
    expect(out).toMatch(/^Demand\s+v1 .*rmse 64.25\s+serverless\s+mlops-demand$/m);
    expect(out).toMatch(/^Old\s.*removed from the app\s+-$/m);
  });

  test('are shown with their versions and last changes', async () => {
    await twoVersions();
    const { out } = await mlops(['models', 'show', 'Demand']);
    expect(out).toMatch(/serves\s+v1 since/);
    expect(out.indexOf('v2')).toBeLessThan(out.indexOf('v1  '));
    expect(out).toMatch(/last changes[\s\S]*v2\s+Registered\s+ana[\s\S]*v1\s+Promoted[\s\S]*v1\s+Approved[\s\S]*v1\s+Registered/);
    const shown = await json<{ champion: number; versions: object[]; history: object[] }>('models', 'show', 'Demand');
    expect([shown.champion, shown.versions.length, shown.history.length]).toEqual([1, 2, 5]);
  });

  test('one version is shown with everything that is recorded about it', async () => {
    await twoVersions();
    const { out } = await mlops(['models', 'show', 'Demand', '--version', 'v1']);
    const { runId, artifact, code } = record('run-1', 64.25);
    for (const part of [runId, artifact.sha256, code.sha256, 'c0ffee with changes that it does not hold', 'passed: first version', 'hr (number)']) {
      expect(out).toContain(part);
    }
    expect(out).toMatch(/metrics\nrmse\s+64.25\n[\s\S]*hyperparameters\nrounds\s+10\n$/);
    expect(await json('models', 'show', 'Demand', '--version', '2')).toMatchObject({ version: 2, state: 'PendingApproval' });
  });

  test('a version whose release failed says so, also in the list', async () => {
    await twoVersions();
    const change = { actor: 'pipeline', reason: 'release failed (run run-2): expected 3, got 4' };
    await registry.setVersionTag('Demand', 2, 'mlops.release', 'failed: expected 3, got 4', change);
    expect((await mlops(['models', 'show', 'Demand', '--version', '2'])).out).toMatch(/^release +failed: expected 3, got 4$/m);
    const { out } = await mlops(['models', 'show', 'Demand']);
    expect(out).toMatch(/^v2 +PendingApproval, release failed/m);
    expect(out).toMatch(/v2 +TagSet +pipeline +release failed \(run run-2\)/);
  });

  test('and versions that are not there are named', async () => {
    await twoVersions();
    expect((await mlops(['models', 'show', 'Nobody'])).err).toMatch(/^error: Registered Model with name=Nobody not found\n.*models list/);
    expect((await mlops(['models', 'show', 'Demand', '--version', '9'])).err).toMatch(/^error: Model Version \(name=Demand, version=9\) not found\n/);
  });
});

describe('runs', () => {
  const start = (runId: string, startTime: string) =>
    runs.startRun({ runId, model: 'Demand', executionArn: `arn:${runId}`, causeId: 'c', cause: 'rmse 120 is worse than 100', startTime });

  test('are listed newest first with how they ended', async () => {
    expect((await mlops(['runs', 'list', 'Demand'])).out).toBe('Demand has no runs\n');
    await start('run-1', '2026-01-01T00:00:00Z');
    await runs.finishRun('run-1', 'promoted', 1);
    await start('run-2', '2026-01-02T00:00:00Z');
    await runs.failRun('run-2', { step: 'Train', name: 'E', message: 'm' });
    await start('run-3', '2026-01-03T00:00:00Z');
    const { out } = await mlops(['runs', 'list', 'Demand']);
    const lines = out.split('\n').slice(1, 4);
    expect(lines[0]).toMatch(/^run-3\s+RUNNING\s+-\s+-/);
    expect(lines[1]).toMatch(/^run-2\s+FAILED\s+at Train/);
    expect(lines[2]).toMatch(/^run-1\s+FINISHED\s+promoted\s+v1/);
    expect(await json<object[]>('runs', 'list', 'Demand', '--limit', '2')).toHaveLength(2);
  });

  test('one run is shown with steps, metrics, parameters and why it failed', async () => {
    await start('run-1', '2026-01-01T00:00:00Z');
    const step = { startTime: '2026-01-01T00:00:00Z', endTime: '2026-01-01T00:00:05Z' };
    await runs.recordStep('run-1', { ...step, name: 'prepare-data', status: 'FINISHED', outputs: { manifest: 's3://m' } });
    await runs.recordStep('run-1', { ...step, name: 'train', status: 'FAILED', error: 'out of memory', startTime: '2026-01-01T00:00:06Z' });
    await runs.logMetrics('run-1', { rmse: 64.123456 });
    await runs.logParams('run-1', { rounds: '10' });
    await runs.failRun('run-1', { step: 'Train', name: 'AlgorithmError', message: 'out of memory' });
    const { out } = await mlops(['runs', 'show', 'run-1']);
    expect(out).toMatch(/failed at\s+train\nerror\s+AlgorithmError: out of memory/);
    expect(out).toMatch(/prepare-data\s+FINISHED\s.*5.0 s\s+manifest=s3:\/\/m/);
    expect(out).toMatch(/metrics\nrmse\s+64.123\n[\s\S]*parameters\nrounds\s+10\n$/);
    expect(await json('runs', 'show', 'run-1')).toMatchObject({ runId: 'run-1', status: 'FAILED' });
    expect((await mlops(['runs', 'show', 'x'])).err).toMatch(/^error: Run with id=x not found\n.*runs list/);
  });
});

describe('labels', () => {
  test('become one object where the monitor looks, and the same delivery is the same object', async () => {
    const csv = 'inferenceId,rowIndex,value,observedAt\na,0,7,2026-01-01T00:00:00Z\na,1,21,2026-01-01T00:00:00Z\n';
    jest.useFakeTimers({ now: Date.parse('2026-01-02T10:59:59Z'), doNotFake: ['nextTick', 'setImmediate', 'setTimeout', 'queueMicrotask'] });
    const first = await mlops(['labels', 'put', 'Demand', '-'], csv);
    expect(first.out).toMatch(/^2 labels written to s3:\/\/predictions\/labels\/Demand\/2026\/01\/02\/10\/[0-9a-f]{32}\.jsonl\n$/);
    const [uri] = /s3:\S+/.exec(first.out)!;
    const lines = platform.bucket.text(uri).trim().split('\n').map((line) => JSON.parse(line) as object);
    expect(lines).toEqual([
      expect.objectContaining({ inferenceId: 'a', rowIndex: 0, value: 7, labelVersion: 1 }),
      expect.objectContaining({ inferenceId: 'a', rowIndex: 1, value: 21 }),
    ]);
    expect(await mlops(['labels', 'put', 'Demand', '-'], csv)).toEqual(first);
    expect((await mlops(['labels', 'put', 'Demand', '-'], '{"inferenceId":"b","value":1}')).out).toContain('1 label written');
    jest.useRealTimers();
  });

  test('with a mistake, or for an unknown model, write nothing', async () => {
    expect((await mlops(['labels', 'put', 'Demand', '-'], 'inferenceId\na\n')).code).toBe(1);
    expect((await mlops(['labels', 'put', 'Other', '-'], '{"inferenceId":"b","value":1}')).err).toContain('has no model "Other"');
    expect(platform.bucket.written).toEqual([]);
  });
});

describe('retraining', () => {
  /** What a governor that says yes, or whatever, does with each request. */
  const deciding = (decision: DecisionRecord['decision'], reason: string, runId?: string): void => {
    platform.bus.taken = async ({ detail }) => {
      const { model, occurredAt, requestedBy } = detail as Record<string, string>;
      const cause = { causeId: `c-${occurredAt}`, kind: 'manual' as const, key: requestedBy, summary: 'asked', occurredAt };
      await governor.addDecision({ platform: 'mlops', model, occurredAt, decision, reason, runId, cause, at: new Date().toISOString() });
    };
  };

  test('is asked for in the name that AWS knows, and the decision is told', async () => {
    deciding('started', 'nothing stood in the way', 'Demand-1');
    const { code, out } = await mlops(['retrain', 'request', 'Demand', '--reason', 'new data', '--occurred-at', '2026-01-01T00:00:00Z']);
    expect(code).toBe(0);
    expect(out).toMatch(/^retraining of Demand requested, cause of 2026-01-01[^\n]*\nstarted \(run Demand-1\): nothing stood in the way\n$/);
    expect(platform.bus.events).toEqual([
      {
        bus: 'bus',
        type: 'Retrain Requested',
        detail: {
          platform: 'mlops',
          model: 'Demand',
          occurredAt: '2026-01-01T00:00:00.000Z',
          reason: 'new data',
          requestedBy: CALLER,
          proof: { authorization: expect.stringContaining('x-mlops-decision'), date: expect.any(String) },
        },
      },
    ]);
  });

  test('an earlier decision of the same person is not taken for the answer', async () => {
    deciding('started', 'first', 'Demand-1');
    await mlops(['retrain', 'request', 'Demand']);
    deciding('coalesced', 'second', 'Demand-1');
    const { decision } = await json<{ decision: DecisionRecord }>('retrain', 'request', 'Demand');
    expect(decision).toMatchObject({ decision: 'coalesced', reason: 'second' });
  });

  test('nobody waits who does not want to', async () => {
    const { code, out } = await mlops(['retrain', 'request', 'Demand', '--no-wait']);
    expect(code).toBe(0);
    expect(out).toMatch(/^retraining of Demand requested, cause of [^\n]*\n$/);
  });

  test('without a decision in time the command says where to look', async () => {
    // The clock leaps: every look at the table takes a minute.
    const real = Date.now();
    let looks = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => real + 60_000 * (looks += 1));
    expect((await mlops(['retrain', 'request', 'Demand'])).out).toContain('no decision within 30 s: see `mlops retrain status Demand`');
  });

  test('is paused and resumed with a name and a reason', async () => {
    expect((await mlops(['retrain', 'pause', 'Demand', '--reason', 'stock-taking'])).out).toMatch(
      new RegExp(`^retraining of Demand is paused by ${CALLER} since [^\n]*: stock-taking\n$`),
    );
    expect((await mlops(['retrain', 'status', 'Demand'])).out).toMatch(/paused\s+by arn.*stock-taking[\s\S]*no cause has come yet\n$/);
    expect(await json('retrain', 'resume', 'Demand')).toEqual({ model: 'Demand', wasPaused: true });
    expect((await mlops(['retrain', 'resume', 'Demand'])).out).toBe('retraining of Demand was not paused\n');
  });

  test('its state shows the run, the cooldowns and the last decisions', async () => {
    platform.dynamo.put('governor', {
      pk: 'MODEL#Demand',
      sk: 'STATE',
      revision: 3,
      lock: { runId: 'Demand-7', acquiredAt: '2026-01-01T00:00:00Z' },
      promotedCause: '2025-12-01T00:00:00Z',
      rejectedCauses: { 'quality#rmse': '2025-11-01T00:00:00Z' },
    });
    deciding('refused-cooldown', 'cooldown until tomorrow');
    await mlops(['retrain', 'request', 'Demand']);
    const { out } = await mlops(['retrain', 'status', 'Demand']);
    const parts = [/run\s+Demand-7 since/, /last promoted cause\s+2025-1/, /quality#rmse 2025-1/, /refused-cooldown\s.*asked\s+cooldown until/];
    for (const part of parts) {
      expect(out).toMatch(part);
    }
    expect(await json('retrain', 'status', 'Demand')).toMatchObject({ model: 'Demand', decisions: [{ decision: 'refused-cooldown' }] });
  });

  test('credentials that AWS does not know are told with what to do', async () => {
    jest.spyOn(STSClient.prototype, 'send').mockImplementation((async () => {
      throw Object.assign(new Error('The security token is expired'), { name: 'ExpiredTokenException' });
    }) as never);
    const { code, err } = await mlops(['retrain', 'pause', 'Demand']);
    expect(code).toBe(1);
    expect(err).toMatch(/^error: AWS does not accept the credentials: [^\n]*\n {2}log in to AWS/);
  });
});

describe('predict', () => {
  test('asks the recording function of a serverless endpoint and prints nothing but the answer', async () => {
    const asked: object[] = [];
    platform.functions.set('record-Demand', (payload) => {
      asked.push(payload);
      return { statusCode: 200, body: '7\n21', contentType: 'text/csv', inferenceId: payload.inferenceId };
    });
    const named = ['--inference-id', 'by-hand', '--accept', 'text/csv'];
    const { code, out, err } = await mlops(['predict', 'Demand', '--data', '-', ...named], '1\n2\n');
    expect({ code, out, err }).toEqual({ code: 0, out: '7\n21\n', err: 'inference id: by-hand\n' });
    expect(asked).toEqual([{ body: '1\n2\n', contentType: 'text/csv', accept: 'text/csv', inferenceId: 'by-hand' }]);
    expect(JSON.parse((await mlops(['predict', 'Demand', '--data', '-', '--inference-id', 'x', '--json'], '1')).out)).toEqual({
      inferenceId: 'x',
      contentType: 'text/csv',
      body: '7\n21',
    });
  });

  test('sends and reads what is no text as base64', async () => {
    platform.functions.set('record-Demand', ({ body, isBase64Encoded }) => ({ statusCode: 200, body, isBase64Encoded, inferenceId: 'x' }));
    const { out } = await mlops(['predict', 'Demand', '--data', '-', '--content-type', 'application/x-npy'], 'bytes');
    expect(out).toBe('bytes\n');
  });

  test('tells what the model refuses, and what the function fails with', async () => {
    platform.functions.set('record-Demand', () => ({ statusCode: 400, body: 'row 1 has 3 columns\n', inferenceId: 'x' }));
    expect(await mlops(['predict', 'Demand', '--data', '-'], '1')).toEqual({
      code: 1,
      out: '',
      err: 'error: Demand refused the request with status 400: row 1 has 3 columns\n',
    });
    platform.functions.set('record-Demand', () => {
      throw new Error('out of memory');
    });
    expect((await mlops(['predict', 'Demand', '--data', '-'], '1')).err).toContain('the recording function record-Demand failed: out of memory');
  });

  test('asks an endpoint on instances directly', async () => {
    const send = jest.spyOn(SageMakerRuntimeClient.prototype, 'send').mockImplementation((async () => ({
      $metadata: { httpStatusCode: 200 },
      Body: Buffer.from('0.9\n'),
      ContentType: 'text/csv',
    })) as never);
    const { out, err } = await mlops(['predict', 'Churn', '--data', '-'], '1,2\n');
    expect(out).toBe('0.9\n');
    const { input } = send.mock.calls[0][0] as InvokeEndpointCommand;
    expect(input).toMatchObject({ EndpointName: 'mlops-churn', ContentType: 'text/csv' });
    expect(err).toBe(`inference id: ${input.InferenceId}\n`);
    send.mockImplementation((async () => {
      throw new ModelError({ message: 'x', OriginalStatusCode: 415, OriginalMessage: 'no such type', $metadata: { httpStatusCode: 424 } });
    }) as never);
    expect((await mlops(['predict', 'Churn', '--data', '-'], '1')).err).toBe('error: Churn refused the request with status 415: no such type\n');
  });

  test.each([
    ['nothing', ['--data', '-'], '', 'standard input is empty'],
    ['an id that is too long', ['--data', '-', '--inference-id', 'x'.repeat(65)], '1', 'an inference id has 1 to 64 characters'],
    ['more than a function takes', ['--data', '-'], '1'.repeat(4 * 1024 * 1024 + 1), 'a serverless endpoint takes 4194304'],
    ['a directory', ['--data', __dirname], '', 'is a directory'],
  ])('refuses %s as wrongly used', async (_, args, stdin, message) => {
    const { code, err } = await mlops(['predict', 'Demand', ...args], stdin);
    expect(code).toBe(2);
    expect(err).toContain(message);
  });
});
