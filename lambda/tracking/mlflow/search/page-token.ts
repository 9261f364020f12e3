import { createHash } from 'node:crypto';
import { invalid } from '../errors';
import type { SortKey } from './compare';

/** What a page token belongs to: a token that another search gave out would skip or repeat records. */
export const fingerprint = (query: unknown): string => createHash('sha256').update(JSON.stringify(query)).digest('base64url').slice(0, 22);

/** Numbers that JSON lacks are metrics at their ends. */
const finite = (value: string | number): string | number => (value === Infinity ? Number.MAX_VALUE : value === -Infinity ? -Number.MAX_VALUE : value);

export const writeToken = (print: string, last: SortKey): string =>
  Buffer.from(JSON.stringify({ query: print, last: last.map(([rank, value]) => [rank, finite(value)]) })).toString('base64');

const isSortKey = (value: unknown, length: number): value is SortKey =>
  Array.isArray(value) &&
  value.length === length &&
  value.every(
    (entry: unknown) =>
      Array.isArray(entry) && entry.length === 2 && [0, 1, 2].includes(entry[0] as number) && ['string', 'number'].includes(typeof entry[1]),
  );

/** Where the page before ended; `undefined` for the first page. */
export const readToken = (token: string, print: string, length: number): SortKey | undefined => {
  if (token === '') {
    return undefined;
  }
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(token)) {
    throw invalid('Invalid page token, could not base64-decode');
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(token, 'base64').toString('utf8'));
  } catch {
    throw invalid('Invalid page token, it is none that this server gave out');
  }
  const { query, last } = (parsed ?? {}) as { query?: unknown; last?: unknown };
  if (query !== print || !isSortKey(last, length)) {
    throw invalid('Invalid page token, it belongs to another search: ask for the first page again, without a token');
  }
  return last;
};
