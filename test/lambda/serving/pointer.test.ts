import fc from 'fast-check';
import type { ReleaseRequest, ReleaseStatus } from '../../../lib/serving/contract';
import { NAME, request, World } from '../../fakes/release-world';

type Steps = AsyncGenerator<void, string>;

const ENDS = new Set(['ReleaseFailed', 'RegistryConflict', 'IllegalTransition']);

/** One step; what a state machine retries is a step without an effect, what it does not ends the run. */
const tried = async <T>(work: () => Promise<T>): Promise<T | 'again' | { readonly ended: string }> => {
  try {
    return await work();
  } catch (error) {
    const { name } = error as Error;
    if (name === 'ServiceUnavailable') return 'again';
    if (ENDS.has(name)) return { ended: name };
    throw error;
  }
};

type Releasing = AsyncGenerator<void, string | undefined>;

async function* released(world: World, version: number, expected: number | null, more: Partial<ReleaseRequest>): Releasing {
  let status: ReleaseStatus | undefined;
  for (let tries = 0; tries < 60; tries += 1) {
    const last = status;
    const { startedAtRedrive, previousEndpointConfigName } = last ?? {};
    const watched = last && { action: 'check' as const, startedAtRedrive, previousEndpointConfigName };
    const redriveCount = world.redrives.get(version) ?? 0;
    const answer = await tried(() => world.release.handle(request(version, expected, { ...more, ...watched, redriveCount })));
    yield;
    if (answer === 'again') continue;
    if ('ended' in answer) return answer.ended;
    if (answer.championMoved) return 'moved';
    if (answer.done) return undefined;
    status = answer;
  }
  return 'ServiceUnavailable';
}

/** A training run from its approval on; another champion sends it back, and what it then meets is its new rival. */
async function* training(world: World, version: number): Steps {
  for (let round = 0; round <= 5; round += 1) {
    const expected = (await world.registry.champion('Demand'))?.version ?? null;
    yield;
    const end = yield* released(world, version, expected, {});
    if (end === 'moved') continue;
    if (end !== undefined) return end;
    const promotion = { actor: 'pipeline', reason: 'released', expectedChampion: expected };
    const promoted = await tried(() => world.registry.promote('Demand', version, promotion));
    if ('ended' in (promoted as object)) return (promoted as { ended: string }).ended;
    expect(world.live).toBe(version);
    yield;
    return 'promoted';
  }
  return 'RegistryConflict';
}

async function* rollback(world: World, version: number): Steps {
  await world.registry.promote('Demand', version, { actor: 'arn:ana', reason: 'rollback', rollback: true });
  yield;
  return (yield* released(world, version, version, { rollback: true, prepared: undefined })) ?? 'rolled-back';
}

/** Versions 1 and 2 have served, 2 serves; further ones are approved. */
const served = async (wrong: readonly number[], ...approved: number[]): Promise<World> => {
  const world = new World();
  for (const version of [1, 2]) {
    await world.approve(version);
    const steps = training(world, version);
    while (!(await steps.next()).done) {
      if (world.sagemaker.endpoints.get(NAME)?.status === 'Creating') world.sagemaker.settle(NAME);
      world.settle();
    }
  }
  expect(world.live).toBe(2);
  for (const version of approved) await world.approve(version);
  wrong.forEach((version) => world.wrong.add(version));
  return world;
};

/** Steps of several runs in an order of somebody else's. */
class Race {
  readonly ends: Record<string, string> = {};

  constructor(
    private readonly world: World,
    private readonly runs: Record<string, Steps>,
  ) {}

  async step(name: string): Promise<void> {
    if (name === 'endpoint') return this.world.settle();
    if (this.ends[name] !== undefined || this.world.ended.has(name)) return undefined;
    const { done, value } = await this.runs[name].next();
    if (done) this.ends[name] = value as string;
    return this.world.assertWhole();
  }

  /** Until all that run have ended. */
  async finish(...names: string[]): Promise<void> {
    const open = (): boolean => names.some((name) => this.ends[name] === undefined && !this.world.ended.has(name));
    for (let round = 0; round < 200 && open(); round += 1) for (const name of ['endpoint', ...names]) await this.step(name);
    this.world.settle();
    expect(open()).toBe(false);
  }
}

const champion = async (world: World): Promise<number | undefined> => (await world.registry.champion('Demand'))?.version;
const runs = { numRuns: Number(process.env.POINTER_RUNS ?? 20) };

test('two runs and a rollback meet in any order: the pointer is whole at every moment, and the endpoint ends at what it names', async () => {
  const who = fc.constantFrom('run-3', 'run-4', 'rollback', 'endpoint', 'endpoint');
  await fc.assert(
    fc.asyncProperty(fc.array(who, { maxLength: 40 }), fc.subarray([3, 4]), async (order, wrong) => {
      const world = await served(wrong, 3, 4);
      const race = new Race(world, { 'run-3': training(world, 3), 'run-4': training(world, 4), rollback: rollback(world, 1) });
      for (const name of order) await race.step(name);
      await race.finish('rollback', 'run-3', 'run-4');
      expect({ ...race.ends, live: world.live }).toEqual({ ...race.ends, live: await champion(world) });
    }),
    runs,
  );
}, 120_000);

test('runs that die at any moment hold nobody up, and their redrives tear nothing', async () => {
  const dying = fc.constantFrom('kill run-3', 'kill run-4', 'redrive run-3', 'redrive run-4');
  const going = fc.constantFrom('run-3', 'run-4', 'rollback', 'endpoint', 'endpoint');
  const steps = fc.integer({ min: 1, max: 5 });
  const doing = fc.oneof({ arbitrary: going, weight: 4 }, { arbitrary: dying, weight: 1 });
  await fc.assert(
    fc.asyncProperty(steps, steps, fc.array(doing, { maxLength: 30 }), fc.subarray([3, 4]), async (before, meanwhile, order, wrong) => {
      const world = await served(wrong, 3, 4, 5);
      const race = new Race(world, {
        ...{ 'run-3': training(world, 3), 'run-4': training(world, 4), 'run-5': training(world, 5) },
        rollback: rollback(world, 1),
      });
      const redrive = (version: number): void => {
        if (!world.ended.delete(`run-${version}`)) return;
        world.redrives.set(version, (world.redrives.get(version) ?? 0) + 1);
      };
      const alone = (run: string, count: number): string[] => Array.from({ length: count }, () => [run, 'endpoint']).flat();
      const begin = [...alone('run-3', before), 'kill run-3', ...alone('run-4', meanwhile), 'redrive run-3', 'run-3'];
      for (const what of [...begin, ...order]) {
        const [verb, run] = what.split(' ');
        if (verb === 'kill' && race.ends[run] === undefined) world.ended.add(run);
        else if (verb === 'redrive') redrive(Number(run.slice(4)));
        else if (run === undefined) await race.step(verb);
      }
      await race.finish('rollback', 'run-3', 'run-4');
      await race.finish('run-5');
      expect(race.ends).toMatchObject({ 'run-5': 'promoted' });
      expect([world.live, await champion(world)]).toEqual([5, 5]);
      [3, 4].forEach(redrive);
      await race.finish('run-3', 'run-4');
      expect({ ...race.ends, live: world.live }).toEqual({ ...race.ends, live: await champion(world) });
      expect(Object.values(race.ends)).not.toContain('ServiceUnavailable');
    }),
    runs,
  );
}, 120_000);
