import { versionIn } from '../../../lambda/serving/endpoint-config';
import { NAME, request, World } from '../../fakes/release-world';

const CHECK = { action: 'check' as const, startedAtRedrive: 0 };

/** Version 1 serves; the endpoint has moved to version 2, which its run has not promoted; version 3 is approved. */
const stranded = async (champion = true): Promise<World> => {
  const world = new World();
  for (const version of [1, 2, 3]) await world.approve(version);
  if (champion) {
    await world.release.handle(request(1, null, {}));
    world.sagemaker.settle(NAME);
    await world.release.handle(request(1, null, CHECK));
    await world.registry.promote('Demand', 1, { actor: 'pipeline', reason: 'released', expectedChampion: null });
  }
  const previousEndpointConfigName = champion ? `${NAME}-v1-0a1b2c3d` : '';
  await world.release.handle(request(2, champion ? 1 : null, {}));
  world.sagemaker.settle(NAME);
  expect(await world.release.handle(request(2, champion ? 1 : null, { ...CHECK, previousEndpointConfigName }))).toMatchObject({ done: true });
  return world;
};

const start = (world: World, version: number, expected: number | null = 1) => world.release.handle(request(version, expected, {}));
const stateOf = async (world: World, version: number) => (await world.registry.getVersion('Demand', version)).state;

describe('a run whose endpoint has moved and whose version is not promoted yet', () => {
  test('is waited for while its execution runs, and nothing is touched', async () => {
    const world = await stranded();
    const updates = world.sagemaker.updates.length;
    const message = expect.stringMatching(/runs version 2, which its run run-2 has not promoted yet.*mlops rollback Demand --to 1/);
    await expect(start(world, 3)).rejects.toMatchObject({ name: 'ServiceUnavailable', message });
    expect(world.sagemaker.updates).toHaveLength(updates);
    expect(await stateOf(world, 2)).toBe('Approved');
  });

  test('is called off at once where its execution has ended: the endpoint goes back to the champion, then the next release begins', async () => {
    const world = await stranded();
    world.ended.add('run-2');
    await expect(start(world, 3)).rejects.toMatchObject({
      name: 'ServiceUnavailable',
      message: expect.stringMatching(/goes back to version 1 first/),
    });
    const last = (await world.registry.history('Demand')).at(-1);
    const evidenceUri = 's3://reports/gate/Demand/run-3/release-v2.json';
    expect(last).toMatchObject({
      action: 'Rejected',
      version: 2,
      actor: 'pipeline',
      reason: expect.stringMatching(/run run-2 ended \(FAILED\).*run-3/),
      evidenceUri,
    });
    expect(world.evidence.get(evidenceUri)).toMatchObject({ outcome: 'called off', version: 2, runId: 'run-3', endpointName: NAME });
    await expect(start(world, 3)).rejects.toMatchObject({ name: 'ServiceUnavailable', message: expect.stringMatching(/another change of it/) });
    world.settle();
    expect(world.live).toBe(1);
    expect(await start(world, 3)).toMatchObject({ championMoved: false, previousEndpointConfigName: `${NAME}-v1-0a1b2c3d` });
  });

  test('cannot promote any more once it was called off, redriven where it failed or earlier', async () => {
    const world = await stranded();
    world.ended.add('run-2');
    await expect(start(world, 3)).rejects.toThrow();
    const promotion = world.registry.promote('Demand', 2, { actor: 'pipeline', reason: 'released', expectedChampion: 1 });
    await expect(promotion).rejects.toMatchObject({ name: 'IllegalTransition' });
    const redriven = world.release.handle(request(2, 1, { ...CHECK, redriveCount: 1 }));
    await expect(redriven).rejects.toMatchObject({ name: 'RegistryConflict', message: expect.stringMatching(/version 2 was rejected since/) });
  });

  test('that was redriven a moment before wins: its promotion is what the next one is judged against', async () => {
    const world = await stranded();
    world.ended.add('run-2');
    await world.registry.promote('Demand', 2, { actor: 'pipeline', reason: 'released', expectedChampion: 1 });
    expect(await start(world, 3)).toMatchObject({ championMoved: true, prepared: { round: 1, champion: { version: 2 } } });
    expect(world.live).toBe(2);
  });

  test('leaves nothing to go back to where no version ever served', async () => {
    const world = await stranded(false);
    world.ended.add('run-2');
    expect(await start(world, 3, null)).toMatchObject({ endpointStatus: 'Updating' });
    expect(await stateOf(world, 2)).toBe('Rejected');
  });

  test('has its deployment turned round where that is still under way', async () => {
    const world = await stranded();
    world.sagemaker.takeBack(NAME, 'alarm');
    Object.assign(world.sagemaker.endpoints.get(NAME)!, { config: `${NAME}-v1-0a1b2c3d`, reason: undefined });
    await start(world, 2);
    world.ended.add('run-2');
    expect(await start(world, 3)).toMatchObject({ endpointStatus: 'Updating', previousEndpointConfigName: `${NAME}-v1-0a1b2c3d` });
    expect(world.sagemaker.endpoints.get(NAME)).toMatchObject({ pending: `${NAME}-v3-0a1b2c3d` });
    expect(await stateOf(world, 2)).toBe('Rejected');
  });

  test('waits for a person where the rules of the model ask for one who rejects', async () => {
    const world = await stranded();
    world.ended.add('run-2');
    const rules = [{ state: 'Rejected' as const, person: true }];
    await world.registry.registerVersion({ name: 'Demand', rules }, { source: 's3://x', runId: 'run-1' }, { actor: 'pipeline', reason: 'x' });
    const refused = { name: 'ServiceUnavailable', message: expect.stringMatching(/the rules of Demand ask for somebody who rejects it/) };
    await expect(start(world, 3)).rejects.toMatchObject(refused);
    expect(world.live).toBe(2);
  });
});

