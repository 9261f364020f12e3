import { main } from '../../cli/program';
import type { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import type { PipelineInput } from '../../lib/pipeline/contract';
import { CALLER, MemoryPlatform, modelResources, PLATFORM } from '../fakes/platform';
import { register, registryOver, versionRecord } from '../fakes/registry';
import { fakeIo } from './fake-io';

process.env.AWS_REGION = 'eu-west-1';

let platform: MemoryPlatform;
let registry: ModelRegistryClient;

beforeEach(async () => {
  platform = new MemoryPlatform().install().add(PLATFORM, [modelResources('Demand')]);
  registry = registryOver(platform.dynamo.client());
  for (const version of [1, 2]) {
    await register(registry, 'Demand', versionRecord(`run-${version}`));
    await registry.transition('Demand', version, 'Approved', { actor: 'pipeline', reason: 'x' });
    await registry.promote('Demand', version, { actor: 'pipeline', reason: 'x' });
  }
  platform.machines.answers.set(modelResources('Demand').stateMachineArn, async (input) => {
    const { runId, rollbackTo, cause, startedBy } = input as unknown as PipelineInput;
    await registry.promote('Demand', rollbackTo!, { actor: startedBy!, reason: `${cause} (run ${runId})`, rollback: true });
    return { outcome: 'rolled-back', version: rollbackTo, runId };
  });
});
afterEach(() => jest.restoreAllMocks());

const mlops = async (...args: string[]) => {
  const { io, written } = fakeIo({});
  return { code: await main(args, io), ...written };
};

test('goes back to the last good version as the caller, and says how long pointer and traffic took', async () => {
  const { code, out } = await mlops('rollback', 'Demand', '--reason', 'answers are wrong');
  expect(code).toBe(0);
  expect(out).toMatch(/rolled back.*Demand v1 serves again\n.*moved from v2 after .*, the traffic after/s);
  const [{ input, name }] = platform.machines.started;
  const sent = JSON.parse(input!) as PipelineInput;
  expect(sent).toMatchObject({ rollbackTo: 1, rollbackFrom: 2, cause: 'answers are wrong', startedBy: CALLER, runId: name });
  expect((await registry.history('Demand')).at(-1)).toMatchObject({ action: 'RolledBack', version: 1, actor: CALLER });
});

test('takes the version that is named, and answers as JSON', async () => {
  const { code, out } = await mlops('rollback', 'Demand', '--to', 'v2', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ model: 'Demand', version: 2, from: null, pointerMovedAt: null });
  expect(JSON.parse(platform.machines.started[0].input!)).not.toHaveProperty('rollbackFrom');
});

test('fails where there is nothing to go back to, before anything is started', async () => {
  await mlops('rollback', 'Demand');
  const { code, err } = await mlops('rollback', 'Demand');
  expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/Demand has no version to go back to/) });
  expect(platform.machines.started).toHaveLength(1);
});

test('fails with the cause where the run does', async () => {
  platform.machines.answers.set(modelResources('Demand').stateMachineArn, () => {
    throw Object.assign(new Error('its artifact is gone'), { name: 'NotRollbackable' });
  });
  const err = expect.stringMatching(/ended FAILED: NotRollbackable its artifact is gone/);
  expect(await mlops('rollback', 'Demand')).toMatchObject({ code: 1, err });
});

test('is wrongly used without a version that is one', async () => {
  expect(await mlops('rollback', 'Demand', '--to', 'best')).toMatchObject({ code: 2 });
});
