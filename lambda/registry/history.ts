import { createHash } from 'node:crypto';
import { HistoryEntry } from '../../lib/registry/contract';

/** What an entry says, before it takes its place in the chain. */
export type HistoryDraft = Omit<HistoryEntry, 'modelId' | 'sequence' | 'at' | 'previousHash' | 'hash'>;

/** Last link of a model's chain, kept on the model so that an entry is added without reading the history. */
export interface HistoryHead {
  readonly sequence: number;
  readonly hash: string;
  readonly at: string;
}

export interface HistoryVerdict {
  readonly intact: boolean;
  readonly entries: number;
  /** First thing that does not fit, for a person. */
  readonly problem?: string;
  /** Entries of which there is no locked copy (yet); only where copies were compared and some lack. */
  readonly uncopied?: number;
}

export const NO_HISTORY: HistoryHead = { sequence: 0, hash: '0'.repeat(64), at: '' };

/** JSON with sorted keys and without undefined values: one text per value, whatever the store did to the order. */
export const canonicalJson = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
};

/** Digest over everything that an entry says but its own digest. */
export const hashEntry = (entry: Omit<HistoryEntry, 'hash'> & { readonly hash?: undefined }): string =>
  createHash('sha256').update(canonicalJson(entry)).digest('hex');

/** Chains an entry to the head. Times never run backwards, whatever the writers' clocks say: `servedAt` relies on it. */
export const chainEntry = (modelId: string, head: HistoryHead, draft: HistoryDraft, now: string): HistoryEntry => {
  const at = now > head.at ? now : head.at;
  const entry = { ...draft, modelId, sequence: head.sequence + 1, at, previousHash: head.hash };
  return { ...entry, hash: hashEntry(entry) };
};

/** Finds overwritten, missing and added entries; `head` stands in the other table, so a cut-off end shows too. */
export const verifyChain = async (
  modelId: string,
  head: HistoryHead,
  entries: AsyncIterable<HistoryEntry> | Iterable<HistoryEntry>,
): Promise<HistoryVerdict> => {
  let previous = NO_HISTORY;
  const broken = (problem: string): HistoryVerdict => ({ intact: false, entries: previous.sequence, problem });
  for await (const { hash, ...entry } of entries) {
    const expected = previous.sequence + 1;
    if (entry.sequence !== expected) return broken(`entry ${expected} is missing: after ${previous.sequence} comes ${entry.sequence}`);
    if (entry.modelId !== modelId) return broken(`entry ${expected} belongs to another model (${entry.modelId})`);
    if (entry.previousHash !== previous.hash) return broken(`entry ${expected} does not follow entry ${previous.sequence}: one of them was replaced`);
    if (hashEntry(entry) !== hash) return broken(`entry ${expected} was changed after it was written`);
    if (entry.at < previous.at) return broken(`entry ${expected} is older than entry ${previous.sequence}`);
    previous = { sequence: entry.sequence, hash, at: entry.at };
  }
  if (previous.sequence !== head.sequence) return broken(`the last entry is ${previous.sequence}, the model counts ${head.sequence}`);
  if (previous.hash !== head.hash) return broken(`the last entry (${previous.sequence}) is not the one that the model was last changed with`);
  return { intact: true, entries: previous.sequence };
};
