import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { NamedError } from '../../../lambda/common/errors';
import type { ModelRegistryClient } from '../../../lambda/registry/model-registry.client';
import { Replay } from '../../../lambda/registry/replay';
import { CHAMPION_ALIAS, REGISTRY_ERRORS, type VersionState } from '../../../lib/registry/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { register, registryOver, versionRecord } from '../../fakes/registry';

const NAMES = ['A', 'B'];
const by = { actor: 'arn:aws:sts::1:assumed-role/R/ana', reason: 'x' };

type Operation = (registry: ModelRegistryClient) => Promise<unknown>;

const name = fc.constantFrom(...NAMES);
const version = fc.integer({ min: 1, max: 3 });
const alias = fc.constantFrom(CHAMPION_ALIAS, 'best');
const state = fc.constantFrom<VersionState>('PendingApproval', 'Approved', 'Approved', 'Rejected', 'Archived');
const stage = fc.constantFrom('None' as const, 'Staging' as const, 'Production' as const, 'Archived' as const);

const operation: fc.Arbitrary<[string, Operation]> = fc.oneof(
  name.map((one): [string, Operation] => [`create ${one}`, (registry) => registry.createModel({ name: one }, by)]),
  name.map((one): [string, Operation] => [`version ${one}`, (registry) => registry.createVersion(one, { source: 's3://x', tags: { a: 'b' } }, by)]),
  fc.tuple(name, fc.integer({ min: 1, max: 6 })).map(([one, run]): [string, Operation] => [
    `register ${one} ${run}`,
    (registry) => register(registry, one, versionRecord(`run-${run}`)),
  ]),
  fc.tuple(name, name).map(([one, other]): [string, Operation] => [`rename ${one} ${other}`, (registry) => registry.renameModel(one, other, by)]),
  name.map((one): [string, Operation] => [`delete ${one}`, (registry) => registry.deleteModel(one, by)]),
  fc.tuple(name, version).map(([one, two]): [string, Operation] => [`drop ${one} ${two}`, (registry) => registry.deleteVersion(one, two, by)]),
  fc.tuple(name, version, state).map(([one, two, to]): [string, Operation] => [
    `move ${one} ${two} ${to}`,
    (registry) => registry.transition(one, two, to, by),
  ]),
  fc.tuple(name, version).map(([one, two]): [string, Operation] => [`promote ${one} ${two}`, (registry) => registry.promote(one, two, by)]),
  fc.tuple(name, version).map(([one, two]): [string, Operation] => [
    `roll ${one} back to ${two}`,
    (registry) => registry.promote(one, two, { ...by, rollback: true }),
  ]),
  fc.tuple(name, version, alias).map(([one, two, to]): [string, Operation] => [
    `alias ${one} ${two} ${to}`,
    (registry) => registry.setAlias(one, to, two, by),
  ]),
  fc.tuple(name, alias).map(([one, to]): [string, Operation] => [`unalias ${one} ${to}`, (registry) => registry.deleteAlias(one, to, by)]),
  fc.tuple(name, version, stage).map(([one, two, to]): [string, Operation] => [
    `stage ${one} ${two} ${to}`,
    (registry) => registry.setStage(one, two, to, to === 'Staging', by),
  ]),
  fc.tuple(name, version, fc.constantFrom('v', 'w')).map(([one, two, value]): [string, Operation] => [
    `tag ${one} ${two}`,
    (registry) => registry.setVersionTag(one, two, 'k', value, by),
  ]),
);

/** What may go wrong beside a refusal: another writer, a busy table, a writer that dies before its transaction is sent or after it is done. */
type Fault = 'none' | 'conflict' | 'throttled' | 'dies before' | 'dies after';
const fault = fc.constantFrom<Fault>('none', 'none', 'none', 'conflict', 'throttled', 'dies before', 'dies after');

const cancelled = (code: string): Error =>
  new TransactionCanceledException({ message: 'cancelled', $metadata: {}, CancellationReasons: [{ Code: code }] });

const REFUSALS = new Set<string>([...Object.values(REGISTRY_ERRORS), 'Died']);

/** Runs the operations in batches at once, with the faults one after the other, each on a transaction of its own. */
const run = async (dynamo: MemoryDynamo, batches: readonly (readonly [string, Operation])[][], faults: readonly Fault[]): Promise<void> => {
  const queue = [...faults];
  const client = dynamo.client();
  const send = dynamo.send.bind(dynamo);
  dynamo.send = async (command) => {
    // Every request yields, so that operations of one batch interleave.
    await new Promise((resolve) => setImmediate(resolve));
    if (command.constructor.name !== 'TransactWriteCommand') return send(command);
    const next = queue.shift() ?? 'none';
    if (next === 'conflict') throw cancelled('TransactionConflict');
    if (next === 'throttled') throw Object.assign(new Error('slow down'), { name: 'ThrottlingException' });
    if (next === 'dies before') throw new NamedError('Died', 'before');
    const answer = await send(command);
    if (next === 'dies after') throw new NamedError('Died', 'after');
    return answer;
  };
  for (const batch of batches) {
    const results = await Promise.allSettled(batch.map(([, act]) => act(registryOver(client))));
    for (const result of results) if (result.status === 'rejected') expect(REFUSALS).toContain((result.reason as Error).name);
  }
  dynamo.send = send;
};

