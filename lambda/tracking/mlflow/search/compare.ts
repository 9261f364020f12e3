import type { Order, Value } from './query';

/** Where a record stands in an order: for each of its fields whether it is there (0), NaN (1) or absent (2), and its value. */
export type SortKey = readonly (readonly [rank: 0 | 1 | 2, value: string | number])[];

export const sortEntry = (value: Value): SortKey[number] =>
  value === undefined ? [2, 0] : typeof value === 'number' && Number.isNaN(value) ? [1, 0] : [0, value];

/** By code points, as a database compares UTF-8; JavaScript alone would put what lies beyond 16 bits before other letters. */
export const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) {
      return beyond(left) - beyond(right);
    }
  }
  return a.length - b.length;
};

/** Half of a pair counts more than any other unit. */
const beyond = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

const compareValues = (a: string | number, b: string | number): number =>
  typeof a === 'string' && typeof b === 'string' ? compareText(a, b) : a < b ? -1 : a > b ? 1 : 0;

/** Absent values stand last and NaN just before them, in both directions. */
export const comparator =
  (orders: readonly Order[]) =>
  (a: SortKey, b: SortKey): number => {
    for (const [index, { ascending }] of orders.entries()) {
      const [left, right] = [a[index], b[index]];
      if (left[0] !== right[0]) {
        return left[0] - right[0];
      }
      const difference = compareValues(left[1], right[1]);
      if (difference !== 0) {
        return ascending ? difference : -difference;
      }
    }
    return 0;
  };

/** Letters of ASCII alone, as SQLite folds them. */
const folded = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** LIKE: `%` any text, `_` one character, nothing escapes. */
export const liker = (pattern: string, ignoreCase: boolean): ((text: string) => boolean) => {
  const wanted = ignoreCase ? folded(pattern) : pattern;
  return (text) => isLike(ignoreCase ? folded(text) : text, wanted);
};

const width = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);

/** Goes back to the last `%` alone: at most the product of both lengths, however many there are. */
const isLike = (text: string, pattern: string): boolean => {
  let [at, in_] = [0, 0];
  let [star, mark] = [-1, 0];
  while (at < text.length) {
    const expected = pattern[in_];
    if (expected === '%') {
      star = in_++;
      mark = at;
    } else if (expected === '_') {
      in_++;
      at += width(text, at);
    } else if (expected === text[at]) {
      in_++;
      at++;
    } else if (star >= 0) {
      mark += width(text, mark);
      at = mark;
      in_ = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[in_] === '%') in_++;
  return in_ === pattern.length;
};
