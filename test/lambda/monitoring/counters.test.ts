import fc from 'fast-check';
import { binMeans, Counter, mergeCounts, Shape, usable } from '../../../lambda/monitoring/counters';
import type { Cell } from '../../../lambda/monitoring/values';

const SHAPES: Shape[] = [
  { kind: 'numeric', edges: [-3, -1, 0, 2, 7], mean: 0.37, deviation: 2.9 },
  { kind: 'categorical', categories: ['a', '1', 'b'], hasOther: false },
];
const cell = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.double(),
  fc.constantFrom<Cell>('', 'a', 'b', '1.0', 'NaN', '1e308', '-0', 'x', '__proto__', 'constructor', null, undefined, true, Infinity),
);

const count = (shape: Shape, cells: readonly Cell[]) => {
  const counter = new Counter(shape);
  cells.forEach((value) => counter.add(value));
  return counter.toCounts();
};

describe.each(SHAPES)('counters of a $kind feature', (shape) => {
  it('are the same however the data is cut and in whatever order the parts are merged', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 60 }), fc.array(fc.nat(4)), fc.infiniteStream(fc.nat(1000)), (cells, cuts, stream) => {
        const parts = new Map<number, Cell[]>();
        cells.forEach((value, index) => parts.set(cuts[index] ?? 0, [...(parts.get(cuts[index] ?? 0) ?? []), value]));
        const order = [...parts.values()].map((part) => ({ part, rank: stream.next().value as number })).sort((a, b) => a.rank - b.rank);
        const merged = order.map(({ part }) => count(shape, part)).reduce(mergeCounts, count(shape, []));
        expect(JSON.stringify(merged)).toBe(JSON.stringify(count(shape, cells)));
      }),
    );
  });

  it('lose no row: every value is counted, missing or invalid', () => {
    fc.assert(fc.property(fc.array(cell, { maxLength: 60 }), (cells) => {
      const counts = count(shape, cells);
      expect(counts.rows).toBe(cells.length);
      expect(counts.counts.reduce((sum, value) => sum + value, 0)).toBe(usable(counts));
    }));
  });

  it('survive JSON', () => {
    fc.assert(fc.property(fc.array(cell, { maxLength: 30 }), (cells) => {
      const counts = count(shape, cells);
      expect(mergeCounts(JSON.parse(JSON.stringify(counts)), count(shape, []))).toEqual(mergeCounts(counts, count(shape, [])));
    }));
  });
});

it('the mean of a bin is that of its values to a two-thousandth of a standard deviation', () => {
  const shape = SHAPES[0] as Extract<Shape, { kind: 'numeric' }>;
  const { values, weights } = binMeans(shape, count(shape, [0.5, 1.25, 1.75, 100]));
  expect(weights).toEqual([3, 1]);
  expect(Math.abs(values[0] - 3.5 / 3)).toBeLessThan(shape.deviation / 2048);
  expect(Math.abs(values[1] - 100)).toBeLessThan(shape.deviation / 2048);
});

it('names what training never saw, however it is called', () => {
  expect(count(SHAPES[1], ['__proto__', '__proto__', 'toString', 'a']).unlisted).toEqual(Object.fromEntries([['__proto__', 2], ['toString', 1]]));
});
