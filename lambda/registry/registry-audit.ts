import { HistoryEntry } from '../../lib/registry/contract';
import { hashEntry, HistoryVerdict, verifyChain } from './history';
import { noModel } from './names';
import { ModelRow, recordDigest } from './records';
import { RegistryStore } from './registry-store.client';
import { Replay } from './replay';

/** Entries as they were when they were written, kept where nobody can change them. */
export interface HistoryCopies {
  /** Every copy, oldest entry first; what was copied once stays. */
  entries(modelId: string): AsyncIterable<HistoryEntry>;
}

/**
 * Reads the history of a model, deleted or not: against the digests that chain it, against the end that the registry keeps, against what the
 * registry says now, and against the locked copies where there are any.
 */
export const verify = async (store: RegistryStore, modelId: string, copies?: HistoryCopies): Promise<HistoryVerdict> => {
  for (let before = await modelOf(store, modelId); ; ) {
    const verdict = await compareAll(store, before, copies);
    const after = await modelOf(store, modelId);
    // What was changed while it was read looks like a history that does not fit; with the newer end it does.
    if (verdict.intact || after.head.hash === before.head.hash) return verdict;
    before = after;
  }
};

const modelOf = async (store: RegistryStore, modelId: string): Promise<ModelRow> => {
  const meta = await store.meta(modelId);
  if (!meta) throw noModel(modelId);
  return meta.deleted ?? store.model(meta.name);
};

const broken = (entries: number, problem: string): HistoryVerdict => ({ intact: false, entries, problem });

const compareAll = async (store: RegistryStore, model: ModelRow, copies: HistoryCopies | undefined): Promise<HistoryVerdict> => {
  const replay = new Replay();
  let odd: HistoryVerdict | undefined;
  const replayed = async function* (): AsyncGenerator<HistoryEntry> {
    for await (const entry of store.history(model.modelId)) {
      const problem = replay.take(entry);
      if (problem !== undefined) odd ??= broken(entry.sequence - 1, `entry ${entry.sequence} ${problem}`);
      yield entry;
    }
  };
  const verdict = await verifyChain(model.modelId, model.head, replayed());
  if (!verdict.intact || odd) return verdict.intact ? odd! : verdict;
  const difference = await differenceTo(store, model, replay);
  if (difference !== undefined) return broken(verdict.entries, difference);
  return copies ? compareCopies(verdict, store, model.modelId, copies) : verdict;
};

/** What the registry says now and the history does not. */
const differenceTo = async (store: RegistryStore, model: ModelRow, replay: Replay): Promise<string | undefined> => {
  if (replay.name !== model.name) return `the model is called ${model.name}, the history says ${replay.name}`;
  const aliases = new Map(model.aliases);
  for (const alias of new Set([...aliases.keys(), ...replay.aliases.keys()])) {
    const [is, told] = [aliases.get(alias), replay.aliases.get(alias)].map((version) => (version === undefined ? 'no version' : `v${version}`));
    if (is !== told) return `the alias ${alias} names ${is}, the history says ${told}`;
  }
  let found = 0;
  for await (const row of store.versions(model.modelId)) {
    const told = replay.versions.get(row.version);
    if (!told) return `there is a v${row.version}, the history knows none`;
    found += 1;
    if (Boolean(row.deleted) !== Boolean(told.deleted)) return `v${row.version} is ${row.deleted ? 'deleted' : 'there'}, the history says otherwise`;
    if (row.state !== told.state) return `v${row.version} is ${row.state}, the history says ${told.state}`;
    if (told.recordSha256 !== recordDigest(row)) return `the record of v${row.version} was changed after it was registered`;
  }
  return found === replay.versions.size ? undefined : `there are ${found} versions, the history says ${replay.versions.size}`;
};

/** A history that was written anew is a good chain, but not the one that was copied when it happened. */
const compareCopies = async (verdict: HistoryVerdict, store: RegistryStore, modelId: string, copies: HistoryCopies): Promise<HistoryVerdict> => {
  const copied = new Map<number, Set<string>>();
  for await (const { hash, ...entry } of copies.entries(modelId)) {
    // A copy that does not fit its own digest counts as one of another entry.
    const hashes = (copied.get(entry.sequence) ?? new Set<string>()).add(hashEntry(entry)).add(hash);
    copied.set(entry.sequence, hashes);
  }
  let last = 0;
  for await (const { sequence, hash } of store.history(modelId)) {
    const hashes = copied.get(sequence);
    if (hashes && (hashes.size > 1 || !hashes.has(hash))) {
      return broken(sequence - 1, `entry ${sequence} is not the one that was copied when it was written`);
    }
    last = sequence;
  }
  const beyond = [...copied.keys()].find((sequence) => sequence > last);
  if (beyond !== undefined) return broken(last, `entry ${beyond} was copied when it was written and is gone`);
  const uncopied = Array.from({ length: last }, (_, index) => index + 1).filter((sequence) => !copied.has(sequence));
  return uncopied.length === 0 ? verdict : { ...verdict, uncopied: uncopied.length };
};
