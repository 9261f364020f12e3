import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { createDocumentClient } from '../../lambda/common/dynamo.client';
import type { ModelRegistryClient } from '../../lambda/registry/model-registry.client';
import type { Change } from '../../lambda/registry/registry-writes';
import { REGISTRY_ERRORS, REGISTRY_KEYS, VersionRecord } from '../../lib/registry/contract';
import { ModelRegistry } from '../../lib/registry/model-registry';
import { register, registryOver, versionRecord } from '../fakes/registry';
import { client } from './harness';
import { createTablesOf } from './tables';

const by: Change = { actor: 'ana', reason: 'because' };

const record = (changes: Partial<VersionRecord> = {}): VersionRecord => versionRecord(randomUUID(), changes);

const db = createDocumentClient(client(DynamoDBClient));
let tables: Awaited<ReturnType<typeof createTablesOf>>;
let registry: ModelRegistryClient;

beforeAll(async () => {
  tables = await createTablesOf((scope) => new ModelRegistry(scope, 'Store'));
  registry = registryOver(db, tables.named('Registry'), tables.named('History'));
});

afterAll(async () => tables.remove());

/** A model of its own per test: names are the only thing that tests share. */
const newModel = (): string => `m-${randomUUID().slice(0, 8)}`;

const approved = async (model: string): Promise<number> => {
  const { version } = await register(registry, model, record(), by);
  await registry.transition(model, version, 'Approved', by);
  return version;
};

describe('registration', () => {
  test('a hundred runs at once get a hundred numbers without gap or double, and one intact history', async () => {
    const model = newModel();
    const versions = await Promise.all(Array.from({ length: 100 }, () => register(registry, model, record(), by)));
    expect(versions.map(({ version }) => version).sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
    expect(await registry.verifyHistory(model)).toEqual({ intact: true, entries: 101 });
    expect(new Set(versions.map(({ modelId }) => modelId)).size).toBe(1);
  }, 120_000);

  test('one run registers once, however often and however concurrently its step is tried', async () => {
    const model = newModel();
    const same = record();
    const versions = await Promise.all(Array.from({ length: 10 }, () => register(registry, model, same, by)));
    expect(new Set(versions.map(({ version }) => version))).toEqual(new Set([1]));
    expect((await registry.listVersions(model)).items).toHaveLength(1);
    expect(await registry.history(model)).toHaveLength(2);
  });

  test('keeps the record as it was given, and answers it by number, digest and list', async () => {
    const model = newModel();
    const given = record({ artifact: { uri: 's3://artifacts/x', sha256: randomUUID() } });
    const registered = await register(registry, model, given, by);
    expect(registered).toMatchObject({ ...given, model, version: 1, state: 'PendingApproval' });
    expect(await registry.getVersion(model, 1)).toEqual(registered);
    expect((await registry.byDigest(given.artifact.sha256)).items).toEqual([registered]);
    expect((await registry.listModels({ limit: 1000 })).items.map(({ name }) => name)).toContain(model);
  });

  test('keeps a candidate that failed its gate as rejected', async () => {
    const gate = { passed: false, reason: 'worse than v1', reportUri: 's3://reports/gate.json' };
    expect((await register(registry, newModel(), record({ gate }), by)).state).toBe('Rejected');
  });

  test('lists newest first, page by page', async () => {
    const model = newModel();
    for (let count = 0; count < 5; count += 1) await register(registry, model, record(), by);
    const numbers: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await registry.listVersions(model, { limit: 2, cursor });
      numbers.push(...page.items.map(({ version }) => version));
      cursor = page.cursor;
    } while (cursor);
    expect(numbers).toEqual([5, 4, 3, 2, 1]);
  });

  test('names what is missing', async () => {
    const model = newModel();
    await expect(registry.getVersion(model, 1)).rejects.toMatchObject({
      name: REGISTRY_ERRORS.notFound,
      message: `Registered Model with name=${model} not found`,
    });
    await registry.createModel({ name: model, owner: 'ana' }, by);
    await expect(registry.getVersion(model, 7)).rejects.toMatchObject({
      name: REGISTRY_ERRORS.notFound,
      message: `Model Version (name=${model}, version=7) not found`,
    });
    expect(await registry.champion(newModel())).toBeUndefined();
    expect(await registry.getModel(model)).toMatchObject({ name: model, owner: 'ana' });
  });
});

describe('states', () => {
  test('only move along the table, and never to or from Production by hand', async () => {
    const model = newModel();
    await register(registry, model, record(), by);
    const refused = { name: REGISTRY_ERRORS.illegalTransition };
    await expect(registry.promote(model, 1, by)).rejects.toMatchObject({ ...refused, message: expect.stringContaining('PendingApproval') });
    await expect(registry.transition(model, 1, 'Production', by)).rejects.toMatchObject(refused);
    await registry.transition(model, 1, 'Approved', by);
    await expect(registry.transition(model, 1, 'PendingApproval', by)).rejects.toMatchObject(refused);
    await registry.promote(model, 1, by);
    await expect(registry.transition(model, 1, 'Archived', by)).rejects.toMatchObject(refused);
    expect((await registry.history(model)).map(({ action }) => action)).toEqual(['Created', 'Registered', 'Approved', 'Promoted']);
  });

  test('a transition that has happened already changes nothing', async () => {
    const model = newModel();
    await approved(model);
    await registry.transition(model, 1, 'Approved', { ...by, reason: 'again' });
    expect(await registry.history(model)).toHaveLength(3);
  });
});

