import type { Cell } from './rows';

/** How a cell of a row, from CSV text or JSON, is read; the same for training data and recorded requests. */

export type { Cell };

/** What a numeric column holds in a row: a finite number, nothing, or something else. */
export type NumericCell = number | 'missing' | 'invalid';

/** Words, in lower case, that say that there is no value. */
export const MISSING_WORDS: ReadonlySet<string> = new Set(['', 'nan', 'na', 'n/a', 'null', 'none', '<na>']);

export function readNumeric(cell: Cell): NumericCell {
  if (typeof cell === 'number') {
    return Number.isFinite(cell) ? positiveZero(cell) : Number.isNaN(cell) ? 'missing' : 'invalid';
  }
  if (cell === null || cell === undefined) {
    return 'missing';
  }
  if (typeof cell === 'boolean') {
    return cell ? 1 : 0;
  }
  const text = cell.trim();
  if (MISSING_WORDS.has(text.toLowerCase())) {
    return 'missing';
  }
  const value = Number(text);
  return Number.isFinite(value) ? positiveZero(value) : 'invalid';
}

/** JSON has no negative zero. */
const positiveZero = (value: number): number => value + 0;

/** A category's name; numbers that are equal have the same one however they are written. Undefined where the cell is empty. */
export function readCategory(cell: Cell): string | undefined {
  if (cell === null || cell === undefined || Number.isNaN(cell)) {
    return undefined;
  }
  const text = String(cell).trim();
  if (text === '') {
    return undefined;
  }
  const value = Number(text);
  return Number.isFinite(value) ? String(value) : text;
}

const ISO = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/;

/** Milliseconds of an ISO 8601 time, UTC where it names no offset; undefined where it is none. */
export function readTime(cell: Cell): number | undefined {
  const match = typeof cell === 'string' ? ISO.exec(cell.trim()) : null;
  if (match === null) {
    return undefined;
  }
  const [, day, time = '00:00:00', offset = 'Z'] = match;
  const zone = offset.length === 5 ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset;
  const milliseconds = Date.parse(`${day}T${time}${zone}`);
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}

/** `YYYY-MM`, UTC. */
export const monthOf = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 7);
