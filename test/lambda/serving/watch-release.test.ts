import { ReleaseWatcher } from '../../../lambda/serving/watch-release';
import type { PipelineInput } from '../../../lib/pipeline/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { register, registryOver, versionRecord } from '../../fakes/registry';

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:demand';

const world = async () => {
  const registry = registryOver(new MemoryDynamo().client());
  const started: PipelineInput[] = [];
  const runs = {
    start: async (_: string, input: PipelineInput) => {
      if (!started.some(({ runId }) => runId === input.runId)) started.push(input);
    },
  };
  const watched = { 'mlops-demand': { model: 'Demand', stateMachineArn: MACHINE, watchSeconds: 3600 } };
  const watcher = new ReleaseWatcher(watched, registry, runs, { promotionMilliseconds: 300, pollMilliseconds: 10 });
  const approve = async (version: number) => {
    await register(registry, 'Demand', versionRecord(`run-${version}`));
    await registry.transition('Demand', version, 'Approved', { actor: 'policy:automatic', reason: 'passed' });
  };
  const promote = (version: number) => registry.promote('Demand', version, { actor: 'pipeline', reason: 'released' });
  const goesOff = (alarmName: string, minutes = 1) =>
    watcher.handle({
      alarmName,
      alarmArn: `arn:aws:cloudwatch:eu-west-1:111122223333:alarm:${alarmName}`,
      time: new Date(Date.now() + minutes * 60_000).toISOString(),
      reason: 'Threshold Crossed',
    });
  return { registry, started, approve, promote, goesOff };
};

const ofVersion = (version: number, kind = 'errors') => `mlops-demand-v${version}-0a1b2c3d-${kind}`;

const two = async () => {
  const all = await world();
  for (const version of [1, 2]) {
    await all.approve(version);
    await all.promote(version);
  }
  return all;
};

test('an alarm soon after a promotion starts one rollback to the version before, however many alarms go off', async () => {
  const { started, goesOff } = await two();
  await goesOff(ofVersion(2));
  await goesOff(ofVersion(2, 'latency'), 2);
  expect(started).toHaveLength(1);
  const startedBy = expect.stringContaining(':alarm:mlops-demand-v2-');
  expect(started[0]).toMatchObject({ model: 'Demand', rollbackTo: 1, rollbackFrom: 2, startedBy });
  expect(started[0].runId).toMatch(/^Demand-rollback-v2-\d{8}T\d+Z$/);
  expect(started[0].cause).toMatch(/alarm mlops-demand-v2-0a1b2c3d-errors went off .* Threshold Crossed/);
});

test('an alarm a moment before the promotion is about that promotion too', async () => {
  const { started, goesOff, approve, promote } = await two();
  await approve(3);
  const told = goesOff(ofVersion(3));
  await promote(3);
  await told;
  expect(started).toMatchObject([{ rollbackTo: 2, rollbackFrom: 3 }]);
});

describe('nothing is started', () => {
  test.each<[string, string, number, RegExp]>([
    ['by a version that does not serve any more', ofVersion(1), 1, /version 1 does not serve/],
    ['after the time of watching', ofVersion(2), 61, /longer than it is watched/],
    ['by an alarm of another endpoint whose name begins the same', 'mlops-demand-v2-x-v2-0a1b2c3d-errors', 1, /no model/],
    ['by an alarm of somebody else', 'mlops-demand-v2-disk', 1, /no model/],
  ])('%s', async (_, alarm, minutes, why) => {
    const { started, goesOff } = await two();
    expect(await goesOff(alarm, minutes)).toMatchObject({ why: expect.stringMatching(why) });
    expect(started).toEqual([]);
  });

  test('by a canary, whose own deployment goes back', async () => {
    const { started, goesOff, approve } = await two();
    await approve(3);
    expect(await goesOff(ofVersion(3))).toMatchObject({ why: 'version 3 does not serve' });
    expect(started).toEqual([]);
  });

  test('where a rollback brought the version: two bad versions do not replace each other for ever', async () => {
    const { registry, started, goesOff } = await two();
    await registry.promote('Demand', 1, { actor: 'pipeline', reason: 'x', rollback: true });
    expect(await goesOff(ofVersion(1))).toMatchObject({ why: expect.stringMatching(/brought back by a rollback/) });
    expect(started).toEqual([]);
  });

  test('where there is nothing to go back to', async () => {
    const { started, goesOff, approve, promote } = await world();
    await approve(1);
    await promote(1);
    expect(await goesOff(ofVersion(1))).toMatchObject({ why: 'no good version served before version 1' });
    expect(started).toEqual([]);
  });
});
