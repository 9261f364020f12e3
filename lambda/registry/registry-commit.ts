import { TransactWriteCommand, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { REGISTRY_KEYS } from '../../lib/registry/contract';
import { Item } from '../common/dynamo.client';
import { chainEntry, HistoryDraft } from './history';
import { Overflow } from './labels';
import {
  aliasesOf,
  championKey,
  championOf,
  FreeName,
  historyItem,
  labelKey,
  metaKey,
  modelItem,
  modelKey,
  ModelRow,
  runKey,
  tagPartition,
  versionItem,
  VersionRow,
} from './records';
import type { RegistryStore } from './registry-store.client';

type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A change of one model: what its items become, and the one entry that tells of it. */
export interface ModelChange {
  /** Absent where the model is made. */
  readonly before?: ModelRow;
  readonly after: ModelRow;
  readonly entry: HistoryDraft;
  readonly versions?: readonly VersionRow[];
  readonly overflow?: readonly Overflow[];
  /** Tags that were set, of the model itself or of a version. */
  readonly tagged?: { readonly version?: number; readonly tags: Iterable<readonly [key: string, value: string]> };
  /** Run that a new version came from, and whether it may register only once. */
  readonly run?: { readonly runId: string; readonly version: number; readonly once: boolean };
  /** The model gives its name up and is gone. */
  readonly deleted?: boolean;
}

/** The items as they were written. */
export interface Committed {
  readonly model: ModelRow;
  readonly versions: readonly VersionRow[];
}

const PARTS_PER_TRANSACTION = 100;
const BYTES_PER_TRANSACTION = 3_500_000;
export const KEPT_FORMER_IDS = 20;

/** Times of the entry stand in the items too; a row says "now" with this. */
export const NOW = '';

/**
 * Writes a change in one transaction whose condition is that nobody else changed the model since `before` was read. What else it may need
 * (long tags, places under which tags are found) goes before it where one transaction has no room: readers see none of it without the items
 * that the transaction writes.
 */
export const commit = async (store: RegistryStore, change: ModelChange, now = new Date().toISOString()): Promise<Committed> => {
  const { before, after } = change;
  const entry = chainEntry(after.modelId, after.head, change.entry, now);
  const stamped = (time: string): string => (time === NOW ? entry.at : time);
  const saved: ModelRow = {
    ...after,
    createdAt: stamped(after.createdAt),
    updatedAt: stamped(after.updatedAt),
    renamedAt: after.renamedAt === NOW ? entry.at : after.renamedAt,
    head: { sequence: entry.sequence, hash: entry.hash, at: entry.at },
  };
  const versions = (change.versions ?? []).map((row) => ({ ...row, createdAt: stamped(row.createdAt), updatedAt: stamped(row.updatedAt) }));
  const put = (Item: Item, condition: Partial<NonNullable<Write['Put']>> = {}): Write => ({ Put: { TableName: store.table, Item, ...condition } });
  const absent = { ConditionExpression: 'attribute_not_exists(pk)' };

  const core: Write[] = [
    ...names(put, before, saved, change.deleted),
    { Put: { TableName: store.historyTable, Item: historyItem(entry), ...absent } },
    ...versions.map((row) => put(versionItem(row))),
    ...(change.run?.once ? [put({ ...runKey(saved.modelId, change.run.runId), version: change.run.version }, absent)] : []),
    ...(await champion(put, store, before, change.deleted ? undefined : saved, saved, versions)),
  ];
  const aside = [
    ...(change.overflow ?? []).map(({ set, key, value }) => put({ ...labelKey(saved.modelId, set, key), key, value })),
    ...[...(change.tagged?.tags ?? [])].map(([key, value]) => put(reference(tagPartition(key, value), saved.modelId, change.tagged?.version))),
    ...(change.run ? [put(reference(REGISTRY_KEYS.run(change.run.runId), saved.modelId, change.run.version))] : []),
  ];
  const [last, ...first] = chunks(core, aside);
  for (const parts of first) await store.db.send(new TransactWriteCommand({ TransactItems: parts }));
  await store.db.send(new TransactWriteCommand({ TransactItems: last }));
  return { model: saved, versions };
};

const reference = (pk: string, modelId: string, version?: number): Item => ({ pk, sk: REGISTRY_KEYS.reference(modelId, version), modelId, version });

/** The name's claim with everything that the model is, and the way back from its id. */
const names = (
  put: (item: Item, condition?: object) => Write,
  before: ModelRow | undefined,
  saved: ModelRow,
  deleted: boolean | undefined,
): Write[] => {
  const { modelId } = saved;
  const meta = (more: object = {}): Write => put({ ...metaKey(modelId), modelId, name: saved.name, ...more });
  const unclaimed = {
    ConditionExpression: 'attribute_not_exists(pk) OR #free = :free',
    ExpressionAttributeNames: { '#free': 'free' },
    ExpressionAttributeValues: { ':free': true },
  };
  if (!before) return [put(modelItem(saved), unclaimed), meta()];
  const unchanged = {
    ConditionExpression: 'modelId = :id AND historyHash = :hash',
    ExpressionAttributeValues: { ':id': modelId, ':hash': before.head.hash },
  };
  const free = (formerIds: readonly string[]): Write => {
    const left: FreeName = { free: true, formerIds: formerIds.slice(0, KEPT_FORMER_IDS) };
    return put({ ...modelKey(before.name), ...left }, unchanged);
  };
  if (deleted) return [free([modelId, ...before.formerIds]), meta({ deleted: saved })];
  if (saved.name !== before.name) return [free(before.formerIds), put(modelItem(saved), unclaimed), meta()];
  return [put(modelItem(saved), unchanged)];
};

/** Keeps the copy that tells what serves in step with what it is a copy of, and notes since when which version serves. */
const champion = async (
  put: (item: Item) => Write,
  store: RegistryStore,
  before: ModelRow | undefined,
  after: ModelRow | undefined,
  { modelId, head }: ModelRow,
  versions: readonly VersionRow[],
): Promise<Write[]> => {
  const was = championOf(before);
  const is = championOf(after);
  const writes: Write[] = [];
  if (was !== is) writes.push(put({ pk: REGISTRY_KEYS.model(modelId), sk: REGISTRY_KEYS.served(head.at, head.sequence), version: is }));
  const moved = before !== undefined && before.name !== after?.name;
  if (before && was !== undefined && (is === undefined || moved)) writes.push(put({ ...championKey(before.name), free: true }));
  if (!after || is === undefined) return writes;
  const changed = versions.find(({ version }) => version === is);
  const renamed = JSON.stringify(aliasesOf(after, is)) !== JSON.stringify(before && aliasesOf(before, is));
  if (was === is && !moved && !changed && !renamed) return writes;
  const row = changed ?? (await store.version(before ?? after, is));
  const aliases = after.aliases.filter(([, version]) => version === is);
  return [...writes, put({ ...championKey(after.name), modelId, champion: versionItem(row), aliases, renamedAt: after.renamedAt })];
};

/** One transaction where it has room for all, else the last one of several: everything aside comes first. */
const chunks = (core: readonly Write[], aside: readonly Write[]): Write[][] => {
  const size = (parts: readonly Write[]): number => Buffer.byteLength(JSON.stringify(parts));
  if (core.length + aside.length <= PARTS_PER_TRANSACTION && size([...core, ...aside]) <= BYTES_PER_TRANSACTION) return [[...core, ...aside]];
  const first: Write[][] = [];
  let bytes = Infinity;
  for (const part of aside) {
    const more = size([part]);
    if (bytes + more > BYTES_PER_TRANSACTION || first.at(-1)!.length === PARTS_PER_TRANSACTION) {
      first.push([]);
      bytes = 0;
    }
    first.at(-1)!.push(part);
    bytes += more;
  }
  return [[...core], ...first];
};
