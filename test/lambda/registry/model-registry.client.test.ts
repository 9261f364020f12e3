import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import type { ModelRegistryClient } from '../../../lambda/registry/model-registry.client';
import type { Change } from '../../../lambda/registry/registry-writes';
import { REGISTRY_ERRORS } from '../../../lib/registry/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { register, registryOver, versionRecord } from '../../fakes/registry';

const by: Change = { actor: 'ana', reason: 'because' };

const record = versionRecord;

let dynamo: MemoryDynamo;
let registry: ModelRegistryClient;

beforeEach(() => {
  dynamo = new MemoryDynamo();
  registry = registryOver(dynamo.client());
});

const approved = async (runId: string): Promise<number> => {
  const { version } = await register(registry, 'Bikes', record(runId), by);
  await registry.transition('Bikes', version, 'Approved', by);
  return version;
};

/** Something that happens once, just before the next transaction. */
const beforeNextWrite = (action: () => void): void => {
  dynamo.before = (command) => {
    if (command.constructor.name !== 'TransactWriteCommand') return;
    dynamo.before = () => undefined;
    action();
  };
};

const cancelled = (...codes: string[]): TransactionCanceledException =>
  new TransactionCanceledException({ message: 'cancelled', $metadata: {}, CancellationReasons: codes.map((Code) => ({ Code })) });

test('twenty runs at once get twenty numbers and one intact history', async () => {
  const made = await Promise.all(Array.from({ length: 20 }, (_, run) => register(registry, 'Bikes', record(`run-${run}`), by)));
  expect(made.map(({ version }) => version).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(await registry.verifyHistory('Bikes')).toEqual({ intact: true, entries: 21 });
});

test('a run registers once, also where its answer was lost', async () => {
  const first = await register(registry, 'Bikes', record('run-1'), by);
  expect(await register(registry, 'Bikes', record('run-1', { metrics: { rmse: 1 } }), by)).toEqual(first);
  expect(await registry.history('Bikes')).toHaveLength(2);
});

test('of two that make the same model one is refused', async () => {
  const other = registryOver(dynamo.client());
  const made = await Promise.allSettled([registry.createModel({ name: 'Bikes', owner: 'ana' }, by), other.createModel({ name: 'Bikes' }, by)]);
  const [one] = made.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  expect(made.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []))).toMatchObject([{ name: REGISTRY_ERRORS.exists }]);
  expect((await registry.listModels()).items).toEqual([one]);
});

test('states move along their table only, and Production only by promotion', async () => {
  await register(registry, 'Bikes', record('run-1'), by);
  const illegal = { name: REGISTRY_ERRORS.illegalTransition };
  await expect(registry.promote('Bikes', 1, by)).rejects.toMatchObject({ ...illegal, message: expect.stringContaining('is PendingApproval') });
  await expect(registry.transition('Bikes', 1, 'Production', by)).rejects.toMatchObject(illegal);
  await registry.transition('Bikes', 1, 'Approved', by);
  expect(await registry.transition('Bikes', 1, 'Approved', by)).toMatchObject({ state: 'Approved' });
  await expect(registry.transition('Bikes', 1, 'PendingApproval', by)).rejects.toMatchObject(illegal);
  await registry.promote('Bikes', 1, by);
  await expect(registry.transition('Bikes', 1, 'Archived', by)).rejects.toMatchObject(illegal);
  expect((await registry.history('Bikes')).map(({ action }) => action)).toEqual(['Created', 'Registered', 'Approved', 'Promoted']);
});

