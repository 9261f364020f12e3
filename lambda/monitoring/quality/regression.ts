import type { BlockValue } from './block-value';
import { ExactSums } from './exact-sums';
import { defined, eachRow, type PartFigures, type Parts } from './figures';
import { type BlockSums, figureOf, ratio } from './sums';
import type { QualityTable } from './table';

const [ROWS, SQUARED, ABSOLUTE, SHIFTED, SHIFTED_SQUARED] = [0, 1, 2, 3, 4];
/** A spread below this share of the squares is their rounding: the truth is constant. */
const ROUNDING = 1e-13;

export function regressionFigures(table: QualityTable, parts: Parts): PartFigures[] {
  const { truth, prediction } = table;
  const all = new ExactSums(1);
  for (let row = 0; row < table.rows; row += 1) {
    if (!Number.isNaN(truth[row])) {
      all.add(0, truth[row]);
    }
  }
  // Squares are summed around the mean, where they keep their digits.
  const shift = table.labelled > 0 ? all.get(0) / table.labelled : 0;
  const cells = parts.count * parts.blocks;
  const sums = [SQUARED, ABSOLUTE, SHIFTED, SHIFTED_SQUARED].map(() => new ExactSums(cells));
  const labelled = new Float64Array(cells);
  const rows = new Float64Array(parts.count);
  eachRow(table, parts, (row, part, cell, isLabelled) => {
    rows[part] += 1;
    if (!isLabelled) {
      return;
    }
    const error = truth[row] - prediction[row];
    const shifted = truth[row] - shift;
    labelled[cell] += 1;
    sums[0].add(cell, error * error);
    sums[1].add(cell, Math.abs(error));
    sums[2].add(cell, shifted);
    sums[3].add(cell, shifted * shifted);
  });
  const columns = [labelled, ...sums.map((one) => one.values())];
  return Array.from(rows, (count, part) => {
    const own = columns.map((column) => column.subarray(part * parts.blocks, (part + 1) * parts.blocks));
    return { rows: count, labelled: own[ROWS].reduce((sum, one) => sum + one, 0), positives: 0, negatives: 0, metrics: metricsOf(own), rates: {} };
  });
}

function metricsOf(sums: BlockSums): PartFigures['metrics'] {
  const figure = (of: (sums: readonly number[]) => number | undefined): BlockValue | undefined => figureOf(sums, of, (own) => own[ROWS]);
  return defined({
    rmse: figure((s) => root(finite(ratio(s[SQUARED], s[ROWS])))),
    mae: figure((s) => finite(ratio(s[ABSOLUTE], s[ROWS]))),
    mse: figure((s) => finite(ratio(s[SQUARED], s[ROWS]))),
    r2: figure((s) => {
      const spread = s[SHIFTED_SQUARED] - (s[SHIFTED] * s[SHIFTED]) / s[ROWS];
      return spread > ROUNDING * s[SHIFTED_SQUARED] ? finite(1 - s[SQUARED] / spread) : undefined;
    }),
  });
}

const finite = (value: number | undefined): number | undefined => (value !== undefined && Number.isFinite(value) ? value : undefined);
/** What is left of a sum without a block may round below zero. */
const root = (value: number | undefined): number | undefined => (value === undefined ? undefined : Math.sqrt(Math.max(0, value)));
