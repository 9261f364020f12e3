import { endpointConfigInput } from '../../../lambda/serving/endpoint-config';
import { EndpointClient } from '../../../lambda/serving/endpoint.client';
import { Release } from '../../../lambda/serving/release';
import { removeEndpoint } from '../../../lambda/serving/removal';
import { RollbackAlarms } from '../../../lambda/serving/rollback-alarms.client';
import type { ModelVersion } from '../../../lib/registry/contract';
import type { ReleaseRequest, ReleaseStatus, ServingSpec } from '../../../lib/serving/contract';
import { MemoryAlarms } from '../../fakes/memory-alarms';
import { MemorySageMaker } from '../../fakes/memory-sagemaker';

process.env.MLOPS_REPORTS_BUCKET = 'reports';

const NAME = 'mlops-demand';
const SERVERLESS: ServingSpec = {
  model: 'Demand',
  endpointName: NAME,
  kind: 'SERVERLESS',
  memorySizeInMb: 2048,
  maxConcurrency: 5,
  captureSamplingPercentage: 100,
  captureUri: 's3://p/capture',
  kmsKeyArn: 'arn:key',
  deployment: { strategy: 'ALL_AT_ONCE', bakeSeconds: 0, maximumErrorShare: 0.05, watchSeconds: 0, smokeRows: 10 },
};
const REAL_TIME: ServingSpec = {
  ...SERVERLESS,
  kind: 'REAL_TIME',
  memorySizeInMb: undefined,
  maxConcurrency: undefined,
  instanceType: 'ml.m5.large',
  initialInstanceCount: 1,
  deployment: {
    ...{ strategy: 'CANARY', stepPercentage: 10, waitSeconds: 300, bakeSeconds: 120 },
    ...{ maximumErrorShare: 0.05, maximumLatencyMicroseconds: 250_000, watchSeconds: 3600, smokeRows: 10 },
  },
};
const PREPARED = {
  jobNameBase: 'mlops-demand-0123456789a0',
  round: 0,
  holdoutFeaturesUri: 's3://d/runs/Demand/r/holdout-features/holdout-features.csv',
  candidateScoresUri: 's3://a/runs/Demand/r/scores/candidate',
  championScoresUri: 's3://a/runs/Demand/r/scores/champion',
};

