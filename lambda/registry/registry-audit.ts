import { HistoryEntry } from '../../lib/registry/contract';
import { hashEntry, HistoryHead, HistoryVerdict, verifyChain } from './history';
import { noModel } from './names';
import { ModelRow } from './records';
import { RegistryStore } from './registry-store.client';

/** Entries as they were when they were written, kept where nobody can change them. */
export interface HistoryCopies {
  /** Every copy of each sequence, oldest first; what was copied once stays. */
  entries(modelId: string): AsyncIterable<HistoryEntry>;
}

/** Reads the history of a model, deleted or not, against the end that the registry keeps. */
export const verify = async (store: RegistryStore, modelId: string, copies?: HistoryCopies): Promise<HistoryVerdict> => {
  for (let before = await headOf(store, modelId); ; ) {
    const verdict = await verifyChain(modelId, before, store.history(modelId));
    const after = await headOf(store, modelId);
    // Entries that were added while reading look like a chain that does not end at the head; with the newer head they do not.
    if (verdict.intact || after.hash === before.hash) return verdict.intact && copies ? compare(verdict, store, modelId, copies) : verdict;
    before = after;
  }
};

const headOf = async (store: RegistryStore, modelId: string): Promise<HistoryHead> => (await modelOf(store, modelId)).head;

const modelOf = async (store: RegistryStore, modelId: string): Promise<ModelRow> => {
  const meta = await store.meta(modelId);
  if (!meta) throw noModel(modelId);
  return meta.deleted ?? store.model(meta.name);
};

/** A history that was written anew is a good chain, but not the one that was copied when it happened. */
const compare = async (verdict: HistoryVerdict, store: RegistryStore, modelId: string, copies: HistoryCopies): Promise<HistoryVerdict> => {
  const copied = new Map<number, Set<string>>();
  for await (const { hash, ...entry } of copies.entries(modelId)) {
    // A copy that does not fit its own digest counts as one of another entry.
    const hashes = (copied.get(entry.sequence) ?? new Set<string>()).add(hashEntry(entry)).add(hash);
    copied.set(entry.sequence, hashes);
  }
  const broken = (entries: number, problem: string): HistoryVerdict => ({ intact: false, entries, problem });
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
