import fc from 'fast-check';
import type { ModelRegistryClient } from '../../../lambda/registry/model-registry.client';
import { Replay } from '../../../lambda/registry/replay';
import { versionIn } from '../../../lambda/serving/endpoint-config';
import { EndpointClient } from '../../../lambda/serving/endpoint.client';
import { Release } from '../../../lambda/serving/release';
import { RollbackAlarms } from '../../../lambda/serving/rollback-alarms.client';
import type { ReleaseRequest, ReleaseStatus, ServingSpec } from '../../../lib/serving/contract';
import { MemoryAlarms } from '../../fakes/memory-alarms';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { MemorySageMaker } from '../../fakes/memory-sagemaker';
import { register, registryOver, versionRecord } from '../../fakes/registry';

const NAME = 'mlops-demand';
const SPEC: ServingSpec = {
  model: 'Demand',
  endpointName: NAME,
  kind: 'REAL_TIME',
  instanceType: 'ml.m5.large',
  initialInstanceCount: 1,
  captureSamplingPercentage: 100,
  captureUri: 's3://p/capture',
  deployment: { strategy: 'CANARY', stepPercentage: 10, waitSeconds: 60, bakeSeconds: 60, maximumErrorShare: 0.05, watchSeconds: 0, smokeRows: 1 },
};
const uri = (name: string) => `s3://b/${name}`;
const SCORES = { holdoutFeaturesUri: uri('h'), candidateScoresUri: uri('s/c'), championScoresUri: uri('s/p') };
const PREPARED = { jobNameBase: 'mlops-demand-0a0', round: 0, ...SCORES };

class World {
  readonly sagemaker = new MemorySageMaker();
  readonly alarms = new MemoryAlarms();
  readonly registry: ModelRegistryClient = registryOver(new MemoryDynamo().client());
  /** Versions whose answers are wrong once they serve. */
  readonly wrong = new Set<number>();

  constructor() {
    // A tripped alarm takes the deployment back at SageMaker's next look.
    this.alarms.onState = (_, state) => {
      if (state === 'ALARM' && this.sagemaker.endpoints.get(NAME)?.status === 'Updating') this.sagemaker.takeBack(NAME, 'alarm');
    };
  }

  readonly release = new Release(SPEC, {
    endpoints: new EndpointClient(this.sagemaker.client()),
    registry: this.registry,
    alarms: new RollbackAlarms(this.alarms.client()),
    smoke: { problem: async (_, version) => (this.wrong.has(version) ? 'wrong' : undefined) },
  });

  get live(): number | undefined {
    const endpoint = this.sagemaker.endpoints.get(NAME);
    return endpoint && versionIn(endpoint.config, NAME);
  }

  settle(): void {
    if (this.sagemaker.endpoints.get(NAME)?.status === 'Updating') this.sagemaker.settle(NAME);
  }

  async approve(version: number): Promise<void> {
    await register(this.registry, 'Demand', versionRecord(`run-${version}`));
    await this.registry.transition('Demand', version, 'Approved', { actor: 'policy:automatic', reason: 'passed' });
  }

  /** What never holds for a moment: another champion than the version in Production, two of them, or a history that tells otherwise. */
  async assertWhole(): Promise<void> {
    const { items } = await this.registry.listVersions('Demand');
    const champion = (await this.registry.champion('Demand'))?.version;
    expect(items.filter(({ state }) => state === 'Production').map(({ version }) => version)).toEqual([champion]);
    const replay = new Replay();
    for (const entry of await this.registry.history('Demand')) expect(replay.take(entry)).toBeUndefined();
    expect(replay.aliases.get('champion')).toBe(champion);
  }
}

type Steps = AsyncGenerator<void, string>;

const ENDS = new Set(['ReleaseFailed', 'RegistryConflict', 'IllegalTransition']);

/** One step; what a state machine retries is a step without an effect, what it does not ends the run. */
const tried = async <T>(work: () => Promise<T>): Promise<T | 'again' | { readonly ended: string }> => {
  try {
    return await work();
  } catch (error) {
    const { name } = error as Error;
    if (name === 'ServiceUnavailable' || /in-progress/.test((error as Error).message)) return 'again';
    if (ENDS.has(name)) return { ended: name };
    throw error;
  }
};

const request = (version: number, expectedChampion: number | null, change: Partial<ReleaseRequest>): ReleaseRequest => ({
  action: 'start',
  version,
  sagemakerModelName: `model-${version}`,
  endpointConfigName: `${NAME}-v${version}-0a1b2c3d`,
  expectedChampion,
  prepared: PREPARED,
  redriveCount: 0,
  ...change,
});

type Releasing = AsyncGenerator<void, string | undefined>;

async function* released(world: World, version: number, expected: number | null, more: Partial<ReleaseRequest>): Releasing {
  let status: ReleaseStatus | undefined;
  for (let tries = 0; tries < 60; tries += 1) {
    const last = status;
    const watched = last && { action: 'check' as const, startedAtRedrive: 0, previousEndpointConfigName: last.previousEndpointConfigName };
    const answer = await tried(() => world.release.handle(request(version, expected, { ...more, ...watched })));
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
    yield;
    return typeof promoted === 'object' && 'ended' in promoted ? promoted.ended : 'promoted';
  }
  return 'RegistryConflict';
}

async function* rollback(world: World, version: number): Steps {
  await world.registry.promote('Demand', version, { actor: 'arn:ana', reason: 'rollback', rollback: true });
  yield;
  return (yield* released(world, version, version, { rollback: true, prepared: undefined })) ?? 'rolled-back';
}

/** Versions 1 and 2 have served, 2 serves; then two runs and a rollback meet in any order, the endpoint ending its updates in between. */
test('the pointer is whole at every moment, and in the end the endpoint runs what it names', async () => {
  const who = fc.constantFrom('a', 'b', 'rollback', 'endpoint', 'endpoint');
  await fc.assert(
    fc.asyncProperty(fc.array(who, { maxLength: 40 }), fc.subarray([3, 4]), async (order, wrong) => {
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
      for (const version of [3, 4]) await world.approve(version);
      wrong.forEach((version) => world.wrong.add(version));
      const runs: Record<string, Steps> = { a: training(world, 3), b: training(world, 4), rollback: rollback(world, 1) };
      const ends: Record<string, string> = {};
      const step = async (name: string): Promise<void> => {
        if (name === 'endpoint') return world.settle();
        if (ends[name] !== undefined) return undefined;
        const { done, value } = await runs[name].next();
        if (done) ends[name] = value as string;
        return world.assertWhole();
      };
      for (const name of order) await step(name);
      for (let round = 0; round < 200 && Object.keys(ends).length < 3; round += 1) {
        for (const name of ['rollback', 'endpoint', 'a', 'b']) await step(name);
      }
      world.settle();
      expect({ ...ends, live: world.live }).toEqual({ ...ends, live: (await world.registry.champion('Demand'))?.version });
      expect(Object.keys(ends)).toHaveLength(3);
    }),
    { numRuns: Number(process.env.POINTER_RUNS ?? 20) },
  );
}, 120_000);
