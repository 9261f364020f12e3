import type { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import { Replay } from '../../lambda/registry/replay';
import { versionIn } from '../../lambda/serving/endpoint-config';
import { EndpointClient } from '../../lambda/serving/endpoint.client';
import { Release } from '../../lambda/serving/release';
import { RollbackAlarms } from '../../lambda/serving/rollback-alarms.client';
import type { ReleaseRequest, ServingSpec } from '../../lib/serving/contract';
import { MemoryAlarms } from './memory-alarms';
import { MemoryDynamo } from './memory-dynamo';
import { MemorySageMaker } from './memory-sagemaker';
import { register, registryOver, versionRecord } from './registry';

process.env.MLOPS_REPORTS_BUCKET = 'reports';

export const NAME = 'mlops-demand';
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

/** An endpoint on instances and the registry of its model, with releases over both. */
export class World {
  readonly sagemaker = new MemorySageMaker();
  readonly alarms = new MemoryAlarms();
  readonly registry: ModelRegistryClient = registryOver(new MemoryDynamo().client());
  /** Versions whose answers are wrong once they serve. */
  readonly wrong = new Set<number>();
  /** Runs that have ended without a promotion. */
  readonly ended = new Set<string>();
  /** Redrives of the run of a version. */
  readonly redrives = new Map<number, number>();
  readonly evidence = new Map<string, unknown>();

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
    owners: { endOf: async ({ runId = '' }) => (this.ended.has(runId) ? `run ${runId} ended (FAILED)` : undefined) },
    files: { putJson: async (uri, value) => (this.evidence.set(uri, value), { uri, bytes: 1, etag: 'e' }) },
    smoke: {
      problem: async (_, version) => (this.wrong.has(version) ? 'wrong' : undefined),
      problemOf: async () => undefined,
      requests: async () => [],
    },
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

/** What a run of the version sends. */
export const request = (version: number, expectedChampion: number | null, change: Partial<ReleaseRequest>): ReleaseRequest => ({
  action: 'start',
  version,
  runId: `run-${version}`,
  sagemakerModelName: `model-${version}`,
  endpointConfigName: `${NAME}-v${version}-0a1b2c3d`,
  expectedChampion,
  prepared: PREPARED,
  redriveCount: 0,
  ...change,
});
