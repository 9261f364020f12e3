/**
 * Hashes that are the same on every machine and in every process, so that what is made with them can be merged. All are signed 32-bit integers, which
 * need no memory of their own.
 */

const A = 0xcc9e2d51;
const B = 0x1b873593;

const bits = new DataView(new ArrayBuffer(8));

/** Murmur3's last step: every bit of the input reaches every bit of the result. */
export const finish = (hash: number): number => {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
};

const mix = (hash: number, word: number): number => {
  const k = Math.imul(word, A);
  const h = hash ^ Math.imul((k << 15) | (k >>> 17), B);
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
};

/** Of two 32-bit words. */
export const hashWords = (low: number, high: number, seed = 0): number => finish(mix(mix(seed, low), high) ^ 8);

export const hashNumber = (value: number, seed = 0): number => {
  bits.setFloat64(0, value, true);
  return hashWords(bits.getInt32(0, true), bits.getInt32(4, true), seed);
};

const START = 0x9e3779b9;
const SPACE = 32;
const QUOTE = 34;
const BACKSLASH = 92;
const FACTOR = 0x01000193;

/** Of UTF-8 text. */
export const hashBytes = (bytes: Uint8Array, start: number, end: number, seed = 0): number => {
  let hash = seed ^ START;
  for (let at = start; at < end; at += 1) {
    hash = Math.imul(hash ^ bytes[at], FACTOR);
  }
  return finish(hash ^ (end - start));
};

const encoder = new TextEncoder();

export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** What `hashBytes` answers for the text's UTF-8. */
export const hashText = (text: string, seed = 0): number => {
  let hash = seed ^ START;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code > 127) {
      const bytes = utf8(text);
      return hashBytes(bytes, 0, bytes.length, seed);
    }
    hash = Math.imul(hash ^ code, FACTOR);
  }
  return finish(hash ^ text.length);
};

/** Seed of the second half of an id's hash. */
export const ID_SEED = 0x5bd1e995;

/**
 * Of an id in JSON text, both halves in one pass over its bytes, as `hashText` answers them: put at `place` of `hashes`. Answers where the string
 * ends that begins at `from`; -1 where it holds escapes or control characters, or does not end within the bytes.
 */
export function hashString(bytes: Uint8Array, from: number, hashes: Int32Array, place: number): number {
  let low = START | 0;
  let high = ID_SEED ^ START;
  let index = from;
  let byte = bytes[index];
  while (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH) {
    low = Math.imul(low ^ byte, FACTOR);
    high = Math.imul(high ^ byte, FACTOR);
    index += 1;
    byte = bytes[index];
  }
  hashes[place] = finish(low ^ (index - from));
  hashes[place + 1] = finish(high ^ (index - from));
  return byte === QUOTE ? index : -1;
}
