/** Quality of predictions against the truth. A figure that its definition leaves open is undefined, never 0 or NaN. */

export interface RegressionMetrics {
  readonly mae: number | undefined;
  readonly mse: number | undefined;
  readonly rmse: number | undefined;
  readonly r2: number | undefined;
}

export interface BinaryMetrics {
  readonly tp: number;
  readonly fp: number;
  readonly fn: number;
  readonly tn: number;
  readonly accuracy: number | undefined;
  readonly precision: number | undefined;
  readonly recall: number | undefined;
  readonly f1: number | undefined;
  readonly falsePositiveRate: number | undefined;
  readonly auc: number | undefined;
  readonly averagePrecision: number | undefined;
  readonly logLoss: number | undefined;
  readonly brier: number | undefined;
}

export interface ClassMetrics {
  readonly precision: number | undefined;
  readonly recall: number | undefined;
  readonly f1: number | undefined;
  readonly support: number;
}

export interface MulticlassMetrics {
  /** Rows: truth, columns: prediction, both in the order of `classes`. */
  readonly confusion: readonly (readonly number[])[];
  readonly accuracy: number | undefined;
  readonly macroF1: number | undefined;
  readonly weightedF1: number | undefined;
  readonly perClass: Readonly<Record<string, ClassMetrics>>;
}

export function regression(actual: readonly number[], predicted: readonly number[]): RegressionMetrics {
  sameLength(actual, predicted);
  const n = actual.length;
  let [squared, absolute] = [0, 0];
  for (let index = 0; index < n; index += 1) {
    const error = actual[index] - predicted[index];
    squared += error * error;
    absolute += Math.abs(error);
  }
  const mean = actual.reduce((sum, value) => sum + value, 0) / n;
  const spread = actual.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const constant = actual.every((value) => value === actual[0]);
  const mse = defined(squared / n);
  return {
    mae: defined(absolute / n),
    mse,
    rmse: mse === undefined ? undefined : Math.sqrt(mse),
    r2: constant ? undefined : defined(1 - squared / spread),
  };
}

/** `labels` are 1 (positive) and 0; a score at or above the threshold predicts the positive. */
export function binaryClassification(labels: readonly number[], scores: readonly number[], threshold: number): BinaryMetrics {
  sameLength(labels, scores);
  let [tp, fp, fn, tn] = [0, 0, 0, 0];
  labels.forEach((label, index) => {
    const predicted = scores[index] >= threshold;
    if (label === 1) {
      tp += predicted ? 1 : 0;
      fn += predicted ? 0 : 1;
    } else {
      fp += predicted ? 1 : 0;
      tn += predicted ? 0 : 1;
    }
  });
  const n = labels.length;
  const probabilities = n > 0 && scores.every((score) => score >= 0 && score <= 1);
  const ranked = scores.some(Number.isNaN) ? { auc: undefined, averagePrecision: undefined } : ranking(labels, scores, tp + fn, fp + tn);
  return {
    tp,
    fp,
    fn,
    tn,
    accuracy: ratio(tp + tn, n),
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
    f1: ratio(2 * tp, 2 * tp + fp + fn),
    falsePositiveRate: ratio(fp, fp + tn),
    ...ranked,
    logLoss: probabilities ? mean(labels, (label, index) => crossEntropy(label, scores[index])) : undefined,
    brier: probabilities ? mean(labels, (label, index) => (scores[index] - (label === 1 ? 1 : 0)) ** 2) : undefined,
  };
}

/** A certain and wrong score costs a finite amount, the same as in scikit-learn. */
function crossEntropy(label: number, score: number): number {
  const clipped = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, score));
  return -Math.log(label === 1 ? clipped : 1 - clipped);
}

/** Area under the ROC curve and average precision in one pass over the scores, equal scores taken together. */
function ranking(labels: readonly number[], scores: readonly number[], positives: number, negatives: number) {
  const order = scores.map((_, index) => index).sort((a, b) => scores[b] - scores[a]);
  let [hits, misses, area, precisionSum] = [0, 0, 0, 0];
  for (let start = 0; start < order.length; ) {
    let [groupHits, end] = [0, start];
    while (end < order.length && scores[order[end]] === scores[order[start]]) {
      groupHits += labels[order[end]] === 1 ? 1 : 0;
      end += 1;
    }
    const groupMisses = end - start - groupHits;
    area += groupMisses * (hits + groupHits / 2);
    hits += groupHits;
    misses += groupMisses;
    precisionSum += (groupHits * hits) / (hits + misses);
    start = end;
  }
  return { auc: ratio(area, positives * negatives), averagePrecision: ratio(precisionSum, positives) };
}

/** A row whose truth or prediction is none of `classes` counts as wrong; the confusion matrix has no cell for it. */
export function multiclassClassification(
  labels: readonly string[],
  predictions: readonly string[],
  classes: readonly string[],
): MulticlassMetrics {
  sameLength(labels, predictions);
  const position = new Map(classes.map((name, index) => [name, index]));
  const confusion = classes.map(() => classes.map(() => 0));
  const actual = classes.map(() => 0);
  const predicted = classes.map(() => 0);
  let right = 0;
  labels.forEach((label, index) => {
    const row = position.get(label);
    const column = position.get(predictions[index]);
    right += label === predictions[index] ? 1 : 0;
    if (row !== undefined) {
      actual[row] += 1;
    }
    if (column !== undefined) {
      predicted[column] += 1;
    }
    if (row !== undefined && column !== undefined) {
      confusion[row][column] += 1;
    }
  });
  const each = classes.map((_, index): ClassMetrics => ({
    precision: ratio(confusion[index][index], predicted[index]),
    recall: ratio(confusion[index][index], actual[index]),
    f1: ratio(2 * confusion[index][index], actual[index] + predicted[index]),
    support: actual[index],
  }));
  const scored = each.filter((entry) => entry.f1 !== undefined);
  const support = actual.reduce((sum, count) => sum + count, 0);
  return {
    confusion,
    accuracy: ratio(right, labels.length),
    macroF1: ratio(scored.reduce((sum, entry) => sum + (entry.f1 ?? 0), 0), scored.length),
    weightedF1: ratio(each.reduce((sum, entry) => sum + (entry.f1 ?? 0) * entry.support, 0), support),
    perClass: Object.fromEntries(classes.map((name, index) => [name, each[index]])),
  };
}

const ratio = (numerator: number, denominator: number): number | undefined => (denominator > 0 ? numerator / denominator : undefined);

const defined = (value: number): number | undefined => (Number.isFinite(value) ? value : undefined);

const mean = (labels: readonly number[], of: (label: number, index: number) => number): number =>
  labels.reduce((sum, label, index) => sum + of(label, index), 0) / labels.length;

function sameLength(a: readonly unknown[], b: readonly unknown[]): void {
  if (a.length !== b.length) {
    throw new RangeError(`Truth and prediction need the same length, got ${a.length} and ${b.length}.`);
  }
}