const world = (spec = SERVERLESS) => {
  const sagemaker = new MemorySageMaker();
  const alarms = new MemoryAlarms();
  const registry: { serving?: number; archived?: number } = {};
  const states = new Map<number, ModelVersion['state']>();
  const stateOf = (version: number) => (version === registry.archived ? 'Archived' : (states.get(version) ?? 'Approved'));
  const tags: Record<string, string> = {};
  const changes: { version: number; to: string; reason: string; evidenceUri?: string }[] = [];
  const found = (version: number) => ({ version, runId: `run-${version}`, state: stateOf(version), tags }) as unknown as ModelVersion;
  const ended = new Map<string, string>();
  const evidence = new Map<string, unknown>();
  const champion = async () => (registry.serving === undefined ? undefined : found(registry.serving));
  const smoke: { problem?: string; ofRequests?: string; unreadable?: boolean; asked: unknown[] } = { asked: [] };
  const release = new Release(spec, {
    endpoints: new EndpointClient(sagemaker.client()),
    registry: {
      champion,
      getVersion: async (_, version) => found(version),
      setVersionTag: async (_, version, key, value, { reason, evidenceUri }) => {
        tags[key] = value;
        changes.push({ version, to: value, reason, evidenceUri });
      },
      transition: async (_, version, to, { expectedState, reason, evidenceUri }) => {
        if (stateOf(version) !== expectedState) throw Object.assign(new Error('it changed'), { name: 'IllegalTransition' });
        states.set(version, to);
        changes.push({ version, to, reason, evidenceUri });
        return found(version);
      },
    },
    owners: { endOf: async ({ runId = '' }) => ended.get(runId) },
    files: { putJson: async (uri, value) => (evidence.set(uri, value), { uri, bytes: 1, etag: 'e' }) },
    alarms: new RollbackAlarms(alarms.client()),
    smoke: {
      problem: async (...asked) => {
        smoke.asked.push(asked);
        return smoke.problem;
      },
      requests: async (uri) => {
        if (smoke.unreadable) throw new Error(`${uri} cannot be read`);
        return [{ name: 'noon', body: '1,2', contentType: 'text/csv', expected: '3' }];
      },
      problemOf: async (_, __, requests) => (requests.length > 0 ? smoke.ofRequests : undefined),
    },
  });
  const request = (version: number, change: Partial<ReleaseRequest> = {}): ReleaseRequest => ({
    action: 'start',
    version,
    runId: `run-${version}`,
    sagemakerModelName: `${NAME}-model-${version}`,
    endpointConfigName: `${NAME}-v${version}-abc`,
    expectedChampion: registry.serving ?? null,
    prepared: PREPARED,
    redriveCount: 0,
    ...change,
  });
  const start = (version: number, change?: Partial<ReleaseRequest>): Promise<ReleaseStatus> => release.handle(request(version, change));
  const check = (version: number, { startedAtRedrive, previousEndpointConfigName }: ReleaseStatus, change?: Partial<ReleaseRequest>) =>
    release.handle(request(version, { action: 'check', startedAtRedrive, previousEndpointConfigName, ...change }));
  const released = async (version: number): Promise<ReleaseStatus> => {
    const status = await start(version);
    sagemaker.settle(NAME);
    const done = await check(version, status, { expectedChampion: status.championMoved ? null : (registry.serving ?? null) });
    if (registry.serving !== undefined) states.set(registry.serving, 'Archived');
    registry.serving = version;
    states.set(version, 'Production');
    return done;
  };
  return { sagemaker, alarms, registry, states, tags, changes, ended, evidence, smoke, start, check, released };
};

test('the first release makes the endpoint, and is done when it runs the wanted configuration', async () => {
  const { sagemaker, start, check } = world();
  const status = await start(1);
  expect(status).toMatchObject({ done: false, endpointStatus: 'Creating', previousEndpointConfigName: '' });
  expect((await check(1, status)).done).toBe(false);
  sagemaker.settle(NAME);
  expect(await check(1, status)).toMatchObject({ done: true, endpointStatus: 'InService', endpointConfigName: `${NAME}-v1-abc` });
});

test('the next one updates it and keeps the previous configuration, no older one', async () => {
  const { sagemaker, released } = world();
  for (const version of [1, 2, 3]) expect((await released(version)).done).toBe(true);
  expect([...sagemaker.configs.keys()]).toEqual([`${NAME}-v2-abc`, `${NAME}-v3-abc`]);
});

test('the configuration in use goes only after the switch', async () => {
  const { sagemaker, released, start, check } = world();
  await released(1);
  await released(2);
  const status = await start(3);
  await check(3, status);
  expect([...sagemaker.configs.keys()]).toHaveLength(3);
});

test('a configuration of a failed release is not what is kept for a rollback', async () => {
  const { sagemaker, released, start, check } = world();
  await released(1);
  const status = await start(2);
  Object.assign(sagemaker.endpoints.get(NAME)!, { status: 'InService', pending: undefined, reason: 'ping failed' });
  await expect(check(2, status)).rejects.toThrow();
  await released(3);
  expect([...sagemaker.configs.keys()]).toEqual([`${NAME}-v1-abc`, `${NAME}-v3-abc`]);
});

test('both actions may be repeated', async () => {
  const { sagemaker, start, check, released } = world();
  await start(1);
  const again = await start(1);
  sagemaker.settle(NAME);
  await check(1, again);
  expect((await check(1, again)).done).toBe(true);
  await released(1);
  expect(sagemaker.calls.filter((call) => call === 'CreateEndpoint')).toHaveLength(1);
  expect(sagemaker.calls).not.toContain('UpdateEndpoint');
});

