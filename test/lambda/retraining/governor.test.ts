import fc from 'fast-check';
import { acquire, decide, ruleOf, runIdOf, settle, type GovernorState, type Outcome } from '../../../lambda/retraining/governor';
import type { GovernorPolicy, RetrainCause } from '../../../lib/retraining/contract';

const DAY = 86_400_000;
const policy: GovernorPolicy = {
  stateMachineArn: 'arn:aws:states:eu-west-1:111122223333:stateMachine:Pipeline',
  cooldownSeconds: (30 * DAY) / 1000,
  leaseSeconds: 3600,
};
const now = new Date('2026-03-01T12:00:00Z');
const empty: GovernorState = { model: 'BikeDemand', revision: 0, rejectedCauses: {} };
const at = (day: number): string => new Date(Date.parse('2012-03-15T00:00:00Z') + day * DAY).toISOString();
const cause = (day: number, changes: Partial<RetrainCause> = {}): RetrainCause => ({
  causeId: `0123456789abcdef${day}`,
  kind: 'quality',
  key: 'rmse',
  summary: 'rmse was 120',
  occurredAt: at(day),
  ...changes,
});
const ended = (state: GovernorState, of: RetrainCause, outcome: Outcome): GovernorState =>
  settle(acquire(state, of, policy, runIdOf(state.model, of), now), {
    runId: runIdOf(state.model, of),
    outcome,
    occurredAt: of.occurredAt,
    rule: ruleOf(of),
  });

describe('decide', () => {
  test('starts a run under a name that the cause alone determines', () => {
    expect(decide(empty, cause(0), policy, now)).toMatchObject({ decision: 'started', runId: 'BikeDemand-20120315T000000Z-01234567' });
  });

  test('attaches causes to the run that is under way, a person\'s too', () => {
    const running = acquire(empty, cause(0), policy, 'run-1', now);
    for (const later of [cause(1), cause(1, { kind: 'drift', key: 'drift' }), cause(1, { kind: 'manual', key: 'ann' })]) {
      expect(decide(running, later, policy, now)).toMatchObject({ decision: 'coalesced', runId: 'run-1' });
    }
  });

  test('asks for the execution itself once the lease ran out', () => {
    const running = acquire(empty, cause(0), policy, 'run-1', now);
    expect(decide(running, cause(1), policy, new Date(now.getTime() + 3_600_000))).toMatchObject({ decision: 'look-up-holder' });
  });

  test('a promotion begins the cooldown for every cause but a person\'s', () => {
    const promoted = ended(empty, cause(0), 'promoted');
    expect(decide(promoted, cause(29), policy, now).decision).toBe('refused-cooldown');
    expect(decide(promoted, cause(29, { kind: 'drift', key: 'drift' }), policy, now).decision).toBe('refused-cooldown');
    expect(decide(promoted, cause(29, { kind: 'manual', key: 'ann' }), policy, now).decision).toBe('started');
    expect(decide(promoted, cause(30), policy, now).decision).toBe('started');
  });

  test('a rejected candidate begins the cooldown for causes of its own rule only', () => {
    const rejected = ended(empty, cause(0), 'rejected');
    expect(decide(rejected, cause(1), policy, now).decision).toBe('refused-cooldown');
    expect(decide(rejected, cause(1, { key: 'mae' }), policy, now).decision).toBe('started');
    expect(decide(rejected, cause(1, { kind: 'drift', key: 'drift' }), policy, now).decision).toBe('started');
  });

  test('a failed run begins no cooldown', () => {
    expect(decide(ended(empty, cause(0), 'failed'), cause(0.1), policy, now).decision).toBe('started');
  });

  test('a cause older than the last promotion is refused: the new version has seen what it saw', () => {
    expect(decide(ended(empty, cause(10), 'promoted'), cause(3), policy, now).decision).toBe('refused-cooldown');
  });

  test('a pause refuses everybody and names who paused and why', () => {
    const paused = { ...empty, paused: { by: 'ann', reason: 'audit', at: at(0) } };
    expect(decide(paused, cause(0), policy, now)).toMatchObject({ decision: 'refused-paused', reason: 'paused by ann at 2012-03-15: audit' });
    expect(decide(paused, cause(0, { kind: 'manual', key: 'bob' }), policy, now).decision).toBe('refused-paused');
  });
});

describe('settle', () => {
  test('gives back the place only of the run that ended', () => {
    const running = acquire(empty, cause(0), policy, 'run-1', now);
    expect(settle(running, { runId: 'run-0', outcome: 'failed', occurredAt: at(0) }).lock).toBeDefined();
    expect(settle(running, { runId: 'run-1', outcome: 'failed', occurredAt: at(0) }).lock).toBeUndefined();
  });

  test('applied twice changes nothing more, and never moves a cooldown back', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 90 }), fc.constantFrom<Outcome>('promoted', 'rejected', 'failed'))), (runs) => {
        let state = empty;
        for (const [day, outcome] of runs) {
          const end = { runId: 'run', outcome, occurredAt: at(day), rule: 'quality#rmse' };
          const next = settle(state, end);
          expect(settle(next, end)).toEqual(next);
          expect((next.promotedCause ?? '') >= (state.promotedCause ?? '')).toBe(true);
          state = next;
        }
      }),
    );
  });
});

describe('over any history of causes', () => {
  const kinds = fc.constantFrom(['quality', 'rmse'] as const, ['quality', 'mae'] as const, ['drift', 'drift'] as const);
  const step = fc.record({ day: fc.integer({ min: 0, max: 200 }), kind: kinds, outcome: fc.constantFrom<Outcome>('promoted', 'rejected', 'failed') });

  test('runs are never two at a time, and after a promotion never closer than the cooldown', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let state = empty;
        let promoted: string | undefined;
        for (const { day, kind, outcome } of steps) {
          const next = cause(day, { kind: kind[0], key: kind[1] });
          const verdict = decide(state, next, policy, now);
          if (verdict.decision !== 'started') continue;
          if (promoted) expect(Date.parse(next.occurredAt) - Date.parse(promoted)).toBeGreaterThanOrEqual(30 * DAY);
          state = acquire(state, next, policy, verdict.runId as string, now);
          expect(decide(state, cause(day + 0.5), policy, now).decision).toBe('coalesced');
          state = settle(state, { runId: verdict.runId as string, outcome, occurredAt: next.occurredAt, rule: ruleOf(next) });
          if (outcome === 'promoted') promoted = next.occurredAt;
        }
      }),
    );
  });

  test('run names fit into an execution name for the longest model name', () => {
    const name = runIdOf('M'.repeat(32), cause(0, { causeId: 'f'.repeat(32) }));
    expect(name.length).toBeLessThanOrEqual(80);
    expect(name).toMatch(/^[A-Za-z0-9-]+$/);
  });
});
