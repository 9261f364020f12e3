import type { Cell } from '../rows';
import { readCategory, readNumeric } from '../values';

/** Longer text is cut. */
const LONGEST = 40;

/**
 * What a cell looks like, without what it says: letters become a and A, digits 9, and of a number one digit is left. Enough to see that a date stands
 * where an amount should, too little to tell whose it is.
 */
export function redacted(cell: Cell): string {
  if (readCategory(cell) === undefined) return '(empty)';
  const value = readNumeric(cell);
  if (typeof value === 'number') return `about ${Number(value.toPrecision(1))}`;
  const text = [...String(cell)].slice(0, LONGEST).map(looks).join('');
  return text.length < String(cell).length ? `${text}…` : text;
}

function looks(character: string): string {
  if (/\p{Lu}/u.test(character)) return 'A';
  if (/\p{L}/u.test(character)) return 'a';
  if (/\p{N}/u.test(character)) return '9';
  return /[ -~]/.test(character) ? character : '?';
}
