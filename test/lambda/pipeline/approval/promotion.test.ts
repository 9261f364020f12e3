import fc from 'fast-check';
import { APPROVAL_ERRORS } from '../../../../lib/pipeline/approval/contract';
import { PIPELINE_ERRORS } from '../../../../lib/pipeline/contract';
import { type HistoryEntry, REGISTRY_ERRORS, type VersionState } from '../../../../lib/registry/contract';
import { Bench, person, type Policy } from './bench';

type World = Bench & { round: Map<number, number>; failed: Set<number>; registered: number; starter?: string; policy: Policy | 'automatic' };
type Event = readonly [what: string, happen: (world: World) => Promise<unknown>];

const PEOPLE = ['ana', 'bob', 'cleo'].flatMap((name) => [person(name), person(name, 'Admin')]);
const version = fc.constantFrom(1, 1, 2, 3);
const someone = fc.constantFrom(...PEOPLE);
const anybody = fc.constantFrom(...PEOPLE, 'pipeline', 'policy:automatic', 'policy:approval-expired');
const state = fc.constantFrom<VersionState>('Approved', 'Approved', 'Approved', 'PendingApproval', 'Rejected', 'Archived');

const questionOf = (world: World, number: number): string => `run-${number}:${world.round.get(number) ?? 0}`;

/** As the pipeline does after a judgement that the version has passed. */
const ask = async (world: World, number: number, round: number): Promise<void> => {
  const evidenceUri = `s3://reports/run-${number}/${round}/gate.json`;
  if (world.policy === 'automatic') {
    const why = { reason: 'better', evidenceUri };
    if (round > 0) await world.registry.askApproval('Bikes', number, { round, startedBy: null }, { actor: 'pipeline', ...why });
    await world.registry.transition('Bikes', number, 'Approved', { actor: 'policy:automatic', ...why });
  } else {
    await world.approvals.request(world.request(world.policy, number, { round, request: world.starter ? { startedBy: world.starter } : {} }));
  }
  world.round.set(number, round);
};

/** The way that leads to a promotion is taken more often than what stands in it. */
const often = (weight: number, arbitrary: fc.Arbitrary<Event>) => ({ weight, arbitrary });

const event: fc.Arbitrary<Event> = fc.oneof(
  often(
    2,
    fc.constantFrom(true, true, false).map((passed): Event => [
      `register ${passed ? 'passed' : 'failed'}`,
      async (world) => {
        world.registered += 1;
        const number = await world.register(world.policy, `run-${world.registered}`, passed);
        if (!passed) world.failed.add(number);
        world.round.set(number, 0);
      },
    ]),
  ),
  often(4, version.map((number): Event => [`ask ${number}`, (world) => ask(world, number, world.round.get(number) ?? 0)])),
  often(
    8,
    fc.tuple(fc.constantFrom('approve' as const, 'approve' as const, 'approve' as const, 'reject' as const), version, someone, fc.nat(5)).map(
      ([decision, number, who, age]): Event => [
        `${who} ${decision} ${number}${age === 0 ? ' (old report)' : ''}`,
        (world) => world.decide(decision, who, { version: number, question: age === 0 ? `run-${number}:0` : questionOf(world, number) }),
      ],
    ),
  ),
  often(
    4,
    fc.tuple(version, state, anybody).map(([number, to, actor]): Event => [
      `${actor} moves ${number} to ${to}`,
      (world) => world.registry.transition('Bikes', number, to, { actor, reason: 'x' }),
    ]),
  ),
  often(
    1,
    fc.tuple(version, fc.boolean()).map(([number, passed]): Event => [
      `judge ${number} again: ${passed ? 'passed' : 'failed'}`,
      async (world) => {
        const round = (world.round.get(number) ?? 0) + 1;
        if (passed) return ask(world, number, round);
        await world.registry.transition('Bikes', number, 'Rejected', { actor: 'pipeline', reason: 'worse' });
        world.failed.add(number);
      },
    ]),
  ),
  often(1, fc.constantFrom<Event>(['expiry', async (world) => (world.pass(7_200), world.sweep())], ['sweep', (world) => world.sweep()])),
  often(
    1,
    fc.tuple(version, fc.boolean()).map(([number, redriven]): Event => [
      `the run of ${number} is ${redriven ? 'redriven' : 'stopped'}`,
      async (world) => {
        if (!redriven) return world.ended.add(`arn:execution:run-${number}`);
        world.ended.delete(`arn:execution:run-${number}`);
        return ask(world, number, world.round.get(number) ?? 0);
      },
    ]),
  ),
  often(
    7,
    fc.tuple(version, anybody, fc.nat(3)).map(([number, actor, kind]): Event => [
      `${kind === 0 ? 'roll back to' : 'promote'} ${number}`,
      (world) => world.registry.promote('Bikes', number, { actor, reason: 'x', ...(kind === 0 ? { rollback: true } : {}) }),
    ]),
  ),
);

