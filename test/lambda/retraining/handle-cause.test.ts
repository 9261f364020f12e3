import fc from 'fast-check';
import { handleCause } from '../../../lambda/retraining/handle-cause';
import { runEnded, runRedriven, takePlace } from '../../../lambda/retraining/run-status';
import type { DecisionRecord, GovernorPolicy, RetrainCause } from '../../../lib/retraining/contract';
import { Crash, World } from './memory';

const policy: GovernorPolicy = {
  stateMachineArn: 'arn:aws:states:eu-west-1:111122223333:stateMachine:Pipeline',
  cooldownSeconds: 30 * 86_400,
  leaseSeconds: 3600,
};
const governed = { platform: 'mlops', model: 'BikeDemand', policy };
const cause = (day: number, kind: RetrainCause['kind'] = 'quality'): RetrainCause => ({
  causeId: `${day}${kind}`.padEnd(32, '0'),
  kind,
  key: 'rmse',
  summary: 'rmse was 120',
  occurredAt: new Date(Date.UTC(2012, 2, 15 + day)).toISOString(),
});

const tell = (world: World, of: RetrainCause) => handleCause(world.ports, governed, of);
const decisionsOf = (world: World) => [...world.decisions.values()].map(({ decision }) => decision);

test('a cause starts one run, whose input names the cause', async () => {
  const world = new World();
  const record = await tell(world, cause(0));
  expect(record).toMatchObject({ decision: 'started', model: 'BikeDemand', cause: cause(0) });
  const [execution] = [...world.executions.values()];
  expect(JSON.parse(execution.input as string)).toEqual({
    model: 'BikeDemand',
    runId: record.runId,
    causeId: cause(0).causeId,
    cause: 'rmse was 120',
    occurredAt: cause(0).occurredAt,
  });
  expect(world.announced).toEqual([record]);
});

test('a second delivery is a duplicate and starts nothing', async () => {
  const world = new World();
  const first = await tell(world, cause(0));
  expect(await tell(world, cause(0))).toMatchObject({ decision: 'duplicate', runId: first.runId });
  expect(world.executions.size).toBe(1);
});

test('causes that come while a run works are attached to it, those within the cooldown after its promotion refused', async () => {
  const world = new World();
  await tell(world, cause(0));
  expect(await tell(world, cause(1))).toMatchObject({ decision: 'coalesced' });
  await world.end('BikeDemand', 'promoted');
  expect(await tell(world, cause(2))).toMatchObject({ decision: 'refused-cooldown' });
  expect(await tell(world, cause(31))).toMatchObject({ decision: 'started' });
  expect(decisionsOf(world)).toEqual(['started', 'coalesced', 'refused-cooldown', 'started']);
});

test('causes that arrive at the same moment start one run between them', async () => {
  const world = new World();
  const records = await Promise.all([0, 1, 2, 3, 4].map((day) => tell(world, cause(day))));
  expect(records.map(({ decision }) => decision).sort()).toEqual(['coalesced', 'coalesced', 'coalesced', 'coalesced', 'started']);
  expect(world.executions.size).toBe(1);
});

test('a cause that meets a run which has ended, whose event is still under way, is decided as if it had come', async () => {
  const world = new World();
  await tell(world, cause(0));
  await world.end('BikeDemand', 'failed', true);
  expect(await tell(world, cause(1))).toMatchObject({ decision: 'started' });
  await world.end('BikeDemand', 'promoted', true);
  expect(await tell(world, cause(2))).toMatchObject({ decision: 'refused-cooldown' });
});

describe('lease', () => {
  const afterLease = (world: World) => (world.clock = new Date(world.clock.getTime() + 3_600_000));

  test('a run that still works keeps its place, and its lease is renewed', async () => {
    const world = new World();
    const { runId } = await tell(world, cause(0));
    afterLease(world);
    expect(await tell(world, cause(1))).toMatchObject({ decision: 'coalesced', runId });
    expect(Date.parse((await world.state('BikeDemand')).lock?.leaseUntil as string)).toBeGreaterThan(world.clock.getTime());
  });

  test('a run whose end was never told gives its place up, and its promotion still counts', async () => {
    const world = new World();
    await tell(world, cause(0));
    await world.end('BikeDemand', 'promoted', true);
    afterLease(world);
    expect(await tell(world, cause(1))).toMatchObject({ decision: 'refused-cooldown' });
    expect(await tell(world, cause(40))).toMatchObject({ decision: 'started' });
  });

  test('a place that was taken for a run that never began is taken over', async () => {
    const world = new World();
    world.writesLeft = 1;
    await expect(tell(world, cause(0))).rejects.toThrow(Crash);
    world.writesLeft = Infinity;
    afterLease(world);
    expect(await tell(world, cause(1))).toMatchObject({ decision: 'started' });
    expect(world.executions.size).toBe(1);
  });

  test('the retry of a claim that lost its place does not start beside the run that followed', async () => {
    const world = new World();
    world.writesLeft = 1;
    await expect(tell(world, cause(0))).rejects.toThrow(Crash);
    world.writesLeft = Infinity;
    afterLease(world);
    const { runId } = await tell(world, cause(1));
    expect(await tell(world, cause(0))).toMatchObject({ decision: 'coalesced', runId });
    expect(world.running()).toHaveLength(1);
  });
});

