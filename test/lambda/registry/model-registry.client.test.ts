import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type Change, ModelRegistryClient } from '../../../lambda/registry/model-registry.client';
import { REGISTRY_ERRORS, type VersionRecord } from '../../../lib/registry/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';

const by: Change = { actor: 'ana', reason: 'because' };

const record = (runId: string, changes: Partial<VersionRecord> = {}): VersionRecord => ({
  artifact: { uri: 's3://artifacts/model.tar.gz', sha256: 'a'.repeat(64) },
  dataManifestUri: 's3://artifacts/manifest.json',
  dataId: 'data',
  code: { uri: 's3://code/code.tar.gz', sha256: 'b'.repeat(64), entryPoint: 'train.py' },
  image: 'xgboost:3.0-5',
  hyperparameters: {},
  metrics: { rmse: 64.25 },
  schema: { columns: [], target: 'cnt' },
  gate: { passed: true, reason: 'first version', reportUri: 's3://reports/gate.json' },
  baselineUri: 's3://reports/baseline.json',
  sagemakerModelName: 'bikes-1',
  runId,
  causeId: 'cause',
  cause: 'somebody asked',
  ...changes,
});

let dynamo: MemoryDynamo;
let registry: ModelRegistryClient;

beforeEach(() => {
  dynamo = new MemoryDynamo();
  registry = new ModelRegistryClient('registry', 'history', dynamo.client());
});

const approved = async (runId: string): Promise<number> => {
  const { version } = await registry.registerVersion('Bikes', record(runId), by);
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
  const made = await Promise.all(Array.from({ length: 20 }, (_, run) => registry.registerVersion('Bikes', record(`run-${run}`), by)));
  expect(made.map(({ version }) => version).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  expect(await registry.verifyHistory('Bikes')).toEqual({ intact: true, entries: 20 });
});

test('a run registers once, also where its answer was lost', async () => {
  const first = await registry.registerVersion('Bikes', record('run-1'), by);
  expect(await registry.registerVersion('Bikes', record('run-1', { metrics: { rmse: 1 } }), by)).toEqual(first);
  expect(await registry.history('Bikes')).toHaveLength(1);
});

test('a model that somebody else makes at the same moment is that one model', async () => {
  const other = new ModelRegistryClient('registry', 'history', dynamo.client());
  const [one, two] = await Promise.all([registry.ensureModel('Bikes', 'ana'), other.ensureModel('Bikes', 'bob')]);
  expect(one).toEqual(two);
  expect((await registry.listModels()).items).toEqual([one]);
});

test('states move along their table only, and Production only by promotion', async () => {
  await registry.registerVersion('Bikes', record('run-1'), by);
  const illegal = { name: REGISTRY_ERRORS.illegalTransition };
  await expect(registry.promote('Bikes', 1, by)).rejects.toMatchObject({ ...illegal, message: expect.stringContaining('is PendingApproval') });
  await expect(registry.transition('Bikes', 1, 'Production', by)).rejects.toMatchObject(illegal);
  await registry.transition('Bikes', 1, 'Approved', by);
  expect(await registry.transition('Bikes', 1, 'Approved', by)).toMatchObject({ state: 'Approved' });
  await expect(registry.transition('Bikes', 1, 'PendingApproval', by)).rejects.toMatchObject(illegal);
  await registry.promote('Bikes', 1, by);
  await expect(registry.transition('Bikes', 1, 'Archived', by)).rejects.toMatchObject(illegal);
  expect((await registry.history('Bikes')).map(({ action }) => action)).toEqual(['Registered', 'Approved', 'Promoted']);
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
  await registry.promote('Bikes', 1, { ...by, expectedChampion: 2 });
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
  for (const runId of ['run-1', 'run-2', 'run-3']) await registry.registerVersion('Bikes', record(runId), by);
  const first = await registry.listVersions('Bikes', { limit: 2 });
  const second = await registry.listVersions('Bikes', { limit: 2, cursor: first.cursor });
  expect([first, second].map(({ items }) => items.map(({ version }) => version))).toEqual([[3, 2], [1]]);
  expect(second.cursor).toBeUndefined();
  expect((await registry.byDigest('a'.repeat(64))).items.map(({ version }) => version)).toEqual([1, 2, 3]);
  await expect(registry.listVersions('Bikes', { cursor: 'x' })).rejects.toThrow("'x' is no cursor of this list");
});

test('what is missing is named', async () => {
  const missing = { name: REGISTRY_ERRORS.notFound };
  await expect(registry.history('Bikes')).rejects.toMatchObject({ ...missing, message: 'there is no model Bikes' });
  await registry.ensureModel('Bikes');
  await expect(registry.getVersion('Bikes', 7)).rejects.toMatchObject({ ...missing, message: 'Bikes has no version 7' });
  expect(await registry.champion('Bikes')).toBeUndefined();
  expect(await registry.champion('Other')).toBeUndefined();
});

test('a lost race is run again, whatever else goes wrong is not', async () => {
  let attempts = 0;
  beforeNextWrite(() => {
    attempts += 1;
    throw cancelled('None', 'TransactionConflict');
  });
  await registry.registerVersion('Bikes', record('run-1'), by);
  expect(attempts).toBe(1);
  beforeNextWrite(() => {
    throw cancelled('ValidationError');
  });
  await expect(registry.registerVersion('Bikes', record('run-2'), by)).rejects.toBeInstanceOf(TransactionCanceledException);
});

test('a history that grows while it is read is still intact, one that was rewritten is not', async () => {
  await approved('run-1');
  let reads = 0;
  const grow = async (): Promise<void> => {
    dynamo.before = () => undefined;
    await registry.registerVersion('Bikes', record('run-2'), by);
  };
  let grown: Promise<void> | undefined;
  dynamo.before = (command) => {
    if (command.constructor.name === 'QueryCommand' && (reads += 1) === 1) grown = grow();
  };
  expect((await registry.verifyHistory('Bikes')).intact).toBe(true);
  await grown;
  const entry = dynamo.items('history').find(({ action }) => action === 'Approved')!;
  dynamo.put('history', { ...entry, actor: 'eve' });
  expect(await registry.verifyHistory('Bikes')).toMatchObject({ intact: false, problem: 'entry 2 was changed after it was written' });
});
