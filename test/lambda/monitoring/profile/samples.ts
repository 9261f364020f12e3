import * as fc from 'fast-check';
import type { NumericShape, Shape, WatchedFeature } from '../../../../lambda/monitoring/profile/types';
import type { Cell, TextRow } from '../../../../lambda/monitoring/rows';

/** A row as a reader hands it over. */
export const textRow = (fields: readonly string[]): TextRow => {
  const parts = fields.map((field) => Buffer.from(field));
  const bytes = new Uint8Array(Buffer.concat(parts));
  const ends = Int32Array.from(parts.map((_, index) => parts.slice(0, index + 1).reduce((sum, part) => sum + part.length, 0)));
  const starts = Int32Array.from(ends, (end, index) => end - parts[index].length);
  return { bytes, starts, ends, length: fields.length };
};

export const numeric = (edges: readonly number[], mean = 0, deviation = 1): NumericShape => ({ kind: 'numeric', edges, mean, deviation });

export const categorical = (categories: readonly string[], hasOther = false): Shape => ({ kind: 'categorical', categories, hasOther });

export const FEATURES: readonly WatchedFeature[] = [
  { name: 'x', role: 'feature', column: 0, shape: numeric([-1, 0, 0.5, 2, 1e300]) },
  { name: 'c', role: 'feature', column: 1, shape: categorical(['a', 'b', '1']) },
  { name: 'prediction', role: 'prediction', shape: numeric([0.2, 0.4, 0.6], 0.5, 0.1) },
];

const number: fc.Arbitrary<Cell> = fc.oneof(
  fc.double(),
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom<Cell>('0.5', ' 1 ', '-0', 'NA', 'x', '', null, undefined, true, 1e308, -1e308, '1e-320'),
);
const CATEGORIES: readonly Cell[] = ['a', 'b', '1', '1.0', 1, 'new', 'newer', '', ' a', null, 'é', '__proto__', 'a long name of more than eight'];
const category = fc.constantFrom<Cell>(...CATEGORIES);

export interface SampleRow {
  readonly cells: readonly Cell[];
  readonly prediction: Cell;
}

export const rows: fc.Arbitrary<SampleRow[]> = fc.array(fc.record({ cells: fc.tuple(number, category), prediction: number }), { maxLength: 60 });
