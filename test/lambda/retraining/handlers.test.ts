import { STSClient } from '@aws-sdk/client-sts';
import type { GovernAnswer } from '../../../lambda/retraining/govern.lambda';
import { GovernorClient } from '../../../lambda/retraining/governor.client';
import { EVENTS } from '../../../lib/retraining/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { MemoryEvents, MemoryExecutions } from '../../fakes/sdk';

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:Demand';

Object.assign(process.env, {
  AWS_REGION: 'eu-west-1',
  MLOPS_PLATFORM: 'mlops',
  MLOPS_BUS_NAME: 'bus',
  MLOPS_GOVERNOR_TABLE: 'governor',
  MLOPS_GOVERNOR_POLICIES: JSON.stringify({
    Demand: { stateMachineArn: MACHINE, cooldownSeconds: 30 * 86_400, leaseSeconds: 3600, minimumDriftedFeatures: 2 },
  }),
});

const dynamo = new MemoryDynamo();
const bus = new MemoryEvents();
const machines = new MemoryExecutions();
const output = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
jest.spyOn(process.stderr, 'write').mockReturnValue(true);
const governor = new GovernorClient();

let govern: (event: unknown) => Promise<GovernAnswer>;
let release: (event: unknown) => Promise<void>;

beforeAll(async () => {
  dynamo.install();
  bus.install();
  machines.install();
  ({ handler: govern } = await import('../../../lambda/retraining/govern.lambda'));
  ({ handler: release } = await import('../../../lambda/retraining/release-lock.lambda'));
});
afterAll(() => jest.restoreAllMocks());
beforeEach(() => {
  dynamo.clear();
  dynamo.before = () => undefined;
  dynamo.pageSize = Infinity;
  bus.events.length = 0;
  bus.taken = () => undefined;
  machines.executions.clear();
  machines.started.length = 0;
  output.mockClear();
});

const detail = { platform: 'mlops', model: 'Demand', occurredAt: '2012-03-10T00:00:00Z' };
const window = { version: 1, windowStart: '2012-02-25T00:00:00Z', windowEnd: '2012-03-10T00:00:00Z', evidenceUri: 's3://reports/r.json' };
const degraded = (occurredAt = detail.occurredAt) => ({
  source: 'cdk-mlops',
  'detail-type': EVENTS.qualityDegraded,
  detail: { ...detail, ...window, occurredAt, metric: 'rmse', value: 120, bound: 100 },
});
const drifted = (features: readonly string[]) => ({
  source: 'cdk-mlops',
  'detail-type': EVENTS.driftDetected,
  detail: { ...detail, ...window, features },
});
const ended = (runId: string, status: string, change: { readonly input?: string | null; readonly output?: string } = {}) => {
  const executionArn = `${MACHINE.replace(':stateMachine:', ':execution:')}:${runId}`;
  const execution = machines.executions.get(executionArn);
  if (execution) Object.assign(execution, { status, ...(change.output !== undefined && { output: change.output }) });
  return {
    'detail-type': 'Step Functions Execution Status Change',
    time: '2026-01-01T00:00:00Z',
    detail: { executionArn, name: runId, status, input: execution?.input, ...change },
  };
};
const redriven = (runId: string, redriveCount = 1) => {
  const event = ended(runId, 'RUNNING');
  return { ...event, detail: { ...event.detail, redriveCount } };
};
const requested = (occurredAt: string, overrides?: object) => ({
  source: 'cdk-mlops',
  'detail-type': EVENTS.retrainRequested,
  detail: { ...detail, occurredAt, reason: 'a try', requestedBy: 'arn:aws:sts::1:assumed-role/R/ana', overrides },
});
const published = (): string => output.mock.calls.flat().join('\n');

