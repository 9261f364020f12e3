import { CloudWatchLogsClient, DescribeLogStreamsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { main } from '../../cli/program';
import { viewOf } from '../../cli/runs/watch-view';
import { GovernorClient } from '../../lambda/retraining/governor.client';
import { RunTrackerClient } from '../../lambda/tracking/run-tracker.client';
import type { DecisionRecord, RetrainRequestedDetail } from '../../lib/retraining/contract';
import { CALLER, MemoryPlatform, modelResources, PLATFORM } from '../fakes/platform';
import { fakeIo } from './fake-io';

process.env.AWS_REGION = 'eu-west-1';

const ARN = 'arn:aws:states:eu-west-1:111122223333:execution:Demand:Demand-1';
const INPUT = { model: 'Demand', runId: 'Demand-1', causeId: 'c1', cause: 'rmse 120', occurredAt: '2012-03-10T00:00:00.000Z' };
const PREPARED = { prepared: { jobNameBase: 'mlops-demand-0123456789a0' } };

let platform: MemoryPlatform;
let runs: RunTrackerClient;
let governor: GovernorClient;

beforeEach(() => {
  platform = new MemoryPlatform().install().add(PLATFORM, [modelResources('Demand'), modelResources('Churn')]);
  runs = new RunTrackerClient('runs', platform.dynamo.client());
  governor = new GovernorClient('governor', platform.dynamo.client());
  const logs = async (command: { readonly input: object }): Promise<object> =>
    command instanceof DescribeLogStreamsCommand
      ? { logStreams: [{ logStreamName: 'j/algo-1', creationTime: 1 }] }
      : { events: 'nextToken' in command.input ? [] : [{ message: 'epoch 1\n' }, { message: 'epoch 2' }], nextForwardToken: 'f' };
  jest.spyOn(CloudWatchLogsClient.prototype, 'send').mockImplementation(logs as never);
  jest.spyOn(SageMakerClient.prototype, 'send').mockRejectedValue(Object.assign(new Error('no'), { name: 'AccessDeniedException' }) as never);
  process.exitCode = undefined;
});
afterEach(() => {
  process.exitCode = undefined;
  jest.restoreAllMocks();
});

const mlops = async (...args: string[]) => {
  const { io, written } = fakeIo();
  const code = await main(args, io);
  process.exitCode = undefined;
  return { code, ...written };
};

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const entered = (second: number, name: string, input: object = {}): HistoryEvent =>
  ({ timestamp: at(second), type: 'TaskStateEntered', stateEnteredEventDetails: { name, input: JSON.stringify(input) } }) as HistoryEvent;
const exited = (second: number, name: string, output: object = {}): HistoryEvent =>
  ({ timestamp: at(second), type: 'TaskStateExited', stateExitedEventDetails: { name, output: JSON.stringify(output) } }) as HistoryEvent;
const JOB = { TrainingJobName: 'j', ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1 } };
const SCHEDULED = {
  ...{ timestamp: at(2), type: 'TaskScheduled' },
  taskScheduledEventDetails: { resource: 'createTrainingJob.sync', parameters: JSON.stringify(JOB) },
} as HistoryEvent;
const BEGUN = [entered(0, 'PrepareData'), exited(2, 'PrepareData', PREPARED), entered(2, 'Train', PREPARED), SCHEDULED];
const FAILED = {
  timestamp: at(9),
  type: 'ExecutionFailed',
  executionFailedEventDetails: {
    error: 'States.TaskFailed',
    cause: '{"TrainingJobName":"j","FailureReason":"AlgorithmError: no rows, exit code: 1"}',
  },
} as HistoryEvent;

const execution = (status: string, events: HistoryEvent[], more: object = {}) =>
  platform.machines.executions.set(ARN, {
    ...{ executionArn: ARN, status: status as 'FAILED', input: JSON.stringify(INPUT), startDate: at(0), events: events.toReversed() },
    ...(status === 'RUNNING' ? {} : { stopDate: at(9), redriveStatus: 'REDRIVABLE' as const }),
    ...more,
  });
