import { latestReport, Rejudgement } from '../../../lambda/registry/rejudgement';
import { Rollback, type RollbackInput } from '../../../lambda/registry/rollback';
import { lastGood } from '../../../lambda/registry/rollback-target';
import type { HistoryEntry } from '../../../lib/registry/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { register, registryOver, versionRecord } from '../../fakes/registry';

const ANA = 'arn:aws:sts::111122223333:assumed-role/Ops/ana';
const EXECUTION = 'arn:aws:states:eu-west-1:111122223333:execution:demand:roll-1';

const world = async (versions = 2) => {
  const registry = registryOver(new MemoryDynamo().client());
  for (let version = 1; version <= versions; version += 1) {
    const artifact = { uri: `s3://artifacts/${version}/model.tar.gz`, versionId: `id-${version}`, sha256: 'a'.repeat(64) };
    await register(registry, 'Demand', versionRecord(`run-${version}`, { artifact }));
    await registry.transition('Demand', version, 'Approved', { actor: 'policy:automatic', reason: 'passed' });
    await registry.promote('Demand', version, { actor: 'pipeline', reason: 'released', expectedChampion: version === 1 ? null : version - 1 });
  }
  const objects = new Map(Array.from({ length: versions }, (_, index) => [`s3://artifacts/${index + 1}/model.tar.gz`, `id-${index + 1}`]));
  objects.set('s3://code/code.tar.gz', 'code');
  const image = { state: 'unknown' as 'present' | 'gone' | 'unknown' };
  const events: { type: string; detail: Record<string, unknown> }[] = [];
  const steps: { name: string; status: string }[] = [];
  const parts = {
    registry,
    files: {
      head: async (uri: string) => (objects.has(uri) ? { bytes: 1, etag: 'e', versionId: objects.get(uri), lastModified: new Date() } : undefined),
      sha256: async () => ({ sha256: 'other', bytes: 1 }),
    },
    images: { find: async (name: string) => ({ state: image.state, image: name }) },
    runs: {
      startRun: async () => ({}) as never,
      recordStep: async (_: string, { name, status }: { name: string; status: string }) => void steps.push({ name, status }),
    },
    events: { putEvent: async (type: string, detail: object) => void events.push({ type, detail: detail as Record<string, unknown> }) },
  };
  const roll = (change: Partial<RollbackInput> = {}) =>
    new Rollback(parts, 'mlops', { model: 'Demand', jobNamePrefix: 'mlops-demand' }).handle({
      model: 'Demand',
      runId: 'roll-1',
      rollbackTo: 1,
      causeId: 'roll-1',
      cause: 'answers are wrong',
      executionArn: EXECUTION,
      startTime: '2026-03-01T10:00:00Z',
      request: { startedBy: ANA },
      ...change,
    });
  return { registry, objects, image, events, steps, roll };
};

test('the pointer moves, with who asked and why in the history, and the answer has what a release needs', async () => {
  const { registry, events, steps, roll } = await world();
  const result = await roll();
  expect(result).toMatchObject({
    model: 'Demand',
    prepared: { round: 0, champion: { version: 1 }, rollback: { present: true, modelDataUrl: 's3://artifacts/1/model.tar.gz', image: 'xgboost:3.0-5' } },
    registered: { version: 1 },
    evaluation: { reason: 'answers are wrong' },
    pointer: { moved: true, from: 2 },
  });
  expect(result.prepared.jobNameBase).toMatch(/^mlops-demand-[0-9a-f]{11}0$/);
  expect((await registry.champion('Demand'))?.version).toBe(1);
  expect((await registry.getVersion('Demand', 2)).state).toBe('Archived');
  const last = (await registry.history('Demand')).at(-1);
  expect(last).toMatchObject({ action: 'RolledBack', version: 1, previousChampion: 2, actor: ANA, reason: 'answers are wrong (run roll-1)' });
  const detail = expect.objectContaining({ platform: 'mlops', version: 1, previousVersion: 2, runId: 'roll-1', by: ANA });
  expect(events).toEqual([{ type: 'Model Version Rolled Back', detail }]);
  expect(steps).toEqual([
    { name: 'move-pointer', status: 'RUNNING' },
    { name: 'move-pointer', status: 'FINISHED' },
  ]);
});

test('a second try changes nothing and tells the same, with the same time', async () => {
  const { registry, events, roll } = await world();
  const first = await roll();
  const entries = (await registry.history('Demand')).length;
  expect(await roll()).toEqual(first);
  expect(await registry.history('Demand')).toHaveLength(entries);
  expect(events[1]).toEqual(events[0]);
});

test('the version that serves already needs no move: its endpoint alone is brought back', async () => {
  const { events, roll } = await world();
  expect(await roll({ rollbackTo: 2 })).toMatchObject({ registered: { version: 2 }, pointer: { moved: false, from: null } });
  expect(events).toEqual([]);
});

test('nothing is changed where another version serves than the one that was to be replaced', async () => {
  const { registry, roll } = await world(3);
  await expect(roll({ request: { rollbackFrom: 2, startedBy: ANA } })).rejects.toMatchObject({ name: 'RegistryConflict' });
  expect((await registry.champion('Demand'))?.version).toBe(3);
});

