import { HistoryCopiesClient } from '../../../lambda/registry/history-copies.client';
import type { ModelRegistryClient } from '../../../lambda/registry/model-registry.client';
import { MemoryDynamo } from '../../fakes/memory-dynamo';
import { MemoryBucket } from '../../fakes/memory-s3';
import { register, registryOver, versionRecord } from '../../fakes/registry';

process.env.MLOPS_HISTORY_LOCK_BUCKET = 'locked';
type Item = Record<string, unknown>;

/** As the stream tells it. */
const attribute = (value: unknown): object => {
  if (typeof value === 'number') return { N: String(value) };
  return typeof value === 'string' ? { S: value } : { M: image(value as Item) };
};
const image = (item: Item): Record<string, object> => Object.fromEntries(Object.entries(item).map(([name, value]) => [name, attribute(value)]));
const told = (...items: Item[]) => ({ Records: items.map((item, at) => ({ dynamodb: { SequenceNumber: String(at), NewImage: image(item) } })) });

let dynamo: MemoryDynamo;
let bucket: MemoryBucket;
let registry: ModelRegistryClient;
let handler: (event: never) => Promise<{ batchItemFailures: object[] }>;
const copies = new HistoryCopiesClient('locked');
const by = { actor: 'ana', reason: 'x' };

beforeEach(async () => {
  jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  dynamo = new MemoryDynamo();
  bucket = new MemoryBucket();
  bucket.install();
  registry = registryOver(dynamo.client());
  handler = (await import('../../../lambda/registry/lock-history.lambda')).handler as never;
  await register(registry, 'A', versionRecord('run-1'));
  await registry.setAlias('A', 'best', 1, by);
});
afterEach(() => jest.restoreAllMocks());

const follow = async (...items: Item[]): Promise<object> => handler(told(...items) as never);

test('copies are what was written, once, however often they are told', async () => {
  expect(await follow(...dynamo.items('history'))).toEqual({ batchItemFailures: [] });
  await follow(...dynamo.items('history'));
  expect(bucket.objects.size).toBe(3);
  expect(await registry.verifyHistory('A', copies)).toEqual({ intact: true, entries: 3 });
});

test('entries without a copy are counted', async () => {
  await follow(dynamo.items('history')[0]);
  expect(await registry.verifyHistory('A', copies)).toEqual({ intact: true, entries: 3, uncopied: 2 });
});

test('a whole history that was written anew is a good chain, but not the copied one', async () => {
  await follow(...dynamo.items('history'));
  const { modelId } = await registry.getModel('A');
  const [created] = dynamo.items('history');
  // Somebody makes the registry anew with another story under the same id, right in itself.
  const forged = new MemoryDynamo();
  const other = registryOver(forged.client());
  await register(other, 'A', versionRecord('run-1'), { actor: 'eve', reason: 'x' });
  const [{ modelId: foreign }] = forged.items('history');
  expect((await other.verifyHistory('A')).intact).toBe(true);
  expect(foreign).not.toBe(modelId);
  const compared = new HistoryCopiesClient('locked');
  jest.spyOn(compared, 'entries').mockImplementation(() => copies.entries(modelId));
  expect(await other.verifyHistory('A', compared)).toEqual({
    intact: false,
    entries: 0,
    problem: `entry ${created.sequence} is not the one that was copied when it was written`,
  });
});

test('an end that was cut off, and the registry with it, shows by its copy', async () => {
  await follow(...dynamo.items('history'));
  const shorter = new MemoryDynamo();
  const { modelId } = await registry.getModel('A');
  const cut = registryOver(shorter.client());
  for (const item of dynamo.items('registry')) shorter.put('registry', item);
  for (const item of dynamo.items('history').filter(({ sequence }) => sequence !== 3)) shorter.put('history', item);
  const second = dynamo.items('history').find(({ sequence }) => sequence === 2)!;
  const model = dynamo.items('registry').find(({ pk }) => pk === 'MODELS')!;
  shorter.put('registry', { ...model, aliases: [], historySequence: 2, historyHash: second.hash, historyAt: second.at });
  expect((await cut.verifyHistory('A')).intact).toBe(true);
  expect(await cut.verifyHistoryOf(modelId, copies)).toMatchObject({ intact: false, problem: 'entry 3 was copied when it was written and is gone' });
});

test('what cannot be copied is delivered again, and what comes after it', async () => {
  bucket.before = () => {
    throw new Error('slow down');
  };
  const answer = (await follow(...dynamo.items('history'))) as { batchItemFailures: object[] };
  expect(answer.batchItemFailures).toEqual([{ itemIdentifier: '0' }]);
});

test('removals are not copied: what is gone shows by its copy', async () => {
  expect(await handler({ Records: [{ dynamodb: {} }] } as never)).toEqual({ batchItemFailures: [] });
  expect(bucket.objects.size).toBe(0);
});