describe('a release has failed, with the reason of SageMaker, where', () => {
  test.each([
    [
      'the update was rolled back',
      { status: 'InService', reason: 'model did not answer its ping' },
      /was rolled back to mlops-demand-v1-abc instead of running mlops-demand-v2-abc: model did not answer its ping/,
    ],
    ['the rollback failed', { status: 'UpdateRollbackFailed', reason: 'no capacity' }, /ended as UpdateRollbackFailed: no capacity/],
    ['the endpoint failed', { status: 'Failed', reason: 'bad image' }, /ended as Failed: bad image/],
  ])('%s', async (_, outcome, message) => {
    const { sagemaker, released, start, check } = world();
    await released(1);
    const status = await start(2);
    sagemaker.endpoints.set(NAME, { config: `${NAME}-v1-abc`, ...outcome });
    await expect(check(2, status)).rejects.toMatchObject({ name: 'ReleaseFailed', message: expect.stringMatching(message) });
  });

  test('the endpoint is gone', async () => {
    const { sagemaker, start, check } = world();
    const status = await start(1);
    sagemaker.endpoints.delete(NAME);
    await expect(check(1, status)).rejects.toMatchObject({ name: 'ReleaseFailed', message: expect.stringMatching(/is gone/) });
  });

  test('what runs under the wanted name is another model', async () => {
    const { sagemaker, start, check } = world();
    const status = await start(1);
    sagemaker.settle(NAME);
    sagemaker.configs.get(`${NAME}-v1-abc`)!.ProductionVariants![0].ModelName = 'another';
    await expect(check(1, status)).rejects.toThrow(/its model is another instead of mlops-demand-model-1/);
  });

  test('the name of the configuration is taken by another size', async () => {
    const { sagemaker, start } = world();
    sagemaker.configs.set(
      `${NAME}-v1-abc`,
      endpointConfigInput({ ...SERVERLESS, memorySizeInMb: 1024 }, { endpointConfigName: `${NAME}-v1-abc`, sagemakerModelName: `${NAME}-model-1` }),
    );
    await expect(start(1)).rejects.toMatchObject({ name: 'ReleaseFailed', message: expect.stringMatching(/memory is 1024 instead of 2048/) });
  });
});

describe('a redrive', () => {
  test('starts a rolled back release anew instead of looking at its remains', async () => {
    const { sagemaker, released, start, check } = world();
    await released(1);
    const status = await start(2);
    sagemaker.endpoints.set(NAME, { config: `${NAME}-v1-abc`, status: 'InService' });
    await expect(check(2, status)).rejects.toThrow();
    const restarted = await check(2, status, { redriveCount: 1 });
    expect(restarted).toMatchObject({ done: false, startedAtRedrive: 1 });
    sagemaker.settle(NAME);
    expect((await check(2, restarted, { redriveCount: 1 })).done).toBe(true);
  });

  test('deletes an endpoint that failed at its creation and asks for another try', async () => {
    const { sagemaker, start, check } = world();
    const status = await start(1);
    sagemaker.endpoints.set(NAME, { config: `${NAME}-v1-abc`, status: 'Failed', reason: 'bad image' });
    await expect(check(1, status, { redriveCount: 1 })).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    await expect(check(1, status, { redriveCount: 1 })).rejects.toMatchObject({ name: 'ServiceUnavailable' });
    sagemaker.endpoints.delete(NAME);
    expect(await check(1, status, { redriveCount: 1 })).toMatchObject({ endpointStatus: 'Creating' });
  });
});

