import { MISSING_WORDS } from '../values';

/** Numbers, words and text straight from the UTF-8 bytes of a field, without making strings where that can be avoided. */

const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const EXACT = 2 ** 53;
/** Powers of ten that a double holds exactly. */
export const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));
/** Decimal digits of which a 32-bit integer holds every number. */
export const EXACT_DIGITS = 9;
/** Decimal digits that two of them hold. */
const MOST_DIGITS = 2 * EXACT_DIGITS;

/**
 * Number of four digits that stand in a row in a little-endian word, -1 where something else does: all have the upper half 3, also after six has
 * been added, which no digit carries over.
 */
export function fourDigits(word: number): number {
  if (((word & 0xf0f0f0f0) | (((word + 0x06060606) & 0xf0f0f0f0) >>> 4)) !== 0x33333333) {
    return -1;
  }
  const pairs = (Math.imul(word & 0x0f0f0f0f, 2561) >>> 8) & 0x00ff00ff;
  return Math.imul(pairs, 6553601) >>> 16;
}

let viewed: Uint8Array | undefined;
let view: Buffer;

/** The bytes as a Buffer, whose methods are native; kept, since fields come from the same bytes many times in a row. */
function bufferOf(bytes: Uint8Array): Buffer {
  if (bytes !== viewed) {
    view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    viewed = bytes;
  }
  return view;
}

/** Text of the bytes; what is no UTF-8 becomes U+FFFD. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  for (let index = start; index < end; index += 1) {
    if (bytes[index] > 127) {
      return bufferOf(bytes).toString('utf8', start, end);
    }
  }
  return asciiOf(bytes, start, end);
}

/** What `toString` of a Buffer calls in the end: its checks of the arguments cost as much as the text of an id. */
interface Latin1 {
  latin1Slice(start: number, end: number): string;
}

/** The same where all of the bytes are known to be ASCII. */
export const asciiOf = (bytes: Uint8Array, start: number, end: number): string => (bufferOf(bytes) as unknown as Latin1).latin1Slice(start, end);

/** What `Number(text)` answers for the field's text, surrounding white space aside; NaN also where the field is blank. */
export function parseNumber(bytes: Uint8Array, start: number, end: number): number {
  let index = start;
  const negative = index < end && bytes[index] === MINUS;
  if (negative) {
    index += 1;
  }
  const first = index;
  let high = 0;
  let low = 0;
  let digits = 0;
  let point = -1;
  for (; index < end; index += 1) {
    const digit = bytes[index] - ZERO;
    if (digit >= 0 && digit <= 9) {
      if (digits < EXACT_DIGITS) {
        high = (Math.imul(high, 10) + digit) | 0;
      } else {
        low = (Math.imul(low, 10) + digit) | 0;
      }
      digits += 1;
    } else if (digit === DOT - ZERO && point < 0) {
      point = index;
    } else {
      return parseSlowly(bytes, start, end);
    }
    if (digits > MOST_DIGITS) {
      return parseSlowly(bytes, start, end);
    }
  }
  if (digits === 0) {
    return first === end && !negative ? NaN : parseSlowly(bytes, start, end);
  }
  const mantissa = digits <= EXACT_DIGITS ? high : high * POWERS[digits - EXACT_DIGITS] + low;
  // Mantissa and power are exact, so that their one quotient is the nearest double; a mantissa that is not exact is not below 2^53 either.
  if (mantissa >= EXACT) {
    return parseSlowly(bytes, start, end);
  }
  const size = point < 0 ? mantissa : mantissa / POWERS[end - point - 1];
  return negative ? -size : size;
}

function parseSlowly(bytes: Uint8Array, start: number, end: number): number {
  const text = textOf(bytes, start, end).trim();
  return text === '' ? NaN : Number(text);
}

const LONGEST_WORD = Math.max(...[...MISSING_WORDS].map((word) => word.length));

const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);

/** Whether the field says that there is no value: blank, or a word such as `NA`. */
export function isMissing(bytes: Uint8Array, start: number, end: number): boolean {
  let from = start;
  let to = end;
  while (from < to && isSpace(bytes[from])) {
    from += 1;
  }
  while (to > from && isSpace(bytes[to - 1])) {
    to -= 1;
  }
  if (from === to) {
    return true;
  }
  const initial = bytes[from];
  // All words begin with n or <; other white space of Unicode is not ASCII.
  if (initial !== 110 && initial !== 78 && initial !== 60 && initial < 128 && bytes[to - 1] < 128) {
    return false;
  }
  if (to - from > LONGEST_WORD && initial < 128 && bytes[to - 1] < 128) {
    return false;
  }
  return MISSING_WORDS.has(textOf(bytes, from, to).trim().toLowerCase());
}
