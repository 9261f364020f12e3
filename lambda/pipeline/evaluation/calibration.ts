import { estimateOf } from '../../monitoring/quality/block-value';
import { placesOf } from '../../monitoring/quality/estimate';
import { estimateShown } from '../../monitoring/quality/judge';
import { figureOf, ratio } from '../../monitoring/quality/sums';
import type { QualityTable } from '../../monitoring/quality/table';
import { countUpTo } from './scored-holdout';
import type { CalibrationBin } from './types';

const BINS = 10;
const ONE_SIDED = 0.025;
const FEWEST_BLOCKS = 2;
const [ROWS, PREDICTED, OBSERVED] = [0, 1, 2];

/**
 * Rows in ten bins of neighbouring predictions, of as many rows each, with what came of them; intervals by blocks. Of a binary task only where the
 * predictions are probabilities; classes have no order to put them in.
 */
export const calibrationOf = (table: QualityTable): CalibrationBin[] | undefined => {
  const { task, truth, prediction, block, rows } = table;
  if (task.kind === 'MULTICLASS_CLASSIFICATION') return undefined;
  const sorted = prediction.slice(0, rows).sort();
  const binary = task.kind === 'BINARY_CLASSIFICATION';
  if (binary && (sorted[0] < 0 || sorted[rows - 1] > 1)) return undefined;
  const edges = Float64Array.from(new Set(Array.from({ length: BINS }, (_, bin) => sorted[Math.ceil(((bin + 1) * rows) / BINS) - 1])));
  const { blocks, place } = placesOf(table);
  const sums = [ROWS, PREDICTED, OBSERVED].map(() => new Float64Array(edges.length * blocks));
  for (let row = 0; row < rows; row += 1) {
    const at = prediction[row];
    // A value that is an edge belongs to the bin that it ends.
    let bin = countUpTo(edges, at);
    if (bin > 0 && edges[bin - 1] === at) bin -= 1;
    const cell = bin * blocks + place[block[row]];
    sums[ROWS][cell] += 1;
    sums[PREDICTED][cell] += at;
    sums[OBSERVED][cell] += truth[row];
  }
  return Array.from(edges, (_, bin): CalibrationBin[] => {
    const own = sums.map((values) => values.subarray(bin * blocks, (bin + 1) * blocks));
    const figure = figureOf(own, (s) => ratio(s[OBSERVED], s[ROWS]), (s) => s[ROWS], binary);
    if (!figure) return [];
    const count = total(own[ROWS]);
    const name = binary ? 'truePositiveRate' : 'target';
    const observed = estimateShown(name, figure.value, estimateOf(figure), ONE_SIDED, FEWEST_BLOCKS);
    return [{ rows: count, predicted: total(own[PREDICTED]) / count, observed }];
  }).flat();
};

const total = (values: Float64Array): number => values.reduce((sum, one) => sum + one, 0);