describe('a release of a version that was judged against another champion than the one that serves now', () => {
  test('leaves the endpoint as it is, also when it is redriven', async () => {
    const { sagemaker, registry, released, start, check } = world();
    await released(1);
    Object.assign(registry, { serving: 2, archived: 1 });
    const conflict = { name: 'RegistryConflict', message: expect.stringMatching(/judged against version 1, but version 2 serves now/) };
    expect(await start(3, { expectedChampion: 1 })).toMatchObject({ done: false, championMoved: true });
    const { startedAtRedrive, previousEndpointConfigName } = await start(3);
    const before = { done: false, championMoved: false, endpointStatus: '', endpointName: NAME, endpointConfigName: '' };
    const watched = { ...before, startedAtRedrive, previousEndpointConfigName };
    await expect(check(3, watched, { expectedChampion: 1, redriveCount: 1 })).rejects.toMatchObject(conflict);
    expect(sagemaker.calls.filter((call) => call === 'UpdateEndpoint')).toHaveLength(1);
  });

  test('goes on where the one that serves is the version itself', async () => {
    const { registry, released, start } = world();
    await released(1);
    Object.assign(registry, { serving: 1 });
    expect((await start(1, { expectedChampion: null })).endpointConfigName).toBe(`${NAME}-v1-abc`);
  });
});

test('another change of the endpoint has to end first', async () => {
  const { sagemaker, released, start } = world();
  await released(1);
  sagemaker.endpoints.set(NAME, { config: `${NAME}-v1-abc`, status: 'Updating', pending: 'by-hand' });
  await expect(start(2)).rejects.toMatchObject({ name: 'ServiceUnavailable' });
});

describe('a deployment to instances', () => {
  const CONFIG = `${NAME}-v2-abc`;
  const deployed = async () => {
    const all = world(REAL_TIME);
    await all.released(1);
    return { ...all, status: await all.start(2) };
  };

  test('shifts traffic as the spec says, with alarms on the new configuration’s own dimension', async () => {
    const { sagemaker, alarms } = await deployed();
    expect(sagemaker.updates).toEqual([
      {
        EndpointName: NAME,
        EndpointConfigName: CONFIG,
        RetainAllVariantProperties: true,
        DeploymentConfig: {
          BlueGreenUpdatePolicy: {
            TrafficRoutingConfiguration: { Type: 'CANARY', CanarySize: { Type: 'CAPACITY_PERCENT', Value: 10 }, WaitIntervalInSeconds: 300 },
            TerminationWaitInSeconds: 120,
            MaximumExecutionTimeoutInSeconds: 2220,
          },
          AutoRollbackConfiguration: { Alarms: [{ AlarmName: `${CONFIG}-errors` }, { AlarmName: `${CONFIG}-latency` }] },
        },
      },
    ]);
    const Dimensions = [
      { Name: 'EndpointName', Value: NAME },
      { Name: 'VariantName', Value: 'primary' },
      { Name: 'EndpointConfigName', Value: CONFIG },
    ];
    const bad = { Namespace: 'AWS/SageMaker', Dimensions, Period: 60, EvaluationPeriods: 1, TreatMissingData: 'notBreaching' };
    expect(alarms.alarms.get(`${CONFIG}-errors`)).toMatchObject({ ...bad, MetricName: 'Invocation5XXErrors', Statistic: 'Average', Threshold: 0.05 });
    const slow = { ...bad, MetricName: 'ModelLatency', ExtendedStatistic: 'p90', Threshold: 250_000 };
    expect(alarms.alarms.get(`${CONFIG}-latency`)).toMatchObject(slow);
  });

  test.each([
    [{ strategy: 'LINEAR' as const, stepPercentage: 20 }, { BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: { Type: 'LINEAR' } } }],
    [
      { strategy: 'ALL_AT_ONCE' as const },
      { BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 } } },
    ],
    [
      { strategy: 'ROLLING' as const, stepPercentage: 25 },
      { RollingUpdatePolicy: { MaximumBatchSize: { Type: 'CAPACITY_PERCENT', Value: 25 }, WaitIntervalInSeconds: 300 } },
    ],
  ])('%j', async (deployment, expected) => {
    const { sagemaker, released, start } = world({ ...REAL_TIME, deployment: { ...REAL_TIME.deployment, ...deployment } });
    await released(1);
    await start(2);
    expect(sagemaker.updates[0].DeploymentConfig).toMatchObject(expected);
    expect(Object.keys(sagemaker.updates[0].DeploymentConfig!).filter((key) => key.endsWith('UpdatePolicy'))).toHaveLength(1);
  });

  test('an alarm that is left from a deployment before does not condemn the next one', async () => {
    const { sagemaker, alarms, start } = await deployed();
    sagemaker.takeBack(NAME, 'alarm');
    alarms.state(`${CONFIG}-errors`, 'ALARM');
    await start(2);
    expect(alarms.alarms.get(`${CONFIG}-errors`)?.StateValue).toBe('OK');
  });

  test('after it the live configuration alone is watched, by two of three minutes', async () => {
    const { sagemaker, alarms, status, check } = await deployed();
    sagemaker.settle(NAME);
    await check(2, status);
    expect([...alarms.alarms.keys()]).toEqual([`${CONFIG}-errors`, `${CONFIG}-latency`]);
    expect(alarms.alarms.get(`${CONFIG}-errors`)).toMatchObject({ EvaluationPeriods: 3, DatapointsToAlarm: 2 });
  });

  test('that an alarm took back is a failed release', async () => {
    const { sagemaker, status, check } = await deployed();
    sagemaker.takeBack(NAME, 'One or more configured alarms are in ALARM');
    await expect(check(2, status)).rejects.toMatchObject({
      name: 'ReleaseFailed',
      wanted: CONFIG,
      found: `${NAME}-v1-abc`,
      message: expect.stringMatching(/rolled back to mlops-demand-v1-abc .*configured alarms are in ALARM/),
    });
  });
});

