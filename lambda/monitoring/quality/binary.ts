import { SCORE_THRESHOLD } from '../task-metrics';
import type { BlockValue } from './block-value';
import { ExactSums } from './exact-sums';
import { defined, eachRow, type PartFigures, type Parts } from './figures';
import { type Ranked, rankingFigures } from './ranking';
import { type BlockSums, figureOf, ratio } from './sums';
import type { QualityTable } from './table';

const [ROWS, SELECTED, TP, FP, FN, TN, ENTROPY, SQUARED] = [0, 1, 2, 3, 4, 5, 6, 7];
const COUNTS = [ROWS, SELECTED, TP, FP, FN, TN];

export function binaryFigures(table: QualityTable, parts: Parts): PartFigures[] {
  const { truth, prediction } = table;
  const cells = parts.count * parts.blocks;
  const counts = COUNTS.map(() => new Float64Array(cells));
  const sums = [ENTROPY, SQUARED].map(() => new ExactSums(cells));
  const probabilities = new Array<boolean>(parts.count).fill(true);
  const perClass = [new Uint32Array(parts.count), new Uint32Array(parts.count)];
  eachRow(table, parts, (row, part, cell, isLabelled) => {
    const score = prediction[row];
    const selected = score >= SCORE_THRESHOLD;
    counts[ROWS][cell] += 1;
    counts[SELECTED][cell] += selected ? 1 : 0;
    if (!isLabelled) {
      return;
    }
    const positive = truth[row] === 1;
    counts[positive ? (selected ? TP : FN) : selected ? FP : TN][cell] += 1;
    perClass[positive ? 1 : 0][part] += 1;
    if (score >= 0 && score <= 1) {
      // A certain and wrong score costs a finite amount, the same as in scikit-learn.
      const clipped = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, score));
      sums[0].add(cell, -Math.log(positive ? clipped : 1 - clipped));
      sums[1].add(cell, (score - (positive ? 1 : 0)) ** 2);
    } else {
      probabilities[part] = false;
    }
  });
  const columns = [...counts, ...sums.map((one) => one.values())];
  const ranked = rankedParts(table, parts, perClass);
  return ranked.map((scores, part) => {
    const own = columns.map((column) => column.subarray(part * parts.blocks, (part + 1) * parts.blocks));
    const [negatives, positives] = [perClass[0][part], perClass[1][part]];
    return {
      rows: own[ROWS].reduce((sum, one) => sum + one, 0),
      labelled: negatives + positives,
      positives,
      negatives,
      metrics: metricsOf(own, probabilities[part], rankingFigures(scores, parts.blocks)),
      rates: ratesOf(own),
    };
  });
}

type Sums = readonly number[];
const labelled = (s: Sums): number => s[TP] + s[FP] + s[FN] + s[TN];
const shareFigure = (sums: BlockSums, part: (s: Sums) => number, whole: (s: Sums) => number): BlockValue | undefined =>
  figureOf(sums, (s) => ratio(part(s), whole(s)), whole, true);
const meanFigure = (sums: BlockSums, quantity: number): BlockValue | undefined => figureOf(sums, (s) => ratio(s[quantity], labelled(s)), labelled);

const recall = (sums: BlockSums): BlockValue | undefined => shareFigure(sums, (s) => s[TP], (s) => s[TP] + s[FN]);
const falsePositiveRate = (sums: BlockSums): BlockValue | undefined => shareFigure(sums, (s) => s[FP], (s) => s[FP] + s[TN]);

const metricsOf = (sums: BlockSums, probabilities: boolean, ranking: ReturnType<typeof rankingFigures>): PartFigures['metrics'] =>
  defined({
    accuracy: shareFigure(sums, (s) => s[TP] + s[TN], labelled),
    precision: shareFigure(
      sums,
      (s) => s[TP],
      (s) => s[TP] + s[FP],
    ),
    recall: recall(sums),
    f1: figureOf(
      sums,
      (s) => ratio(2 * s[TP], 2 * s[TP] + s[FP] + s[FN]),
      (s) => 2 * s[TP] + s[FP] + s[FN],
    ),
    falsePositiveRate: falsePositiveRate(sums),
    auc: ranking.auc,
    averagePrecision: ranking.averagePrecision,
    logLoss: probabilities ? meanFigure(sums, ENTROPY) : undefined,
    brier: probabilities ? meanFigure(sums, SQUARED) : undefined,
  });

const ratesOf = (sums: BlockSums): PartFigures['rates'] =>
  defined({
    selectionRate: shareFigure(
      sums,
      (s) => s[SELECTED],
      (s) => s[ROWS],
    ),
    truePositiveRate: recall(sums),
    falsePositiveRate: falsePositiveRate(sums),
  });

/** Scores and blocks of each part's negatives and positives. */
function rankedParts(table: QualityTable, parts: Parts, perClass: readonly Uint32Array[]): Ranked[] {
  const sides = (part: number): Ranked => ({
    scores: [new Float64Array(perClass[0][part]), new Float64Array(perClass[1][part])],
    blocks: [new Uint16Array(perClass[0][part]), new Uint16Array(perClass[1][part])],
  });
  const ranked = Array.from({ length: parts.count }, (_, part) => sides(part));
  const filled = [new Uint32Array(parts.count), new Uint32Array(parts.count)];
  eachRow(table, parts, (row, part, _, isLabelled) => {
    if (!isLabelled) {
      return;
    }
    const side = table.truth[row] === 1 ? 1 : 0;
    const at = filled[side][part];
    filled[side][part] += 1;
    ranked[part].scores[side][at] = table.prediction[row];
    ranked[part].blocks[side][at] = parts.place[table.block[row]];
  });
  return ranked;
}