describe('a rollback is refused, with all that is missing, where', () => {
  test.each<[string, (all: Awaited<ReturnType<typeof world>>) => unknown, RegExp]>([
    ['the artifact is gone', ({ objects }) => objects.delete('s3://artifacts/1/model.tar.gz'), /artifact s3:\/\/artifacts\/1\/model\.tar\.gz is gone/],
    ['it was overwritten', ({ objects }) => objects.set('s3://artifacts/1/model.tar.gz', 'new'), /was overwritten since it was registered/],
    ['the code is gone', ({ objects }) => objects.delete('s3://code/code.tar.gz'), /its code s3:\/\/code\/code\.tar\.gz is gone/],
    ['the image is gone', ({ image }) => Object.assign(image, { state: 'gone' }), /its image xgboost:3\.0-5 is gone from the registry/],
  ])('%s', async (_, break_, message) => {
    const all = await world();
    break_(all);
    await expect(all.roll()).rejects.toMatchObject({ name: 'NotRollbackable', message: expect.stringMatching(message) });
    expect((await all.registry.champion('Demand'))?.version).toBe(2);
    expect(all.events).toEqual([]);
  });

  test('the version never served', async () => {
    const { registry, roll } = await world();
    await register(registry, 'Demand', versionRecord('run-3'));
    await registry.transition('Demand', 3, 'Approved', { actor: 'policy:automatic', reason: 'passed' });
    const refused = (message: RegExp) => ({ name: 'NotRollbackable', message: expect.stringMatching(message) });
    await expect(roll({ rollbackTo: 3 })).rejects.toMatchObject(refused(/v3 is Approved and never served/));
    await expect(roll({ rollbackTo: 9 })).rejects.toMatchObject(refused(/not in the registry/));
  });
});

test('what was rolled back is not promoted by its own run again, but by a rollback to it', async () => {
  const { registry, roll } = await world();
  await roll();
  const again = registry.promote('Demand', 2, { actor: 'pipeline', reason: 'released', expectedChampion: 1 });
  await expect(again).rejects.toMatchObject({ name: 'IllegalTransition', message: expect.stringMatching(/only a rollback to it/) });
  expect(await roll({ rollbackTo: 2, runId: 'roll-2' })).toMatchObject({ pointer: { moved: true, from: 1 } });
});

test('two persons and evidence are not asked for again: what comes back had them', async () => {
  const { registry, roll } = await world();
  const rules = [{ state: 'Production' as const, twoPerson: true, evidence: true }];
  await registry.registerVersion({ name: 'Demand', rules }, { source: 's3://x', runId: 'run-9', record: versionRecord('run-9') }, { actor: 'pipeline', reason: 'x' });
  expect(await roll({ request: null })).toMatchObject({ pointer: { moved: true, from: 2 } });
});

describe('the last good version', () => {
  const history = (...moves: string[]): HistoryEntry[] => {
    let serving: number | undefined;
    return moves.map((move, index) => {
      const version = Number(move.slice(1));
      const action = { p: 'Promoted', r: 'RolledBack', d: 'VersionDeleted' }[move[0]];
      const entry = { sequence: index + 1, action, version, previousChampion: serving };
      if (move[0] !== 'd') serving = version;
      return entry as HistoryEntry;
    });
  };

  test.each<[string[], number | undefined]>([
    [[], undefined],
    [['p1'], undefined],
    [['p1', 'p2'], 1],
    [['p1', 'p2', 'r1'], undefined],
    [['p1', 'p2', 'r1', 'p3'], 1],
    [['p1', 'p2', 'p3', 'r2'], 1],
    [['p1', 'p2', 'r1', 'r2'], undefined],
    [['p1', 'p2', 'p3', 'd2'], 1],
    [['p1', 'p2', 'r1', 'r2', 'p3'], 2],
  ])('after %j is %s', (moves, version) => {
    expect(lastGood(history(...moves))).toBe(version);
  });
});

describe('a candidate that is judged once more', () => {
  const candidate = async () => {
    const all = await world();
    await register(all.registry, 'Demand', versionRecord('run-3'));
    await all.registry.transition('Demand', 3, 'Approved', { actor: 'policy:automatic', reason: 'passed' });
    return { ...all, judge: (passed: boolean) => new Rejudgement(all.registry).record('Demand', 'run-3', 1, { passed, reason: 'x', reportUri: 's3://r/2' }) };
  };

  test('is rejected with the new report as evidence where it fails, however often it is told', async () => {
    const { registry, judge } = await candidate();
    expect(await judge(false)).toMatchObject({ version: 3, state: 'Rejected' });
    expect((await registry.history('Demand')).at(-1)).toMatchObject({ action: 'Rejected', evidenceUri: 's3://r/2' });
    expect(await judge(false)).toMatchObject({ state: 'Rejected' });
  });

  test('that serves again one day stands on its last report, not on the first', async () => {
    const { registry, judge } = await candidate();
    expect(latestReport(await registry.getVersion('Demand', 3))).toBe('s3://reports/gate.json');
    await judge(true);
    expect(latestReport(await registry.getVersion('Demand', 3))).toBe('s3://r/2');
    const tags = { 'mlops.gate.round-2': 's3://r/2', 'mlops.gate.round-10': 's3://r/10', 'mlops.gate.round-x': 's3://r/x' };
    expect(latestReport({ gate: { passed: true, reason: '', reportUri: 's3://r/0' }, tags })).toBe('s3://r/10');
  });

  test('keeps its version and state where it passes, with the report on record', async () => {
    const { judge } = await candidate();
    expect(await judge(true)).toMatchObject({ version: 3, state: 'Approved', tags: { 'mlops.gate.round-1': 's3://r/2' } });
  });
});