describe('the governing function', () => {
  test('starts one run for a cause, tells the bus and counts it', async () => {
    const { decision, runId } = await govern(degraded());
    expect(decision).toBe('started');
    expect(machines.started).toEqual([expect.objectContaining({ stateMachineArn: MACHINE, name: runId })]);
    expect(JSON.parse(machines.started[0].input!)).toMatchObject({ model: 'Demand', runId, cause: expect.stringContaining('rmse 120') });
    expect(bus.ofType(EVENTS.retrainDecided)).toEqual([expect.objectContaining({ decision: 'started', runId })]);
    expect(published()).toContain('"RetrainStarted":1');
    expect(await governor.listDecisions('Demand')).toEqual([expect.objectContaining({ decision: 'started', runId })]);
  });

  test('a second delivery starts nothing and is not counted again', async () => {
    const { runId } = await govern(degraded());
    output.mockClear();
    expect(await govern(degraded())).toEqual({ decision: 'duplicate', runId });
    expect(machines.started).toHaveLength(1);
    expect(published()).not.toContain('RetrainStarted');
    expect(published()).not.toContain('RetrainHeldBack');
  });

  test('goes on where an earlier try broke off, also after the execution had begun', async () => {
    let broken = true;
    bus.taken = () => {
      if (broken) throw new Error('no bus');
    };
    await expect(govern(degraded())).rejects.toThrow('no bus');
    broken = false;
    expect((await govern(degraded())).decision).toBe('started');
    expect(machines.started).toHaveLength(1);
    expect((await governor.listDecisions('Demand')).map(({ decision }) => decision)).toEqual(['started']);
  });

  test('what is held back is counted as such', async () => {
    await governor.pause('Demand', { by: 'ana', reason: 'stock-taking', at: '2012-03-01T00:00:00Z' });
    expect(await govern(degraded())).toEqual({ decision: 'refused-paused', runId: undefined });
    expect(published()).toContain('"RetrainHeldBack":1');
    expect(machines.started).toEqual([]);
  });

  test('drift of fewer features than the policy asks for is no cause at all', async () => {
    expect(await govern(drifted(['temp']))).toEqual({});
    expect((await govern(drifted(['temp', 'hum']))).decision).toBe('started');
  });

  test.each([
    ['another platform', { ...degraded(), detail: { ...degraded().detail, platform: 'other' } }, 'UnknownPlatform'],
    ['a model that nobody governs', { ...degraded(), detail: { ...degraded().detail, model: 'Other' } }, 'UnknownModel'],
    ['a name that every object has', { ...degraded(), detail: { ...degraded().detail, model: 'constructor' } }, 'UnknownModel'],
    ['another source', { ...degraded(), source: 'somebody' }, 'ZodError'],
    ['nothing', undefined, 'ZodError'],
  ])('an event of %s fails, for the dead letters, and writes nothing', async (_, event, name) => {
    await expect(govern(event)).rejects.toMatchObject({ name });
    expect(dynamo.items('governor')).toEqual([]);
  });
});

describe('the end of a run', () => {
  const start = async (): Promise<string> => (await govern(degraded())).runId!;

  test('promoted: the place is free and causes within the cooldown are refused', async () => {
    const runId = await start();
    await release(ended(runId, 'SUCCEEDED', { output: '{"outcome":"promoted","version":2}' }));
    expect(await governor.state('Demand')).toMatchObject({ lock: undefined, promotedCause: '2012-03-10T00:00:00.000Z' });
    expect((await govern(degraded('2012-03-20T00:00:00Z'))).decision).toBe('refused-cooldown');
    expect((await govern(degraded('2012-04-20T00:00:00Z'))).decision).toBe('started');
  });

  test('rejected: only the rule that asked for it cools down', async () => {
    const runId = await start();
    await release(ended(runId, 'SUCCEEDED', { output: '{"outcome":"rejected","version":2}' }));
    expect((await governor.state('Demand')).rejectedCauses).toEqual({ 'quality#rmse': '2012-03-10T00:00:00.000Z' });
    expect((await govern(degraded('2012-03-20T00:00:00Z'))).decision).toBe('refused-cooldown');
    expect((await govern(drifted(['temp', 'hum']))).decision).toBe('started');
  });

  test.each(['FAILED', 'TIMED_OUT', 'ABORTED'])('%s: the place is free and nothing cools down', async (status) => {
    await release(ended(await start(), status));
    expect(await governor.state('Demand')).toMatchObject({ lock: undefined, promotedCause: undefined, rejectedCauses: {} });
    expect((await govern(degraded('2012-03-11T00:00:00Z'))).decision).toBe('started');
  });

  test('is read from the execution where the event was too short for it', async () => {
    const runId = await start();
    const event = ended(runId, 'SUCCEEDED');
    Object.assign(machines.executions.get(event.detail.executionArn)!, { status: 'SUCCEEDED', output: '{"outcome":"promoted"}' });
    await release(ended(runId, 'SUCCEEDED', { input: null }));
    expect(await governor.state('Demand')).toMatchObject({ lock: undefined, promotedCause: '2012-03-10T00:00:00.000Z' });
  });

  test('told twice, or for a run that has no place any more, it changes nothing', async () => {
    const first = await start();
    const event = ended(first, 'SUCCEEDED', { output: '{"outcome":"promoted"}' });
    await release(event);
    const { runId } = await govern(degraded('2012-06-01T00:00:00Z'));
    const before = await governor.state('Demand');
    await release(event);
    expect(await governor.state('Demand')).toEqual(before);
    expect(before.lock?.runId).toBe(runId);
  });

  test('of an execution that was never a run is only logged', async () => {
    await release(ended('by-hand', 'SUCCEEDED', { input: '{"hello":1}', output: '{}' }));
    await release(ended('gone', 'SUCCEEDED', { input: null }));
    expect(dynamo.items('governor')).toEqual([]);
  });

  test('that is no status is refused', async () => {
    await expect(release(ended('x', 'WAITING'))).rejects.toMatchObject({ name: 'ZodError' });
  });

  test('a rollback and a rebuild end outside of the lock and begin no cooldown', async () => {
    const runId = await start();
    const before = await governor.state('Demand');
    for (const [name, output, of] of [
      ['back', '{"outcome":"rolled-back","version":1}', { rollbackTo: 1 }],
      ['again', '{"outcome":"rebuilt","version":1}', { rebuildOf: 1 }],
    ] as const) {
      const input = JSON.stringify({ model: 'Demand', runId: name, causeId: name, cause: 'x', occurredAt: '2026-01-01T00:00:00Z', ...of });
      await release(ended(name, 'SUCCEEDED', { input, output }));
    }
    expect(await governor.state('Demand')).toEqual(before);
    expect(before.lock?.runId).toBe(runId);
  });
});

