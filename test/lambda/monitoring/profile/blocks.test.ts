import * as fc from 'fast-check';
import { BlockCounter, cellCount, decodeBlocks, encodeBlocks, Profiler, toBlockCells } from '../../../../lambda/monitoring/profile';
import type { Shape, WatchedFeature } from '../../../../lambda/monitoring/profile/types';
import type { Cell } from '../../../../lambda/monitoring/rows';
import { categorical, numeric, rows, textRow } from './samples';

const HOUR = 3600;
const names = (count: number): string[] => Array.from({ length: count }, (_, index) => `c${index}`);
const edges = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const sum = (cells: readonly number[]): number => cells.reduce((total, cell) => total + cell, 0);

const countsOf = (shape: Shape, cells: readonly Cell[]) => {
  const profiler = new Profiler([{ name: 'f', role: 'feature', column: 0, shape }]);
  cells.forEach((cell) => profiler.cells([cell]));
  return profiler.toProfile().features.get('f')!;
};

describe('cells', () => {
  test('are at most a hundred, add up to the rows, and tell the never seen from the rest', () => {
    const all: [Shape, number][] = [
      [numeric(edges(999)), 100],
      [numeric([]), 1],
      [numeric(edges(3)), 4],
      [categorical(names(100)), 100],
      [categorical(names(101)), 100],
      [categorical(names(5), true), 6],
    ];
    for (const [shape, count] of all) {
      const cells = toBlockCells(shape, countsOf(shape, [0.5, 3, 'c1', 'c100', 'other', '', null, 'x']));
      expect(cellCount(shape)).toBe(count);
      expect(cells).toHaveLength(count + 2);
      expect(sum(cells)).toBe(8);
    }
    const listed = categorical(names(101));
    expect(toBlockCells(listed, countsOf(listed, ['c99', 'c100', 'new', ''])).slice(98)).toEqual([0, 2, 1, 1]);
    const open = categorical(names(2), true);
    expect(toBlockCells(open, countsOf(open, ['c1', 'new', '']))).toEqual([0, 1, 1, 0, 1]);
  });
});

describe('blocks', () => {
  const features: WatchedFeature[] = [
    { name: 'x', role: 'feature', column: 0, shape: numeric([-1, 0, 1]) },
    { name: 'c', role: 'feature', column: 1, shape: categorical(['a', 'b']) },
    { name: 'prediction', role: 'prediction', shape: numeric([0.5]) },
  ];
  const at = (hour: number): string => new Date(Date.UTC(2026, 0, 1) + hour * HOUR * 1000).toISOString();

  test('hold the cells of their rows, whatever the order of the rows', () => {
    fc.assert(
      fc.property(rows, fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 60, maxLength: 60 }), (sample, hours) => {
        const timed = sample.map(({ cells, prediction }, index) => ({ cells: [...cells, at(hours[index])], hour: hours[index], prediction }));
        const tables = [timed, [...timed].reverse()].map((ordered) => {
          const counter = new BlockCounter(features, { windowSeconds: HOUR, timeColumn: 2, rowsPerBlock: 1 });
          ordered.forEach(({ cells, prediction }) => {
            counter.cells(cells);
            counter.prediction(prediction);
          });
          return counter.toTable();
        });
        expect(tables[1]).toEqual(tables[0]);
        tables[0].blocks.forEach(({ start, rows: count }, block) => {
          const own = timed.filter(({ hour }) => Date.parse(at(hour)) === start);
          expect(count).toBe(own.length);
          features.forEach(({ name, shape, column }) => {
            const values = own.map(({ cells, prediction }) => (column === undefined ? prediction : cells[column]));
            expect(tables[0].cells[name][block]).toEqual(toBlockCells(shape, countsOf(shape, values)));
          });
        });
        expect(decodeBlocks(encodeBlocks(tables[0]))).toEqual(tables[0]);
      }),
      { numRuns: 50 },
    );
  });

  test('of text are those of cells', () => {
    const options = { windowSeconds: HOUR, timeColumn: 2, rowsPerBlock: 1 };
    const [text, cells] = [new BlockCounter(features, options), new BlockCounter(features, options)];
    for (const row of [['0.5', 'a', at(0)], ['x', 'new', at(1)], ['', '', at(1)], ['1e9', 'b', 'no time']]) {
      text.text(textRow(row));
      cells.cells(row);
    }
    expect(text.toTable()).toEqual(cells.toTable());
    expect(text.untimed).toBe(1);
    expect(text.toTable().cells.prediction).toEqual([null, null]);
  });

  test('without a time are consecutive rows; a new part begins a new block', () => {
    const counter = new BlockCounter(features, { windowSeconds: HOUR, rowsPerBlock: 3 });
    for (let row = 0; row < 4; row += 1) counter.cells([row, 'a']);
    counter.nextPart();
    counter.cells([1, 'a']);
    counter.prediction(0.7);
    const table = counter.toTable();
    expect(table.kind).toBe('rows');
    expect(table.blocks).toEqual([{ start: 0, rows: 3 }, { start: 3, rows: 1 }, { start: 6, rows: 1 }]);
    expect(table.cells.prediction).toEqual([null, null, [0, 1, 0, 0]]);
  });

  test('beyond the memory bound lose the oldest, which is told', () => {
    const counter = new BlockCounter(features, { windowSeconds: HOUR, timeColumn: 2, rowsPerBlock: 1, maximumCells: 40 });
    for (const hour of [5, 1, 2, 3, 4, 0]) counter.cells([0, 'a', at(hour)]);
    expect(counter.toTable().blocks.map(({ start }) => new Date(start).getUTCHours())).toEqual([4, 5].slice(-counter.toTable().blocks.length));
    expect(counter.dropped.rows).toBe(6 - counter.toTable().blocks.length);
  });
});