const REFUSALS = new Set<string>([...Object.values(REGISTRY_ERRORS), ...Object.values(APPROVAL_ERRORS), ...Object.values(PIPELINE_ERRORS)]);

const nameOf = (arn: string): string => arn.split('/').at(-1) as string;

/** Whether what the history tells of a version up to its promotion is what the policy asks for; worked out from the entries alone. */
const approved = (told: readonly HistoryEntry[], policy: World['policy'], starter: string | undefined): boolean => {
  const last = told.map(({ action }) => action === 'ApprovalRequested' || action === 'Registered').lastIndexOf(true);
  const by = told.slice(last).filter(({ action }) => action === 'Approved' || action === 'Endorsed').map(({ actor }) => actor);
  if (policy === 'automatic') return by.length > 0;
  const people = new Set(by.filter((actor) => actor.startsWith('arn:')).map(nameOf));
  if (people.size < by.length) return false;
  if (policy === 'manual') return people.size > 0;
  if (starter && people.has(nameOf(starter))) return false;
  return people.size + (starter ? 1 : 0) >= 2;
};

const BEGIN: Event = [
  'register',
  async (world) => {
    world.round.set(await world.register(world.policy, 'run-1'), 0);
    await ask(world, 1, 0);
  },
];

test('no sequence of events promotes a version that lacks a passed gate or the approvals of its policy', async () => {
  let promotions = 0;
  const story = fc.record({
    policy: fc.constantFrom('automatic' as const, 'manual' as const, 'two-person' as const),
    starter: fc.constantFrom(undefined, person('ana')),
    events: fc.array(event, { minLength: 15, maxLength: 45 }),
  });
  await fc.assert(
    fc.asyncProperty(story, async ({ policy, starter, events }) => {
      const told = { round: new Map<number, number>(), failed: new Set<number>(), registered: 1, starter, policy };
      const world: World = Object.assign(new Bench(), told);
      for (const [, happen] of [BEGIN, ...events]) {
        const failedBefore = new Set(world.failed);
        const before = (await world.registry.findModel('Bikes'))?.aliases.champion;
        await happen(world).catch((error: Error) => {
          if (!REFUSALS.has(error.name)) throw error;
        });
        const champion = (await world.registry.findModel('Bikes'))?.aliases.champion;
        if (champion === undefined || champion === before) continue;
        promotions += 1;
        const entries = (await world.registry.history('Bikes')).filter((entry) => entry.version === champion);
        const served = entries.slice(0, -1).some(({ toState }) => toState === 'Production');
        const { gate } = await world.registry.getVersion('Bikes', champion);
        expect(gate?.passed).toBe(true);
        if (!served) expect([failedBefore.has(champion), approved(entries, policy, starter)]).toEqual([false, true]);
      }
      expect((await world.registry.findModel('Bikes')) && (await world.registry.verifyHistory('Bikes')).intact).not.toBe(false);
    }),
    { numRuns: 100 },
  );
  // The property would hold of a registry that promotes nothing.
  expect(promotions).toBeGreaterThan(20);
});