test('serverless endpoints get no deployment and no alarms', async () => {
  const { sagemaker, alarms, released } = world();
  await released(1);
  await released(2);
  expect(sagemaker.updates[0].DeploymentConfig).toBeUndefined();
  expect(alarms.alarms.size).toBe(0);
});

test('a serverless endpoint that is watched has alarms of its only dimension', async () => {
  const { alarms, released } = world({ ...SERVERLESS, deployment: { ...SERVERLESS.deployment, watchSeconds: 600 } });
  await released(1);
  await released(2);
  expect([...alarms.alarms.values()].map(({ AlarmName, Dimensions }) => [AlarmName, Dimensions!.length])).toEqual([[`${NAME}-v2-abc-errors`, 2]]);
});

describe('requests with known answers', () => {
  const failing = async () => {
    const all = world();
    await all.released(1);
    const status = await all.start(2);
    all.sagemaker.settle(NAME);
    all.smoke.problem = 'holdout row 3: expected 12.5, got 99';
    return { ...all, status };
  };

  test('are the first rows of the run, asked of the endpoint that is live', async () => {
    const { smoke, released } = world();
    await released(1);
    const { holdoutFeaturesUri, candidateScoresUri } = PREPARED;
    expect(smoke.asked).toEqual([[NAME, 1, 10, { holdoutFeaturesUri, candidateScoresUri }]]);
  });

  test('that are answered wrongly move the endpoint back at once, and the release fails when it is there', async () => {
    const { sagemaker, status, check } = await failing();
    expect(await check(2, status)).toMatchObject({ done: false, endpointStatus: 'RollingBack' });
    expect(sagemaker.updates.at(-1)).toMatchObject({ EndpointConfigName: `${NAME}-v1-abc` });
    expect(await check(2, status)).toMatchObject({ done: false, endpointStatus: 'Updating' });
    sagemaker.settle(NAME);
    const failure = { name: 'ReleaseFailed', message: expect.stringMatching(/smoke request to version 2 +holdout row 3: expected 12\.5 +got 99/) };
    await expect(check(2, status)).rejects.toMatchObject(failure);
    expect([...sagemaker.configs.keys()]).toContain(`${NAME}-v1-abc`);
  });

  test('of the first version ever leave no endpoint that was not proven', async () => {
    const { sagemaker, smoke, start, check } = world();
    const status = await start(1);
    sagemaker.settle(NAME);
    smoke.problem = 'holdout row 1: expected 1, got 2';
    await check(1, status);
    expect(sagemaker.calls).toContain('DeleteEndpoint');
    expect(await check(1, status)).toMatchObject({ endpointStatus: 'Deleting' });
    sagemaker.endpoints.delete(NAME);
    const message = expect.stringMatching(/expected 1 +got 2; nothing had served/);
    await expect(check(1, status)).rejects.toMatchObject({ name: 'ReleaseFailed', message });
  });

  test('are asked anew after a redrive', async () => {
    const { sagemaker, smoke, status, check } = await failing();
    await check(2, status);
    sagemaker.settle(NAME);
    await expect(check(2, status)).rejects.toThrow();
    smoke.problem = undefined;
    const again = await check(2, status, { redriveCount: 1 });
    sagemaker.settle(NAME);
    expect((await check(2, again, { redriveCount: 1 })).done).toBe(true);
  });
});

