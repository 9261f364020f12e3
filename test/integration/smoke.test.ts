import { LambdaClient, paginateListFunctions } from '@aws-sdk/client-lambda';
import { DescribeEndpointCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { main } from '../../cli/program';
import { S3Files } from '../../lambda/common/s3.client';
import { Faults } from '../../local/faults';
import { fakeIo } from '../cli/fake-io';
import { lineMonth, smokeApp } from './fragile-model/app';
import { client, deploy, type Deployment, eventually, useEngine } from './harness';
import { DeployedModel } from './loop';

const functionNamed = async (pattern: RegExp): Promise<string> => {
  for await (const { Functions = [] } of paginateListFunctions({ client: client(LambdaClient) }, {})) {
    const found = Functions.find(({ FunctionName = '' }) => pattern.test(FunctionName));
    if (found?.FunctionName) return found.FunctionName;
  }
  throw new Error(`no function is named like ${pattern.source}`);
};

describe('releases that requests of the app prove', () => {
  let deployment: Deployment;
  let model: DeployedModel;
  let months = 0;

  beforeAll(async () => {
    deployment = await deploy(smokeApp('Smoke', 'smoke'));
    model = await DeployedModel.find('smoke', 'Line');
  }, 240_000);

  afterAll(() => deployment?.destroy(), 180_000);

  const train = async (mode: 'sound' | 'flat') => {
    await model.upload(`month-${months}.csv`, lineMonth(months, mode));
    months += 1;
    return model.train(`month ${months}`, new Date(Date.UTC(2024, 6, months * 2)).toISOString());
  };

  const live = async (): Promise<string> => {
    const found = await client(SageMakerClient).send(new DescribeEndpointCommand({ EndpointName: model.resources.endpointName }));
    return found.EndpointConfigName ?? '';
  };
  const serving = async (): Promise<number | undefined> => (await model.platform.registry.champion('Line'))?.version;
  const last = async (version: number) => (await model.platform.registry.history('Line')).filter((entry) => entry.version === version).at(-1);

  test('a version that answers them as stated serves', async () => {
    expect(await train('sound')).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 1 });
  }, 180_000);

  test('one wrong answer fails the release: request, expected and got are told, the champion serves on, and the version says so', async () => {
    const run = await train('flat');
    expect(run).toMatchObject({ status: 'FAILED', error: { name: 'ReleaseFailed' } });
    expect(run.error?.message).toMatch(/: smoke request to version 2 request far: expected 10001 within 200 got 0\.000000$/);
    expect(run.error?.message).not.toContain('5000');
    expect([await live(), await serving()]).toEqual([expect.stringMatching(/-v1-/), 1]);
    const version = await model.platform.registry.getVersion('Line', 2);
    expect(version).toMatchObject({ state: 'Approved', tags: { 'mlops.release': expect.stringMatching(/^failed: .*request far: expected/) } });
    const { reason, evidenceUri = '' } = (await last(2)) ?? {};
    expect(reason).toMatch(/^release failed \(run Line-/);
    expect(await new S3Files().readJson(evidenceUri)).toMatchObject({ outcome: 'failed', version: 2, runId: run.runId });
  }, 180_000);

  test('a run that dies before its promotion does not hold up the next one, which calls its version off; a redrive promotes nothing', async () => {
    const faults = new Faults(useEngine());
    // Other tests deploy functions of the same kind to the same engine.
    const promote = await functionNamed(/^Smoke-.*Promote/);
    const rule = { on: 'lambda' as const, operation: promote, effect: { kind: 'error' as const, error: 'TypeError', message: 'nothing mends it' } };
    await faults.add(rule);
    const died = await train('sound');
    expect(died).toMatchObject({ status: 'FAILED', error: { name: 'TypeError' } });
    expect([await live(), await serving()]).toEqual([expect.stringMatching(/-v3-/), 1]);
    expect(await train('sound')).toMatchObject({ status: 'FINISHED', outcome: 'promoted', version: 4 });
    expect([await live(), await serving()]).toEqual([expect.stringMatching(/-v4-/), 4]);
    const called = {
      action: 'Rejected',
      reason: expect.stringContaining(`run ${died.runId} ended (FAILED)`),
      evidenceUri: expect.stringMatching(/release-v3/),
    };
    expect(await last(3)).toMatchObject(called);
    const { io } = fakeIo({});
    await main(['runs', 'resume', died.runId, '--platform', 'smoke'], io);
    await eventually('the end of the redrive', async () => {
      const { status, error } = await model.platform.runs.getRun(died.runId);
      return status === 'FAILED' && error?.name === 'RegistryConflict' ? true : undefined;
    });
    expect([await live(), await serving()]).toEqual([expect.stringMatching(/-v4-/), 4]);
  }, 300_000);
});