const recorded = () => runs.startRun({ ...INPUT, executionArn: ARN, startTime: at(0).toISOString() });
const failed = async () => {
  execution('FAILED', [...BEGUN, FAILED], { error: 'States.TaskFailed', cause: 'x' });
  await recorded();
  const logs = { group: '/aws/sagemaker/TrainingJobs', stream: 'j/', url: 'https://console' };
  await runs.failRun('Demand-1', { step: 'Train', name: 'States.TaskFailed', message: 'AlgorithmError: no rows', exitCode: 1, job: 'j', logs });
};

/** The governor decides about each request as it comes. */
const governorSays = (decision: DecisionRecord['decision'], runId?: string) => {
  platform.bus.taken = async ({ detail }) => {
    const request = detail as unknown as RetrainRequestedDetail;
    const cause = { causeId: 'x', kind: 'manual', key: request.requestedBy, summary: request.reason, occurredAt: request.occurredAt } as const;
    const about = { platform: 'mlops', model: 'Demand', occurredAt: request.occurredAt, at: new Date().toISOString() };
    await governor.addDecision({ ...about, decision, cause, runId, reason: 'so' });
  };
};

describe('runs start', () => {
  test('asks the governor for the run in the name of the caller, with everything that shall be otherwise', async () => {
    governorSays('started', 'Demand-1');
    const data = ['--data', 's3://data/datasets/Demand/2012/', '--data-commit', 'abc'];
    const { code, out } = await mlops('runs', 'start', 'Demand', ...data, '--param', 'depth=3', '--param', 'rule=a=b');
    expect([code, out]).toEqual([0, 'run Demand-1 started\nfollow it with `mlops runs watch Demand-1`\n']);
    expect(platform.bus.ofType('Retrain Requested')).toEqual([
      expect.objectContaining({
        requestedBy: CALLER,
        overrides: { dataPrefix: '2012/', dataCommit: 'abc', hyperparameters: { depth: '3', rule: 'a=b' } },
      }),
    ]);
  });

  test('without anything otherwise may join a run', async () => {
    governorSays('coalesced', 'Demand-1');
    const { code, out } = await mlops('runs', 'start', 'Demand');
    expect([code, out]).toEqual([0, expect.stringContaining('joined run Demand-1')]);
    expect(platform.bus.ofType('Retrain Requested')[0]).not.toHaveProperty('overrides');
  });

  test.each([
    ['refused-running', 'Demand-1', 'mlops runs watch Demand-1'],
    ['refused-paused', undefined, 'mlops retrain resume Demand'],
  ] as const)('%s is told with the way out', async (decision, runId, fix) => {
    governorSays(decision, runId);
    const { code, err } = await mlops('runs', 'start', 'Demand', '--param', 'a=1');
    expect([code, err]).toEqual([1, expect.stringContaining(fix)]);
  });

  test.each([
    [['--param', 'depth'], 'write it as name=value'],
    [['--data', '../Other/'], 'is no part of s3://data/datasets/Demand/'],
    [['--data', 's3://elsewhere/x/'], 'is no part of s3://data/datasets/Demand/'],
  ])('%j is refused before anybody is asked', async (args, message) => {
    const { code, err } = await mlops('runs', 'start', 'Demand', ...args);
    expect([code, err]).toEqual([2, expect.stringContaining(message)]);
    expect(platform.bus.events).toEqual([]);
  });
});

describe('runs stop', () => {
  test('ends the execution with who and why, and waits until it is on record', async () => {
    execution('RUNNING', BEGUN);
    await recorded();
    platform.machines.changed = async () => void (await runs.failRun('Demand-1', { step: 'Train', name: 'StoppedByHand', message: 'x' }, 'KILLED'));
    const { code, out } = await mlops('runs', 'stop', 'Demand-1', '--reason', 'wrong data');
    expect([code, out]).toEqual([0, expect.stringContaining('run Demand-1 stopped: its jobs were told to stop')]);
    const stopped = { status: 'ABORTED', error: 'StoppedByHand', cause: `stopped by ${CALLER}: wrong data` };
    expect(platform.machines.executions.get(ARN)).toMatchObject(stopped);
  });

  test('of a run that has ended, or that is none, is an error', async () => {
    await failed();
    expect((await mlops('runs', 'stop', 'Demand-1', '--reason', 'x')).err).toContain('run Demand-1 is not under way: it ended FAILED');
    expect((await mlops('runs', 'stop', 'Demand-2', '--reason', 'x')).err).toContain('there is no run Demand-2');
    expect((await mlops('runs', 'stop', 'Demand-1')).code).toBe(2);
  });
});