describe('requests that the app states', () => {
  const STATED = { ...SERVERLESS, smokeRequestsUri: 's3://assets/smoke.json', deployment: { ...SERVERLESS.deployment, smokeRows: 0 } };

  test('that are answered wrongly fail the release as rows of the holdout do, also where no rows are sent', async () => {
    const { sagemaker, smoke, released, start, check } = world(STATED);
    await released(1);
    expect(smoke.asked).toEqual([]);
    const status = await start(2);
    sagemaker.settle(NAME);
    smoke.ofRequests = 'request noon: expected 3, got 4';
    expect(await check(2, status)).toMatchObject({ endpointStatus: 'RollingBack' });
    sagemaker.settle(NAME);
    const message = expect.stringMatching(/smoke request to version 2 request noon: expected 3 got 4/);
    await expect(check(2, status)).rejects.toMatchObject({ name: 'ReleaseFailed', message });
  });

  test('that cannot be read leave the endpoint as it is', async () => {
    const { sagemaker, smoke, released, start } = world(STATED);
    await released(1);
    smoke.unreadable = true;
    await expect(start(2)).rejects.toThrow('s3://assets/smoke.json cannot be read');
    expect(sagemaker.calls).not.toContain('UpdateEndpoint');
  });
});

describe('another champion than the one that the candidate was judged against', () => {
  test('sends the run back to the holdout with names of its own, and leaves the endpoint as it is', async () => {
    const { sagemaker, registry, start } = world();
    Object.assign(registry, { serving: 2 });
    const { prepared, ...status } = await start(3, { expectedChampion: 1 });
    expect(status).toMatchObject({ done: false, championMoved: true });
    expect(prepared).toMatchObject({
      jobNameBase: 'mlops-demand-0123456789a1',
      round: 1,
      champion: { present: true, version: 2, image: null },
      holdoutFeaturesUri: PREPARED.holdoutFeaturesUri,
      candidateScoresUri: 's3://a/runs/Demand/r/scores/round-1/candidate',
      championScoresUri: 's3://a/runs/Demand/r/scores/round-1/champion',
    });
    const next = await start(3, { expectedChampion: 1, prepared });
    const candidateScoresUri = expect.stringMatching(/scores\/round-2\/candidate$/);
    expect(next.prepared).toMatchObject({ round: 2, jobNameBase: 'mlops-demand-0123456789a2', candidateScoresUri });
    expect(sagemaker.calls).toEqual([]);
  });

  test('ends the run after five rounds', async () => {
    const { registry, start } = world();
    Object.assign(registry, { serving: 2 });
    await expect(start(3, { expectedChampion: 1, prepared: { ...PREPARED, round: 5 } })).rejects.toMatchObject({ name: 'RegistryConflict' });
  });

  test('a version that was rolled back since is not released by its own run, redriven or not', async () => {
    const { registry, sagemaker, released, start } = world();
    await released(1);
    Object.assign(registry, { serving: 1, archived: 2 });
    const message = expect.stringMatching(/only a rollback/);
    await expect(start(2, { expectedChampion: 1 })).rejects.toMatchObject({ name: 'RegistryConflict', message });
    expect(sagemaker.calls).not.toContain('UpdateEndpoint');
  });
});