test('a promotion replaces the expected champion only, and going back is a rollback', async () => {
  await approved('run-1');
  await approved('run-2');
  await registry.promote('Bikes', 1, { ...by, expectedChampion: null });
  await expect(registry.promote('Bikes', 2, { ...by, expectedChampion: null })).rejects.toMatchObject({
    name: REGISTRY_ERRORS.conflict,
    message: 'Bikes v2 was to replace no version, but v1 serves now: nothing was changed',
  });
  const second = await registry.promote('Bikes', 2, { ...by, expectedChampion: 1 });
  expect(second).toMatchObject({ champion: { version: 2, state: 'Production' }, previousVersion: 1 });
  expect(await registry.promote('Bikes', 2, { ...by, expectedChampion: 1 })).toEqual(second);
  await expect(registry.promote('Bikes', 1, { ...by, expectedChampion: 2 })).rejects.toThrow(/only a rollback to it lets it serve again/);
  await registry.promote('Bikes', 1, { ...by, expectedChampion: 2, rollback: true });
  expect((await registry.champion('Bikes'))?.version).toBe(1);
  expect((await registry.history('Bikes')).at(-1)).toMatchObject({ action: 'RolledBack', previousChampion: 2 });
});

test('tells which version served at a moment', async () => {
  await approved('run-1');
  await approved('run-2');
  const { champion: first } = await registry.promote('Bikes', 1, by);
  await new Promise((resolve) => setTimeout(resolve, 5));
  const { champion: second } = await registry.promote('Bikes', 2, by);
  expect(await registry.servedAt('Bikes', new Date(0).toISOString())).toBeUndefined();
  expect(await registry.servedAt('Bikes', first.updatedAt)).toBe(1);
  expect(await registry.servedAt('Bikes', second.updatedAt)).toBe(2);
});

test('lists newest first by pages, and finds versions by the digest of their artifact', async () => {
  for (const runId of ['run-1', 'run-2', 'run-3']) await register(registry, 'Bikes', record(runId), by);
  const first = await registry.listVersions('Bikes', { limit: 2 });
  const second = await registry.listVersions('Bikes', { limit: 2, cursor: first.cursor });
  expect([first, second].map(({ items }) => items.map(({ version }) => version))).toEqual([[3, 2], [1]]);
  expect(second.cursor).toBeUndefined();
  expect((await registry.byDigest('a'.repeat(64))).items.map(({ version }) => version)).toEqual([1, 2, 3]);
  await expect(registry.listVersions('Bikes', { cursor: 'x' })).rejects.toThrow("'x' is no cursor of this list");
});

test('what is missing is named', async () => {
  const missing = { name: REGISTRY_ERRORS.notFound };
  await expect(registry.history('Bikes')).rejects.toMatchObject({ ...missing, message: 'Registered Model with name=Bikes not found' });
  await registry.createModel({ name: 'Bikes' }, by);
  await expect(registry.getVersion('Bikes', 7)).rejects.toMatchObject({ ...missing, message: 'Model Version (name=Bikes, version=7) not found' });
  expect(await registry.champion('Bikes')).toBeUndefined();
  expect(await registry.champion('Other')).toBeUndefined();
});

test('a lost race is run again, whatever else goes wrong is not', async () => {
  let attempts = 0;
  beforeNextWrite(() => {
    attempts += 1;
    throw cancelled('None', 'TransactionConflict');
  });
  await register(registry, 'Bikes', record('run-1'), by);
  expect(attempts).toBe(1);
  beforeNextWrite(() => {
    throw cancelled('ValidationError');
  });
  await expect(register(registry, 'Bikes', record('run-2'), by)).rejects.toBeInstanceOf(TransactionCanceledException);
});

test('a history that grows while it is read is still intact, one that was rewritten is not', async () => {
  await approved('run-1');
  let reads = 0;
  const grow = async (): Promise<void> => {
    dynamo.before = () => undefined;
    await register(registry, 'Bikes', record('run-2'), by);
  };
  let grown: Promise<void> | undefined;
  dynamo.before = (command) => {
    if (command.constructor.name === 'QueryCommand' && (reads += 1) === 1) grown = grow();
  };
  expect((await registry.verifyHistory('Bikes')).intact).toBe(true);
  await grown;
  const entry = dynamo.items('history').find(({ action }) => action === 'Approved')!;
  dynamo.put('history', { ...entry, actor: 'eve' });
  expect(await registry.verifyHistory('Bikes')).toMatchObject({ intact: false, problem: 'entry 3 was changed after it was written' });
});