describe('a redrive', () => {
  const failedRun = async (): Promise<string> => {
    const { runId } = await govern(degraded());
    await release(ended(runId!, 'FAILED'));
    return runId!;
  };

  test('from the console takes the free place again, for as long as the policy says', async () => {
    const runId = await failedRun();
    await release(redriven(runId));
    const { lock } = await governor.state('Demand');
    expect(lock).toMatchObject({ runId, rule: 'quality#rmse', occurredAt: '2012-03-10T00:00:00.000Z' });
    expect((await govern(degraded('2012-03-11T00:00:00Z'))).decision).toBe('coalesced');
    await release(ended(runId, 'SUCCEEDED', { output: '{"outcome":"promoted"}' }));
    expect(await governor.state('Demand')).toMatchObject({ lock: undefined, promotedCause: '2012-03-10T00:00:00.000Z' });
  });

  test('beside a run that has the place leaves it there, and the decisions say so once', async () => {
    const runId = await failedRun();
    const other = await govern(degraded('2012-03-11T00:00:00Z'));
    for (let time = 0; time < 2; time++) await release(redriven(runId));
    expect((await governor.state('Demand')).lock?.runId).toBe(other.runId);
    const told = (await governor.listDecisions('Demand')).filter(({ decision }) => decision === 'refused-running');
    const reason = expect.stringContaining(`run ${runId} was redriven without the lock`);
    expect(told).toEqual([expect.objectContaining({ runId: other.runId, reason })]);
  });

  test('makes a late event of the end before it void', async () => {
    const runId = await failedRun();
    const late = ended(runId, 'FAILED');
    await release(redriven(runId));
    await release(late);
    expect((await governor.state('Demand')).lock?.runId).toBe(runId);
  });

  test('that has ended before its event came takes no place; a first start is passed over', async () => {
    const runId = await failedRun();
    const event = redriven(runId);
    ended(runId, 'FAILED');
    await release(event);
    await release(redriven(runId, 0));
    expect((await governor.state('Demand')).lock).toBeUndefined();
  });

  test('of a rollback stands outside of the lock', async () => {
    const input = JSON.stringify({ model: 'Demand', runId: 'back', causeId: 'back', cause: 'x', occurredAt: '2026-01-01T00:00:00Z', rollbackTo: 1 });
    const executionArn = `${MACHINE.replace(':stateMachine:', ':execution:')}:back`;
    machines.executions.set(executionArn, { status: 'RUNNING', input });
    await release(redriven('back'));
    expect((await governor.state('Demand')).lock).toBeUndefined();
  });
});