describe('promotion', () => {
  test('moves champion, states, pointer and history together, and a rollback moves them back', async () => {
    const model = newModel();
    await approved(model);
    await approved(model);
    expect(await registry.champion(model)).toBeUndefined();
    expect(await registry.promote(model, 1, { ...by, expectedChampion: null })).toMatchObject({ previousVersion: undefined });
    expect(await registry.promote(model, 2, { ...by, expectedChampion: 1 })).toMatchObject({ champion: { version: 2 }, previousVersion: 1 });
    expect(await registry.champion(model)).toEqual(await registry.getVersion(model, 2));
    expect((await registry.getVersion(model, 1)).state).toBe('Archived');
    await registry.promote(model, 1, { ...by, expectedChampion: 2, evidenceUri: 's3://reports/x', rollback: true });
    expect((await registry.champion(model))?.version).toBe(1);
    const [last] = (await registry.history(model)).slice(-1);
    expect(last).toMatchObject({ action: 'RolledBack', version: 1, previousChampion: 2, evidenceUri: 's3://reports/x' });
    expect(await registry.verifyHistory(model)).toEqual({ intact: true, entries: 8 });
  });

  test('a second try of the same promotion tells the same and adds nothing', async () => {
    const model = newModel();
    await approved(model);
    await approved(model);
    await registry.promote(model, 1, { ...by, expectedChampion: null });
    const first = await registry.promote(model, 2, { ...by, expectedChampion: 1 });
    expect(await registry.promote(model, 2, { ...by, expectedChampion: 1 })).toEqual(first);
    expect(await registry.history(model)).toHaveLength(7);
  });

  test('of several that expect the same champion exactly one wins, the others change nothing', async () => {
    const model = newModel();
    for (let count = 0; count < 6; count += 1) await approved(model);
    await registry.promote(model, 1, { ...by, expectedChampion: null });
    const results = await Promise.allSettled([2, 3, 4, 5, 6].map((version) => registry.promote(model, version, { ...by, expectedChampion: 1 })));
    const lost = results.filter((result) => result.status === 'rejected');
    expect(lost).toHaveLength(4);
    for (const { reason } of lost) expect(reason).toMatchObject({ name: REGISTRY_ERRORS.conflict });
    const states = (await registry.listVersions(model)).items.map(({ state }) => state).sort();
    expect(states).toEqual(['Approved', 'Approved', 'Approved', 'Approved', 'Archived', 'Production']);
    expect(await registry.verifyHistory(model)).toEqual({ intact: true, entries: 15 });
  });

  test('tells what served at a moment', async () => {
    const model = newModel();
    await approved(model);
    await approved(model);
    const before = new Date(Date.now() - 1).toISOString();
    const { champion: first } = await registry.promote(model, 1, by);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { champion: second } = await registry.promote(model, 2, by);
    expect(await registry.servedAt(model, before)).toBeUndefined();
    expect(await registry.servedAt(model, first.updatedAt)).toBe(1);
    expect(await registry.servedAt(model, second.updatedAt)).toBe(2);
    expect(await registry.servedAt(model, '2999-01-01')).toBe(2);
  });
});

describe('tampering shows', () => {
  const prepared = async (): Promise<{ model: string; key(sequence: number): { pk: string; sk: string } }> => {
    const model = newModel();
    await approved(model);
    await registry.promote(model, 1, by);
    const { modelId } = await registry.getModel(model);
    return { model, key: (sequence) => ({ pk: modelId, sk: REGISTRY_KEYS.sequence(sequence) }) };
  };

  test('an entry that was changed', async () => {
    const { model, key } = await prepared();
    await db.send(
      new UpdateCommand({
        TableName: tables.named('History'),
        Key: key(3),
        UpdateExpression: 'SET actor = :other',
        ExpressionAttributeValues: { ':other': 'eve' },
      }),
    );
    expect(await registry.verifyHistory(model)).toEqual({ intact: false, entries: 2, problem: 'entry 3 was changed after it was written' });
  });

  test.each([
    [3, 'entry 3 is missing: after 2 comes 4'],
    [4, 'the last entry is 3, the model counts 4'],
  ])('entry %i that was removed', async (sequence, problem) => {
    const { model, key } = await prepared();
    await db.send(new DeleteCommand({ TableName: tables.named('History'), Key: key(sequence) }));
    expect(await registry.verifyHistory(model)).toMatchObject({ intact: false, problem });
  });
});
