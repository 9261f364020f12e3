import { gunzipSync, gzipSync } from 'node:zlib';

/** JSON inside an item: text while it is short, so that a person can read it in the table, compressed beyond. */
export type Packed = string | Uint8Array;

const READABLE_CHARACTERS = 1_024;

export const pack = (value: unknown): Packed => {
  const text = JSON.stringify(value);
  return text.length <= READABLE_CHARACTERS ? text : gzipSync(text);
};

export const unpack = <T>(packed: Packed): T => JSON.parse(typeof packed === 'string' ? packed : gunzipSync(packed).toString('utf8')) as T;

export const packedBytes = (packed: Packed): number => (typeof packed === 'string' ? Buffer.byteLength(packed) : packed.byteLength);

/** Pieces of at most so many bytes, for what one item cannot hold; `joined` puts them together again. */
export const inPieces = (packed: Packed, bytes: number): Packed[] => {
  if (packedBytes(packed) <= bytes) return [packed];
  const all = Buffer.from(packed as Uint8Array);
  return Array.from({ length: Math.ceil(all.length / bytes) }, (_, index) => all.subarray(index * bytes, (index + 1) * bytes));
};

export const joined = (pieces: readonly Packed[]): Packed => (pieces.length === 1 ? pieces[0] : Buffer.concat(pieces as Uint8Array[]));