describe('a request', () => {
  const overrides = { dataPrefix: '2012/', hyperparameters: { max_depth: '3' } };

  const authorization =
    'AWS4-HMAC-SHA256 Credential=ASIA/20120310/eu-west-1/sts/aws4_request, ' +
    `SignedHeaders=host;x-amz-date;x-mlops-decision, Signature=${'0'.repeat(64)}`;
  const signed = () => {
    const event = requested('2012-03-10T00:00:00Z', overrides);
    return { ...event, detail: { ...event.detail, proof: { authorization, date: '20120310T000000Z' } } };
  };

  test('starts a run with what it asks for otherwise, in the name of who signed it', async () => {
    const startedBy = 'arn:aws:sts::1:assumed-role/R/bob';
    const sts = jest.spyOn(STSClient.prototype, 'send').mockImplementation((async () => ({ Arn: startedBy })) as never);
    await govern(signed());
    sts.mockRestore();
    expect(JSON.parse(machines.started[0].input!)).toMatchObject({ model: 'Demand', startedBy, overrides });
    expect(bus.ofType(EVENTS.retrainDecided)[0]).toMatchObject({ cause: { kind: 'manual', startedBy, overrides } });
  });

  test('counts as started by nobody where it is not signed, or the signature does not hold', async () => {
    const refusal = Object.assign(new Error('no'), { name: 'SignatureDoesNotMatch' });
    const sts = jest.spyOn(STSClient.prototype, 'send').mockImplementation((async () => Promise.reject(refusal)) as never);
    await govern(signed());
    sts.mockRestore();
    await govern(requested('2012-03-10T00:00:00Z'));
    expect(machines.started.map(({ input }) => JSON.parse(input!).startedBy)).toEqual([undefined]);
    expect(bus.ofType(EVENTS.retrainDecided).map(({ cause }) => (cause as { startedBy?: string }).startedBy)).toEqual([undefined, undefined]);
  });

  test('with overrides is refused while a run is under way, one without is attached to it', async () => {
    const { runId } = await govern(degraded());
    expect(await govern(requested('2012-03-11T00:00:00Z', overrides))).toEqual({ decision: 'refused-running', runId });
    expect(await govern(requested('2012-03-11T00:00:00Z'))).toEqual({ decision: 'coalesced', runId });
    expect(machines.started).toHaveLength(1);
  });

  test('of one moment that asks for another run is another cause', async () => {
    await govern(requested('2012-03-10T00:00:00Z', overrides));
    const again = { ...overrides, dataPrefix: '2011/' };
    expect((await govern(requested('2012-03-10T00:00:00Z', again))).decision).toBe('refused-running');
    expect((await govern(requested('2012-03-10T00:00:00Z', overrides))).decision).toBe('duplicate');
  });
});

describe('the governor table', () => {
  const pause = { by: 'ana', reason: 'x', at: '2012-03-01T00:00:00Z' };

  test('a change that meets another one is made on the newer state', async () => {
    let meddled = false;
    dynamo.before = (command) => {
      if (meddled || command.constructor.name !== 'PutCommand') return;
      meddled = true;
      dynamo.put('governor', { pk: 'MODEL#Demand', sk: 'STATE', revision: 7, promotedCause: '2012-01-01T00:00:00Z', rejectedCauses: {} });
    };
    expect(await governor.pause('Demand', pause)).toMatchObject({ paused: pause, revision: 8, promotedCause: '2012-01-01T00:00:00Z' });
    expect(await governor.state('Demand')).toMatchObject({ paused: pause, revision: 8, promotedCause: '2012-01-01T00:00:00Z' });
  });

  test('a state that never stops changing is given up with a name', async () => {
    let revision = 0;
    dynamo.before = (command) => {
      if (command.constructor.name === 'PutCommand') dynamo.put('governor', { pk: 'MODEL#Demand', sk: 'STATE', revision: (revision += 1) });
    };
    await expect(governor.pause('Demand', pause)).rejects.toMatchObject({ name: 'GovernorContention' });
  }, 20_000);

  test('a table that does not answer is no lost race', async () => {
    dynamo.before = () => {
      throw new Error('AccessDenied');
    };
    await expect(governor.replace({ model: 'Demand', revision: 0, rejectedCauses: {} })).rejects.toThrow('AccessDenied');
  });

  test('pausing twice keeps the first pause, resuming what is not paused writes nothing', async () => {
    await governor.pause('Demand', pause);
    expect((await governor.pause('Demand', { ...pause, by: 'bob' })).paused?.by).toBe('ana');
    expect((await governor.resume('Demand')).paused).toBeUndefined();
    const { revision } = await governor.state('Demand');
    await governor.resume('Demand');
    expect((await governor.state('Demand')).revision).toBe(revision);
  });

  test('decisions are listed oldest first, or the newest few, over several pages', async () => {
    for (const day of ['11', '12', '13', '14', '15']) {
      await governor.addDecision({
        ...detail,
        decision: 'refused-cooldown',
        at: `2012-03-${day}T00:00:00.000Z`,
        reason: 'x',
        cause: { causeId: day, kind: 'quality', key: 'rmse', summary: 'x', occurredAt: detail.occurredAt },
      });
    }
    dynamo.pageSize = 2;
    const days = async (options?: Parameters<GovernorClient['listDecisions']>[1]) =>
      (await governor.listDecisions('Demand', options)).map(({ cause }) => cause.causeId);
    expect(await days()).toEqual(['11', '12', '13', '14', '15']);
    expect(await days({ limit: 3, newestFirst: true })).toEqual(['15', '14', '13']);
    expect(Object.keys((await governor.listDecisions('Demand'))[0])).not.toContain('pk');
  });
});