test('a crash at any write, before or after it, is healed by the retry: one run, one decision, and the world was told', async () => {
  const steps = fc.array(fc.record({ day: fc.integer({ min: 0, max: 60 }), outcome: fc.constantFrom('promoted', 'rejected', 'failed', undefined) }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 6 }), fc.boolean(), async (history, crashAt, diesBefore) => {
      const crashing = new World();
      const smooth = new World();
      for (const { day, outcome } of history) {
        crashing.writesLeft = crashAt;
        crashing.diesBefore = diesBefore;
        await tell(crashing, cause(day)).catch((error) => {
          if (!(error instanceof Crash)) throw error;
        });
        crashing.writesLeft = Infinity;
        await tell(crashing, cause(day));
        await tell(smooth, cause(day));
        expect(crashing.running()).toEqual(smooth.running());
        for (const world of [crashing, smooth]) {
          if (outcome && (await world.state('BikeDemand')).lock) await world.end('BikeDemand', outcome);
        }
      }
      const line = ({ decision, cause: { causeId } }: DecisionRecord) => `${decision} ${causeId}`;
      const firstDecisions = (world: World) => [...world.decisions.values()].filter(({ decision }) => decision !== 'duplicate').map(line);
      expect(firstDecisions(crashing)).toEqual(firstDecisions(smooth));
      const told = new Set(crashing.announced.map(line));
      for (const decision of firstDecisions(smooth)) expect(told).toContain(decision);
    }),
    { numRuns: 150 },
  );
});

test('over any history of causes, ends and redrives, with events in any order, who runs has the lock or is on record beside it', async () => {
  process.env.MLOPS_PLATFORM = 'mlops';
  const pick = fc.nat({ max: 1000 });
  const step = fc.oneof(
    fc.record({ do: fc.constant('cause' as const), day: fc.integer({ min: 0, max: 60 }) }),
    fc.record({ do: fc.constant('end' as const), pick, outcome: fc.constantFrom('promoted' as const, 'rejected' as const, 'failed' as const) }),
    fc.record({ do: fc.constantFrom('console' as const, 'command' as const, 'deliver' as const), pick }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (history) => {
      const world = new World();
      const events: (() => Promise<unknown>)[] = [];
      const runs = () =>
        [...world.executions].map(([executionArn, execution]) => ({ executionArn, runId: executionArn.split(':')[7], ...execution }));
      const among = <T>(all: readonly T[], index: number): T | undefined => all[index % Math.max(1, all.length)];
      const set = (executionArn: string, status: 'RUNNING' | 'FAILED' | 'SUCCEEDED', output?: string) =>
        world.executions.set(executionArn, { ...world.executions.get(executionArn), status, output });
      const end = (run: ReturnType<typeof runs>[number], outcome: 'promoted' | 'rejected' | 'failed') => {
        const status = outcome === 'failed' ? 'FAILED' : 'SUCCEEDED';
        set(run.executionArn, status, JSON.stringify({ outcome }));
        events.push(() => runEnded({ store: world, runs: world }, { ...run, status, output: JSON.stringify({ outcome }) }));
      };
      let redrives = 0;
      const redrive = (run: ReturnType<typeof runs>[number]) => {
        set(run.executionArn, 'RUNNING');
        const at = new Date(Date.UTC(2026, 3, 1, 0, 0, (redrives += 1))).toISOString();
        events.push(() => runRedriven({ store: world, runs: world }, { BikeDemand: policy }, { ...run, status: 'RUNNING', at }));
      };
      for (const one of history) {
        if (one.do === 'cause') {
          const before = world.running();
          const { lock } = await world.state('BikeDemand');
          const { decision } = await tell(world, cause(one.day));
          if (decision === 'started' && lock) expect(before).not.toContain(lock.executionArn);
        } else if (one.do === 'end') {
          const run = among(runs().filter(({ status }) => status === 'RUNNING'), one.pick);
          if (run) end(run, one.outcome);
        } else if (one.do === 'deliver') {
          const event = among(events, one.pick);
          if (event) await events.splice(events.indexOf(event), 1)[0]();
        } else {
          const run = among(runs().filter(({ status }) => status === 'FAILED'), one.pick);
          if (!run) continue;
          const input = JSON.parse(run.input as string) as { model: string; causeId: string; occurredAt: string };
          const taken = one.do === 'console' || (await takePlace(world, input, run, 600)).lock?.runId === run.runId;
          if (taken) redrive(run);
        }
      }
      while (events.length > 0) await events.shift()!();
      const { lock } = await world.state('BikeDemand');
      const running = world.running();
      if (lock) expect(running).toContain(lock.executionArn);
      const beside = [...world.decisions.values()].filter(({ decision }) => decision === 'refused-running').map(({ cause: { causeId } }) => causeId);
      for (const { executionArn, input } of runs().filter(({ status }) => status === 'RUNNING')) {
        if (lock?.executionArn !== executionArn) expect(beside).toContain((JSON.parse(input as string) as { causeId: string }).causeId);
      }
      for (const run of runs()) if (run.status === 'RUNNING') end(run, 'failed');
      while (events.length > 0) await events.shift()!();
      expect((await world.state('BikeDemand')).lock).toBeUndefined();
    }),
    { numRuns: 300 },
  );
});
