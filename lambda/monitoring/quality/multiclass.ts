import type { BlockValue } from './block-value';
import { defined, eachRow, type PartFigures, type Parts } from './figures';
import { figureOf, ratio } from './sums';
import type { QualityTable } from './table';

/** Of one class in one block: rows of which it is the truth, the prediction, and both. */
interface ClassCounts {
  actual: number;
  predicted: number;
  hits: number;
}

type ByClass = Map<number, ClassCounts>;

export function multiclassFigures(table: QualityTable, parts: Parts): PartFigures[] {
  const { truth, prediction } = table;
  const cells = parts.count * parts.blocks;
  const [labelled, right] = [new Float64Array(cells), new Float64Array(cells)];
  const rows = new Float64Array(parts.count);
  const byCell = Array.from({ length: cells }, (): ByClass => new Map());
  eachRow(table, parts, (row, part, cell, isLabelled) => {
    rows[part] += 1;
    if (!isLabelled) {
      return;
    }
    const hit = truth[row] === prediction[row] ? 1 : 0;
    labelled[cell] += 1;
    right[cell] += hit;
    const actual = countsOf(byCell[cell], truth[row]);
    actual.actual += 1;
    actual.hits += hit;
    countsOf(byCell[cell], prediction[row]).predicted += 1;
  });
  // Sums over classes in the order of their names: the order of the rows does not show in the last digits.
  const order = table.classes.list.map((_, code) => code).sort((a, b) => (table.classes.list[a] < table.classes.list[b] ? -1 : 1));
  return Array.from(rows, (count, part) => {
    const span = [part * parts.blocks, (part + 1) * parts.blocks] as const;
    const own = labelled.subarray(...span);
    return {
      rows: count,
      labelled: own.reduce((sum, one) => sum + one, 0),
      positives: 0,
      negatives: 0,
      metrics: defined({
        accuracy: figureOf([own, right.subarray(...span)], ([n, hits]) => ratio(hits, n), ([n]) => n, true),
        ...f1Figures(byCell.slice(...span), own, order),
      }),
      rates: {},
    };
  });
}

function countsOf(byClass: ByClass, code: number): ClassCounts {
  const known = byClass.get(code);
  if (known !== undefined) {
    return known;
  }
  const fresh = { actual: 0, predicted: 0, hits: 0 };
  byClass.set(code, fresh);
  return fresh;
}

function f1Figures(blocks: readonly ByClass[], weight: Float64Array, order: readonly number[]): Record<string, BlockValue | undefined> {
  const totals: ByClass = new Map();
  for (const block of blocks) {
    for (const [code, { actual, predicted, hits }] of block) {
      const total = countsOf(totals, code);
      total.actual += actual;
      total.predicted += predicted;
      total.hits += hits;
    }
  }
  const present = order.filter((code) => totals.has(code));
  const whole = averages(present, (code) => totals.get(code));
  const without = blocks.map((block, index) =>
    weight[index] === 0
      ? whole
      : averages(present, (code) => {
          const [total, own] = [totals.get(code), block.get(code)];
          return total === undefined || own === undefined
            ? total
            : { actual: total.actual - own.actual, predicted: total.predicted - own.predicted, hits: total.hits - own.hits };
        }),
  );
  const figure = (name: 'macroF1' | 'weightedF1'): BlockValue | undefined => {
    const value = whole[name];
    return value === undefined
      ? undefined
      : {
          value,
          without: Float64Array.from(without, (one) => one[name] ?? NaN),
          weight,
          drawn: (times) => drawnAverages(blocks, present, times)[name] ?? NaN,
        };
  };
  return { macroF1: figure('macroF1'), weightedF1: figure('weightedF1') };
}

/** With each block as often as told. */
function drawnAverages(blocks: readonly ByClass[], present: readonly number[], times: Float64Array): ReturnType<typeof averages> {
  const totals: ByClass = new Map(present.map((code) => [code, { actual: 0, predicted: 0, hits: 0 }]));
  blocks.forEach((block, index) => {
    if (times[index] === 0) return;
    for (const [code, { actual, predicted, hits }] of block) {
      const total = countsOf(totals, code);
      total.actual += times[index] * actual;
      total.predicted += times[index] * predicted;
      total.hits += times[index] * hits;
    }
  });
  return averages(present, (code) => totals.get(code));
}

/** A class that is neither true nor predicted has no F1 and is left out. */
function averages(codes: readonly number[], counted: (code: number) => ClassCounts | undefined) {
  let [classes, sum, support, weighted] = [0, 0, 0, 0];
  for (const code of codes) {
    const counts = counted(code);
    const whole = counts === undefined ? 0 : counts.actual + counts.predicted;
    if (counts === undefined || whole === 0) {
      continue;
    }
    const f1 = (2 * counts.hits) / whole;
    classes += 1;
    sum += f1;
    support += counts.actual;
    weighted += f1 * counts.actual;
  }
  return { macroF1: ratio(sum, classes), weightedF1: ratio(weighted, support) };
}