describe('a rollback', () => {
  const back = { rollback: true, prepared: undefined, sagemakerModelName: `${NAME}-rollback-model` };

  test('updates the endpoint without waiting for anything, and proves nothing that has proven itself', async () => {
    const { sagemaker, registry, smoke, released, start, check } = world(REAL_TIME);
    await released(1);
    await released(2);
    const asked = smoke.asked.length;
    Object.assign(registry, { serving: 1 });
    const status = await start(1, back);
    const traffic = { TrafficRoutingConfiguration: { Type: 'ALL_AT_ONCE', WaitIntervalInSeconds: 0 }, TerminationWaitInSeconds: 0 };
    expect(sagemaker.updates.at(-1)).toMatchObject({ EndpointConfigName: `${NAME}-v1-abc`, DeploymentConfig: { BlueGreenUpdatePolicy: traffic } });
    expect(sagemaker.updates.at(-1)!.DeploymentConfig).not.toHaveProperty('AutoRollbackConfiguration');
    sagemaker.settle(NAME);
    expect((await check(1, status, back)).done).toBe(true);
    expect(smoke.asked).toHaveLength(asked);
    expect(sagemaker.configs.get(`${NAME}-v1-abc`)!.ProductionVariants![0].ModelName).toBe(`${NAME}-rollback-model`);
  });

  test('turns a deployment round that is under way, by its own alarm', async () => {
    const { sagemaker, alarms, registry, released, start, check } = world(REAL_TIME);
    await released(1);
    await start(2);
    alarms.onState = (name, state) => {
      if (name === `${NAME}-v2-abc-errors` && state === 'ALARM') sagemaker.takeBack(NAME, 'alarm');
    };
    Object.assign(registry, { serving: 1 });
    const status = await start(1, back);
    expect(sagemaker.updates).toHaveLength(1);
    expect((await check(1, status, back)).done).toBe(true);
  });

  test('waits where the change under way has no alarm of its own', async () => {
    const { sagemaker, registry, released, start } = world(REAL_TIME);
    await released(1);
    sagemaker.endpoints.set(NAME, { config: `${NAME}-v1-abc`, status: 'Updating', pending: 'by-hand' });
    Object.assign(registry, { serving: 1 });
    await expect(start(1, back)).rejects.toMatchObject({ name: 'ServiceUnavailable' });
  });

  test('does not move the endpoint where another version serves by now', async () => {
    const { sagemaker, registry, released, start } = world(REAL_TIME);
    await released(1);
    Object.assign(registry, { serving: 3 });
    await expect(start(1, back)).rejects.toMatchObject({ name: 'RegistryConflict' });
    expect(sagemaker.updates).toEqual([]);
  });
});