describe('runs resume', () => {
  const lockOf = (runId: string) => ({ runId, executionArn: ARN, causeId: 'c', rule: 'r', occurredAt: 'o', acquiredAt: 'a', leaseUntil: '2000' });

  test('takes the lock, goes on, and says what is repeated', async () => {
    await failed();
    const { code, out } = await mlops('runs', 'resume', 'Demand-1');
    expect([code, out]).toEqual([0, expect.stringContaining('run Demand-1 goes on: repeats train, keeps prepare-data')]);
    expect(platform.machines.executions.get(ARN)?.status).toBe('RUNNING');
    expect((await governor.state('Demand')).lock).toMatchObject({ runId: 'Demand-1', executionArn: ARN });
  });

  test('is refused while another run has the lock, which is named', async () => {
    await failed();
    await governor.update('Demand', (state) => ({ ...state, lock: lockOf('Demand-2') }));
    const { code, err } = await mlops('runs', 'resume', 'Demand-1');
    expect([code, err]).toEqual([1, expect.stringContaining('run Demand-2 of Demand is under way')]);
    expect(platform.machines.executions.get(ARN)?.status).toBe('FAILED');
  });

  test('gives the lock back where Step Functions refuses', async () => {
    await failed();
    platform.machines.changed = () => {
      throw new Error('no right');
    };
    expect((await mlops('runs', 'resume', 'Demand-1')).code).toBe(1);
    expect((await governor.state('Demand')).lock).toBeUndefined();
  });

  test('of a rollback leaves the lock alone', async () => {
    await failed();
    execution('FAILED', BEGUN, { input: JSON.stringify({ ...INPUT, rollbackTo: 1 }) });
    await governor.update('Demand', (state) => ({ ...state, lock: lockOf('Demand-2') }));
    expect((await mlops('runs', 'resume', 'Demand-1')).code).toBe(0);
    expect((await governor.state('Demand')).lock?.runId).toBe('Demand-2');
  });

  test.each([
    ['RUNNING', {}, 'is under way'],
    ['SUCCEEDED', {}, 'has ended well'],
    ['FAILED', { redriveStatus: 'NOT_REDRIVABLE', redriveStatusReason: 'too old' }, 'cannot go on: too old\n  start another with `mlops runs start'],
  ])('of what is %s is refused', async (status, more, message) => {
    await failed();
    execution(status, BEGUN, more);
    const { code, err } = await mlops('runs', 'resume', 'Demand-1');
    expect([code, err]).toEqual([1, expect.stringContaining(message)]);
    expect((await governor.state('Demand')).lock).toBeUndefined();
  });
});

describe('runs watch', () => {
  test('tells steps and lines once each, and ends with the exit code of the run', async () => {
    await failed();
    const { code, out } = await mlops('runs', 'watch', 'Demand-1');
    expect(code).toBe(1);
    expect(out).toContain('prepare-data  FINISHED after 2.0 s\n');
    expect(out).toContain('FAILED: run Demand-1 ended at step train after 9.0 s\n');
    expect(out).toContain('  States.TaskFailed: AlgorithmError: no rows, exit code: 1 (exit code 1)\n');
    expect(out).toContain('mlops runs resume Demand-1');
  });

  test('of a run that ends well is followed to its outcome, with the lines of its job', async () => {
    execution('RUNNING', BEGUN);
    await recorded();
    setTimeout(() => execution('SUCCEEDED', [...BEGUN, exited(8, 'Train')], { output: '{"outcome":"promoted","version":2}' }), 200);
    const { code, out } = await mlops('runs', 'watch', 'Demand-1', '--json');
    expect(code).toBe(0);
    interface Told {
      readonly step?: { readonly name: string; readonly status: string };
      readonly line?: { readonly text: string };
      readonly end?: object;
    }
    const objects = out.trim().split('\n').map((line) => JSON.parse(line) as Told);
    const steps = objects.flatMap(({ step }) => (step ? [`${step.name} ${step.status}`] : []));
    expect(steps).toEqual(['prepare-data FINISHED', 'train RUNNING', 'train FINISHED']);
    expect(objects.flatMap(({ line }) => (line ? [line.text] : []))).toEqual(['epoch 1', 'epoch 2']);
    expect(objects.at(-1)?.end).toMatchObject({ ok: true, outcome: 'promoted', version: 2 });
  });

  test('in a terminal the picture takes its own place again', () => {
    const { io, written } = fakeIo();
    const view = viewOf({ ...io, isTerminal: true }, false, { runId: 'r', model: 'm' });
    const steps = [{ name: 'train', status: 'RUNNING' as const, startTime: at(0).toISOString() }];
    view.show({ status: 'RUNNING', startedAt: at(0), steps, lines: ['one'] });
    view.show({ status: 'RUNNING', startedAt: at(0), steps, lines: ['two'] });
    expect(written.out.split('\u001b[3A\u001b[0J')).toHaveLength(2);
    expect(written.out.endsWith('    one\n    two\n')).toBe(true);
  });
});

