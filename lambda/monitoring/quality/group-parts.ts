import { placesOf } from './estimate';
import type { Parts } from './figures';
import { NO_GROUP, OTHER, type QualityTable } from './table';

/** Groups of a column that are looked at; the rows of all others go together. */
const MOST_GROUPS = 100;

export interface GroupParts {
  /** By part, most rows first. */
  readonly names: readonly string[];
  readonly parts: Parts;
  /** Rows that name no group. */
  readonly without: number;
}

/** The rows by the groups of one column: the largest ones, equal ones by name, and the rest as one that is called `(other)`. */
export function groupParts(table: QualityTable, column: number): GroupParts {
  const codes = table.group[column];
  const list = table.groups[column].list;
  const counts = new Float64Array(list.length);
  let without = 0;
  for (let row = 0; row < table.rows; row += 1) {
    if (codes[row] === NO_GROUP) {
      without += 1;
    } else {
      counts[codes[row]] += 1;
    }
  }
  const order = list.map((_, code) => code).sort((a, b) => rest(list, a) - rest(list, b) || counts[b] - counts[a] || (list[a] < list[b] ? -1 : 1));
  const kept = order.filter((code) => list[code] !== OTHER).slice(0, MOST_GROUPS);
  const pooled = kept.length < order.length;
  const partOfCode = new Int32Array(list.length).fill(pooled ? kept.length : -1);
  kept.forEach((code, part) => {
    partOfCode[code] = part;
  });
  return {
    names: [...kept.map((code) => list[code]), ...(pooled ? [OTHER] : [])],
    parts: { count: kept.length + (pooled ? 1 : 0), partOf: (row) => (codes[row] === NO_GROUP ? -1 : partOfCode[codes[row]]), ...placesOf(table) },
    without,
  };
}

const rest = (list: readonly string[], code: number): number => (list[code] === OTHER ? 1 : 0);
