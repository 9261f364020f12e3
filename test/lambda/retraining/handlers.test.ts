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
  const { input } = machines.executions.get(executionArn) ?? {};
  return {
    'detail-type': 'Step Functions Execution Status Change',
    detail: { executionArn, name: runId, status, input, ...change },
  };
};
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

  test('that is no end is refused', async () => {
    await expect(release(ended('x', 'RUNNING'))).rejects.toMatchObject({ name: 'ZodError' });
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