test('a release goes on where going back has been tried and has failed', async () => {
  const world = await stranded();
  world.ended.add('run-2');
  await expect(start(world, 3)).rejects.toThrow(/goes back/);
  world.sagemaker.takeBack(NAME, 'no capacity');
  expect(versionIn(world.sagemaker.endpoints.get(NAME)!.config, NAME)).toBe(2);
  expect(await start(world, 3)).toMatchObject({ endpointStatus: 'Updating' });
});

describe('a rollback during a deployment', () => {
  const back = { rollback: true, prepared: undefined, runId: 'roll-1' };

  test('calls the version off that is on its way, with the reason on its record, so that its run cannot bring it back', async () => {
    const world = await stranded();
    world.sagemaker.takeBack(NAME, '');
    Object.assign(world.sagemaker.endpoints.get(NAME)!, { config: `${NAME}-v1-0a1b2c3d`, reason: undefined });
    await start(world, 3);
    const status = await world.release.handle(request(1, 1, back));
    const last = (await world.registry.history('Demand')).at(-1);
    const reason = expect.stringMatching(/version 1 was brought back while version 3 was being released \(run roll-1\)/);
    expect(last).toMatchObject({ action: 'Rejected', version: 3, reason, evidenceUri: 's3://reports/gate/Demand/roll-1/release-v3.json' });
    expect(await world.release.handle(request(1, 1, { ...back, ...CHECK }))).toMatchObject({ done: true });
    expect([status.endpointConfigName, world.live]).toEqual([`${NAME}-v1-0a1b2c3d`, 1]);
    const redriven = world.release.handle(request(3, 1, { ...CHECK, redriveCount: 1 }));
    await expect(redriven).rejects.toMatchObject({ name: 'RegistryConflict' });
  });

  test('calls off what runs already and is not promoted yet, and a run that is about to say done moves nothing', async () => {
    const world = await stranded();
    expect(await world.release.handle(request(1, 1, back))).toMatchObject({ endpointStatus: 'Updating' });
    expect(await stateOf(world, 2)).toBe('Rejected');
    world.settle();
    expect(world.live).toBe(1);
  });

  test('leaves versions that served as they are', async () => {
    const world = await stranded();
    await world.registry.promote('Demand', 2, { actor: 'pipeline', reason: 'released', expectedChampion: 1 });
    await world.registry.promote('Demand', 1, { actor: 'arn:ana', reason: 'back', rollback: true });
    await world.release.handle(request(1, 1, back));
    expect(await stateOf(world, 2)).toBe('Archived');
    expect((await world.registry.history('Demand')).at(-1)).toMatchObject({ action: 'RolledBack' });
  });
});

test('a release whose version was rejected while the endpoint moved goes back', async () => {
  const world = await stranded();
  await world.registry.transition('Demand', 2, 'Rejected', { actor: 'arn:ana', reason: 'no' });
  expect(await world.release.handle(request(2, 1, { ...CHECK, previousEndpointConfigName: `${NAME}-v1-0a1b2c3d` }))).toMatchObject({
    endpointStatus: 'RollingBack',
  });
  world.settle();
  expect(world.live).toBe(1);
});