test('runs show tells step, cause, exit code, logs, what was billed and the way on', async () => {
  await failed();
  await runs.recordBill('Demand-1', { billed: [{ instanceType: 'ml.m5.large', seconds: 61 }] });
  const { out } = await mlops('runs', 'show', 'Demand-1');
  for (const line of [
    /failed at +train$/m,
    /error +States.TaskFailed: AlgorithmError: no rows$/m,
    /exit code +1$/m,
    /logs +\/aws\/sagemaker\/TrainingJobs j\/$/m,
    /logs page +https:\/\/console$/m,
    /billed +61 s of ml.m5.large$/m,
    /resume +mlops runs resume Demand-1$/m,
  ]) {
    expect(out).toMatch(line);
  }
});

describe('the cost of a run', () => {
  const PRICES = { 'ml.m5.large': 0.36 };
  const begun = async (prices?: Record<string, number>) => {
    const { model, runId, causeId, cause } = INPUT;
    await runs.startRun({ model, runId, causeId, cause, executionArn: ARN, prices });
  };

  test('is shown so far while a job works, of it as a whole and of each step', async () => {
    execution('RUNNING', BEGUN);
    await begun(PRICES);
    const described = { ...JOB, TrainingStartTime: new Date(Date.now() - 100_000) };
    jest.spyOn(SageMakerClient.prototype, 'send').mockImplementation((async () => described) as never);
    const { out } = await mlops('runs', 'show', 'Demand-1');
    expect(out).toMatch(/^billed +10\d s of ml\.m5\.large$/m);
    expect(out).toMatch(/^cost +\$0\.010\d so far$/m);
    expect(out).toMatch(/^train +RUNNING .* \$0\.010\d /m);
    expect(JSON.parse((await mlops('runs', 'show', 'Demand-1', '--json')).out)).toMatchObject({ costUsd: expect.closeTo(0.01, 3), prices: PRICES });
  });

  test('is unknown, and why, where a price is not stated or a bill cannot be read', async () => {
    execution('RUNNING', BEGUN);
    await begun({ 'ml.c5.large': 1 });
    const described = jest.spyOn(SageMakerClient.prototype, 'send');
    described.mockImplementation((async () => ({ ...JOB, BillableTimeInSeconds: 60 })) as never);
    expect((await mlops('runs', 'show', 'Demand-1')).out).toMatch(/^cost +unknown: no price is stated for ml\.m5\.large$/m);
    described.mockRejectedValue(Object.assign(new Error('no'), { name: 'AccessDeniedException' }) as never);
    expect((await mlops('runs', 'show', 'Demand-1')).out).toMatch(/^cost +unknown: nobody tells what is billed for j$/m);
  });

  test('is not spoken of where nobody has stated prices', async () => {
    await failed();
    expect((await mlops('runs', 'show', 'Demand-1')).out).not.toMatch(/cost/);
  });
});

test('runs show of a run under way tells the step that a job does now', async () => {
  execution('RUNNING', BEGUN);
  await recorded();
  expect((await mlops('runs', 'show', 'Demand-1')).out).toMatch(/^train +RUNNING/m);
  platform.machines.executions.clear();
  expect((await mlops('runs', 'show', 'Demand-1')).out).toMatch(/^status +RUNNING$/m);
});
