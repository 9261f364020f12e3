import type { QualityTable } from '../../monitoring/quality/table';
import { SCORE_THRESHOLD } from '../../monitoring/task-metrics';
import type { Confusion } from './types';

/** Classes with a row and a column of their own; the rest goes together. */
const MOST_CLASSES = 20;
const REST = '(other classes)';

/** Rows by truth and prediction; a regression has none. */
export const confusionOf = (table: QualityTable): Confusion | undefined => {
  if (table.task.kind === 'BINARY_CLASSIFICATION') return binary(table);
  return table.task.kind === 'MULTICLASS_CLASSIFICATION' ? multiclass(table) : undefined;
};

const binary = ({ task, truth, prediction, rows }: QualityTable): Confusion => {
  const counts = [[0, 0], [0, 0]];
  for (let row = 0; row < rows; row += 1) counts[truth[row] === 1 ? 1 : 0][prediction[row] >= SCORE_THRESHOLD ? 1 : 0] += 1;
  const positive = task.positiveLabel ?? '1';
  return { labels: [`not ${positive}`, positive], counts, threshold: SCORE_THRESHOLD };
};

const multiclass = ({ classes: { list }, truth, prediction, rows }: QualityTable): Confusion => {
  const sizes = new Float64Array(list.length);
  for (let row = 0; row < rows; row += 1) {
    sizes[truth[row]] += 1;
    sizes[prediction[row]] += 1;
  }
  const order = list.map((_, code) => code).sort((a, b) => sizes[b] - sizes[a] || (list[a] < list[b] ? -1 : 1));
  const kept = order.slice(0, order.length > MOST_CLASSES ? MOST_CLASSES - 1 : MOST_CLASSES);
  kept.sort((a, b) => (list[a] < list[b] ? -1 : 1));
  const labels = kept.map((code) => list[code]);
  if (kept.length < order.length) labels.push(REST);
  const place = new Int32Array(list.length).fill(labels.length - 1);
  kept.forEach((code, index) => (place[code] = index));
  const counts = labels.map(() => labels.map(() => 0));
  for (let row = 0; row < rows; row += 1) counts[place[truth[row]]][place[prediction[row]]] += 1;
  return { labels, counts };
};