/** A is a pipeline's model with a champion and a candidate, B one that somebody keeps by hand. */
const begin = async (dynamo: MemoryDynamo): Promise<void> => {
  const registry = registryOver(dynamo.client());
  for (const runId of ['run-8', 'run-9']) await register(registry, 'A', versionRecord(runId));
  for (const number of [1, 2]) await registry.transition('A', number, 'Approved', by);
  await registry.promote('A', 1, by);
  await registry.createModel({ name: 'B' }, by);
  for (let count = 0; count < 2; count += 1) await registry.createVersion('B', { source: 's3://x' }, by);
  await registry.setAlias('B', CHAMPION_ALIAS, 1, by);
};

const check = async (dynamo: MemoryDynamo): Promise<void> => {
  const registry = registryOver(dynamo.client());
  const ids = new Set(dynamo.items('history').map(({ modelId }) => modelId as string));
  for (const modelId of ids) {
    const replay = new Replay();
    const entries = await registry.historyOf(modelId);
    for (const entry of entries) expect(replay.take(entry)).toBeUndefined();
    expect(await registry.verifyHistoryOf(modelId)).toEqual({ intact: true, entries: entries.length });
    const numbers = dynamo
      .items('registry')
      .filter(({ pk, sk }) => pk === `MODEL#${modelId}` && String(sk).startsWith('VERSION#'))
      .map(({ version: number }) => number as number)
      .sort((one, other) => one - other);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1));
    expect([...replay.versions.values()].filter((one) => one.state === 'Production' && !one.deleted).length).toBeLessThanOrEqual(1);
  }
  for (const { name: one, modelId, managed, aliases, latest } of (await registry.listModels({ limit: 100 })).items) {
    const { items } = await registry.listVersions(one, { limit: 100 });
    const champion = await registry.champion(one);
    // The copy is what it is a copy of.
    expect(champion).toEqual(items.find((found) => found.version === aliases[CHAMPION_ALIAS]));
    expect(await registry.servedAt(one, '2999-01-01')).toBe(champion?.version);
    if (managed && champion) expect(champion).toMatchObject({ state: 'Production', missing: [] });
    for (const kind of ['None', 'Staging', 'Production', 'Archived'] as const) {
      expect(latest[kind]).toBe(items.find((found) => found.stage === kind)?.version);
    }
    const runs = items.filter((found) => found.createdBy === 'pipeline').map(({ runId }) => runId);
    expect(new Set(runs).size).toBe(runs.length);
    expect(ids).toContain(modelId);
  }
};

jest.setTimeout(60_000);

test('whatever many writers do at once, and whatever fails, the registry is whole and its history tells of it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(operation, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 12 }),
      fc.array(fault, { maxLength: 30 }),
      async (batches, faults) => {
        const dynamo = new MemoryDynamo();
        await begin(dynamo);
        await run(dynamo, batches, faults);
        await check(dynamo);
      },
    ),
    { numRuns: 150 },
  );
});

test('a change that fails in the middle has either happened, with its entry, or not', async () => {
  for (const dies of ['dies before', 'dies after'] as const) {
    const dynamo = new MemoryDynamo();
    const registry = registryOver(dynamo.client());
    await registry.createModel({ name: 'A' }, by);
    await run(dynamo, [[['version', (one) => one.createVersion('A', { source: 's3://x', tags: { a: 'b' } }, by)]]], [dies]);
    expect((await registry.listVersions('A')).items).toHaveLength(dies === 'dies after' ? 1 : 0);
    expect(await registry.history('A')).toHaveLength(dies === 'dies after' ? 2 : 1);
    await check(dynamo);
  }
});

test('a table that stays busy is told as a conflict, and nothing was written', async () => {
  const dynamo = new MemoryDynamo();
  const registry = registryOver(dynamo.client());
  await registry.createModel({ name: 'A' }, by);
  const before = dynamo.items('registry');
  const wait = jest.spyOn(global, 'setTimeout').mockImplementation(((act: () => void) => setImmediate(act)) as never);
  dynamo.before = (command) => {
    if (command.constructor.name === 'TransactWriteCommand') throw cancelled('ThrottlingError');
  };
  await expect(registry.createVersion('A', { source: 's3://x' }, by)).rejects.toMatchObject({
    name: REGISTRY_ERRORS.conflict,
    message: 'A is changed by too many writers at once, nothing was written: try again',
  });
  wait.mockRestore();
  expect(dynamo.items('registry')).toEqual(before);
});

test('what was changed behind the history shows: states, aliases, records, versions', async () => {
  const tamper = async (change: (item: Record<string, unknown>) => Record<string, unknown> | undefined, sk: RegExp): Promise<string | undefined> => {
    const dynamo = new MemoryDynamo();
    const registry = registryOver(dynamo.client());
    await register(registry, 'A', versionRecord('run-1'));
    await register(registry, 'A', versionRecord('run-2'));
    const item = dynamo.items('registry').find((one) => sk.test(String(one.sk)))!;
    dynamo.put('registry', { ...item, ...change(item) });
    return (await registry.verifyHistory('A')).problem;
  };
  expect(await tamper(() => ({ state: 'Approved' }), /^VERSION#0000001/)).toBe('v1 is Approved, the history says PendingApproval');
  expect(await tamper(() => ({ deleted: true }), /^VERSION#0000002/)).toBe('v2 is deleted, the history says otherwise');
  expect(await tamper(() => ({ aliases: [[CHAMPION_ALIAS, 2]] }), /^A$/)).toBe('the alias champion names v2, the history says no version');
  expect(await tamper(() => ({ source: 's3://other' }), /^VERSION#0000001/)).toBe('the record of v1 was changed after it was registered');
  expect(await tamper((item) => ({ sk: 'VERSION#0000003', version: 3, record: item.record }), /^VERSION#0000002/)).toBe(
    'there is a v3, the history knows none',
  );
});
