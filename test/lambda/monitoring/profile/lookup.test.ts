import * as fc from 'fast-check';
import { NumericCounter } from '../../../../lambda/monitoring/profile/counters';
import { CategoryLookup, EdgeLookup, MISSING, UNLISTED } from '../../../../lambda/monitoring/profile/lookup';
import { textRow } from './samples';
import { numeric } from './samples';

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });
const edgesOf = (values: readonly number[]): number[] => [...new Set(values.map((value) => value + 0))].sort((a, b) => a - b);

/** Number of edges below the value. */
const binBySearch = (edges: readonly number[], value: number): number => edges.filter((edge) => edge < value).length;

describe('bins', () => {
  const spread = fc.oneof(
    fc.array(finite, { maxLength: 60 }),
    fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 60 }),
    fc.array(fc.double({ min: 0, max: 1, noNaN: true }).map((exponent) => 10 ** (exponent * 300)), { maxLength: 60 }),
    fc.constantFrom([-1.7e308, 1.7e308], [0, 5e-324], [-5e-324, 0, 5e-324], []),
  );

  test('are those of a search over all edges, for any edges and any value', () => {
    fc.assert(
      fc.property(spread, fc.array(finite, { maxLength: 40 }), (values, others) => {
        const edges = edgesOf(values);
        const lookup = new EdgeLookup(edges);
        const near = edges.flatMap((edge) => [edge, edge * (1 + 2 ** -52), edge * (1 - 2 ** -52), edge / 2]).filter(Number.isFinite);
        for (const value of [...others, ...near, 0, 1.7e308, -1.7e308]) {
          expect(lookup.binOf(value)).toBe(binBySearch(edges, value));
        }
      }),
      { numRuns: 400 },
    );
  });

  test('are the same in the counter, which counts by batches', () => {
    fc.assert(
      fc.property(spread, fc.array(finite, { maxLength: 40 }), (values, others) => {
        const edges = edgesOf(values);
        const counter = new NumericCounter(numeric(edges));
        const expected = new Array<number>(edges.length + 1).fill(0);
        for (const value of [...others, ...edges]) {
          counter.addCell(value);
          expected[binBySearch(edges, value)] += 1;
        }
        expect(counter.toCounts().counts).toEqual(expected);
      }),
    );
  });
});

describe('categories', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 14 });
  const name = text.filter((value) => value !== '' && value.trim() === value && Number.isNaN(Number(value)));

  test('of text are those of the cell, for any names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(name), fc.array(text), (names, others) => {
        const lookup = new CategoryLookup(names);
        // Asked twice: the first answer is remembered.
        for (const written of [...names, ...others, ...others, ...names]) {
          const { bytes, starts, ends } = textRow(['before', written, 'behind']);
          expect(lookup.ofText(bytes, starts[1], ends[1])).toBe(new CategoryLookup(names).ofCell(written));
        }
      }),
    );
  });

  test('written in several ways are one', () => {
    const lookup = new CategoryLookup(['1', 'a']);
    const find = (text: string): number => {
      const { bytes, starts, ends } = textRow([text]);
      return lookup.ofText(bytes, starts[0], ends[0]);
    };
    expect(['1', '1.0', ' 1', '1e0', '01'].map(find)).toEqual([0, 0, 0, 0, 0]);
    expect([' a', 'a', 'A', '', '  '].map(find)).toEqual([1, 1, UNLISTED, MISSING, MISSING]);
    expect([1, 'a', true, null].map((cell) => lookup.ofCell(cell))).toEqual([0, 1, UNLISTED, MISSING]);
  });
});