describe('configurations', () => {
  const request = { endpointConfigName: 'c', sagemakerModelName: 'm' };

  test('of instances record, encrypt and say no to metrics that nobody asked for', () => {
    expect(endpointConfigInput(REAL_TIME, request)).toMatchObject({
      DataCaptureConfig: { EnableCapture: true, InitialSamplingPercentage: 100, DestinationS3Uri: 's3://p/capture', KmsKeyId: 'arn:key' },
      KmsKeyId: 'arn:key',
      MetricsConfig: { EnableDetailedObservability: false },
      Tags: [{ Key: 'cdk-mlops:endpoint', Value: NAME }],
    });
  });

  test('of serverless endpoints hold nothing that SageMaker refuses there', () => {
    expect(endpointConfigInput(SERVERLESS, request)).toEqual({
      EndpointConfigName: 'c',
      Tags: [{ Key: 'cdk-mlops:endpoint', Value: NAME }],
      ProductionVariants: [{ VariantName: 'primary', ModelName: 'm', ServerlessConfig: { MemorySizeInMB: 2048, MaxConcurrency: 5 } }],
    });
  });

  test.each([
    ['ml.m5.large', true],
    ['ml.c6i.2xlarge', true],
    ['ml.m5d.large', false],
    ['ml.c6gd.xlarge', false],
    ['ml.r5dn.xlarge', false],
    ['ml.g4dn.xlarge', false],
    ['ml.g5.xlarge', false],
    ['ml.p4d.24xlarge', false],
    ['ml.inf2.xlarge', false],
    ['ml.trn1.2xlarge', false],
  ])('%s takes a volume key: %s', (instanceType, takes) => {
    expect(endpointConfigInput({ ...REAL_TIME, instanceType }, request).KmsKeyId !== undefined).toBe(takes);
  });
});

describe('removal', () => {
  const made = (sagemaker: MemorySageMaker) => ({
    endpoints: new EndpointClient(sagemaker.client()),
    alarms: new RollbackAlarms(new MemoryAlarms().client()),
  });

  test('waits for what runs, deletes the endpoint and what is tagged as its own, nobody else’s', async () => {
    const { sagemaker, released } = world();
    await released(1);
    await released(2);
    for (const [name, owner] of [
      [`${NAME}-m`, NAME],
      [`${NAME}-other-m`, `${NAME}-other`],
      ['foreign', NAME],
    ])
      sagemaker.models.set(name, owner);
    sagemaker.configs.set(`${NAME}-other-v1`, {
      EndpointConfigName: 'x',
      ProductionVariants: [],
      Tags: [{ Key: 'cdk-mlops:endpoint', Value: `${NAME}-other` }],
    });
    Object.assign(sagemaker.endpoints.get(NAME)!, { status: 'Updating' });
    let polls = 0;
    const timeLeft = (): number => {
      polls += 1;
      if (polls === 2) sagemaker.endpoints.get(NAME)!.status = 'InService';
      if (polls === 4) sagemaker.endpoints.delete(NAME);
      return 1;
    };
    await removeEndpoint(NAME, made(sagemaker), { timeLeft, pollMilliseconds: 1 });
    expect(sagemaker.calls.filter((call) => call === 'DeleteEndpoint')).toHaveLength(1);
    expect([...sagemaker.configs.keys()]).toEqual([`${NAME}-other-v1`]);
    expect([...sagemaker.models.keys()]).toEqual([`${NAME}-other-m`, 'foreign']);
  });

  test('takes the alarms of its configurations along', async () => {
    const { sagemaker, alarms, released } = world({ ...REAL_TIME, deployment: { ...REAL_TIME.deployment, watchSeconds: 60 } });
    await released(1);
    alarms.state('somebody-elses', 'OK');
    expect(alarms.alarms.size).toBe(3);
    sagemaker.endpoints.delete(NAME);
    const parts = { endpoints: new EndpointClient(sagemaker.client()), alarms: new RollbackAlarms(alarms.client()) };
    await removeEndpoint(NAME, parts, { timeLeft: () => 0 });
    expect([...alarms.alarms.keys()]).toEqual(['somebody-elses']);
    expect(sagemaker.configs.size).toBe(0);
  });

  test('of an endpoint that was never made is nothing', async () => {
    const { sagemaker } = world();
    await removeEndpoint(NAME, made(sagemaker), { timeLeft: () => 0 });
    expect(sagemaker.calls).toEqual(['DescribeEndpoint', 'ListEndpointConfigs', 'ListModels']);
  });

  test('gives up in time to say so', async () => {
    const { sagemaker, start } = world();
    await start(1);
    await expect(removeEndpoint(NAME, made(sagemaker), { timeLeft: () => 0 })).rejects.toThrow(
      /is still Creating: delete it, then/,
    );
  });
});
