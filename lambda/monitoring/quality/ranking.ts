import type { BlockValue } from './block-value';
import { ratio } from './sums';

/** Scores of positives and negatives in one part of the rows, with their blocks. */
export interface Ranked {
  readonly scores: readonly [negatives: Float64Array, positives: Float64Array];
  readonly blocks: readonly [negatives: Uint16Array, positives: Uint16Array];
}

/** Groups of neighbouring scores that the errors are computed with; the values themselves are exact. */
const MOST_BINS = 1024;

/** Area under the ROC curve and average precision; without a block by counts of groups of scores, which costs the same for any number of rows. */
export function rankingFigures({ scores, blocks }: Ranked, blockCount: number): { auc?: BlockValue; averagePrecision?: BlockValue } {
  const [negatives, positives] = scores;
  if (positives.length === 0 || negatives.some(Number.isNaN) || positives.some(Number.isNaN)) {
    return {};
  }
  const exact = curve(groupsOf(negatives.slice().sort(), positives.slice().sort()), positives.length, negatives.length);
  const edges = binEdges(negatives, positives);
  const bins = edges.length + 1;
  const counts = [negatives, positives].map((side, label) => countsByBlock(side, blocks[label], edges, blockCount));
  const totals = counts.map((one) => columnSums(one, bins));
  const [weight, areas, precisions] = [0, 1, 2].map(() => new Float64Array(blockCount));
  const binned = curve(binGroups(totals[1], totals[0]), positives.length, negatives.length);
  for (let block = 0; block < blockCount; block += 1) {
    const own = counts.map((one) => one.subarray(block * bins, (block + 1) * bins));
    const [ownNegatives, ownPositives] = own.map((one) => one.reduce((sum, count) => sum + count, 0));
    weight[block] = ownPositives;
    const rest = totals.map((total, label) => total.map((count, bin) => count - own[label][bin]));
    const left = curve(binGroups(rest[1], rest[0]), positives.length - ownPositives, negatives.length - ownNegatives);
    // The bins shift all values alike: only the block's influence is taken from them.
    areas[block] = exact.auc === undefined ? NaN : exact.auc + ((left.auc ?? NaN) - (binned.auc ?? NaN));
    precisions[block] = (exact.averagePrecision ?? NaN) + ((left.averagePrecision ?? NaN) - (binned.averagePrecision ?? NaN));
  }
  // Of both classes the rarer one decides how much a block says about the ranks.
  const scarce = positives.length <= negatives.length ? weight : countOf(blocks[0], blockCount);
  return {
    auc: exact.auc === undefined ? undefined : { value: exact.auc, without: areas, weight: scarce },
    averagePrecision: exact.averagePrecision === undefined ? undefined : { value: exact.averagePrecision, without: precisions, weight },
  };
}

type Groups = Iterable<readonly [hits: number, misses: number]>;

/** From the highest score down, equal scores taken together. */
function curve(groups: Groups, positives: number, negatives: number) {
  let [hits, misses, area, precision] = [0, 0, 0, 0];
  for (const [groupHits, groupMisses] of groups) {
    area += groupMisses * (hits + groupHits / 2);
    hits += groupHits;
    misses += groupMisses;
    precision += groupHits === 0 ? 0 : (groupHits * hits) / (hits + misses);
  }
  return { auc: ratio(area, positives * negatives), averagePrecision: ratio(precision, positives) };
}

function* groupsOf(negatives: Float64Array, positives: Float64Array): Generator<readonly [number, number]> {
  let [miss, hit] = [negatives.length - 1, positives.length - 1];
  while (miss >= 0 || hit >= 0) {
    const score = Math.max(miss >= 0 ? negatives[miss] : -Infinity, hit >= 0 ? positives[hit] : -Infinity);
    let [hits, misses] = [0, 0];
    for (; hit >= 0 && positives[hit] === score; hit -= 1) {
      hits += 1;
    }
    for (; miss >= 0 && negatives[miss] === score; miss -= 1) {
      misses += 1;
    }
    yield [hits, misses];
  }
}

function* binGroups(hits: Float64Array | Uint32Array, misses: Float64Array | Uint32Array): Generator<readonly [number, number]> {
  for (let bin = hits.length - 1; bin >= 0; bin -= 1) {
    if (hits[bin] > 0 || misses[bin] > 0) {
      yield [hits[bin], misses[bin]];
    }
  }
}

/** Ascending upper edges of all bins but the last: every distinct score where they are few. */
function binEdges(negatives: Float64Array, positives: Float64Array): Float64Array {
  const all = new Float64Array(negatives.length + positives.length);
  all.set(negatives);
  all.set(positives, negatives.length);
  all.sort();
  const distinct: number[] = [];
  for (let index = 0; index < all.length && distinct.length <= MOST_BINS; index += 1) {
    if (index === 0 || all[index] !== all[index - 1]) {
      distinct.push(all[index]);
    }
  }
  if (distinct.length <= MOST_BINS) {
    return Float64Array.from(distinct.slice(0, -1));
  }
  const edges = new Set<number>();
  for (let bin = 1; bin < MOST_BINS; bin += 1) {
    edges.add(all[Math.floor((bin * all.length) / MOST_BINS)]);
  }
  return Float64Array.from(edges);
}

function countsByBlock(scores: Float64Array, blocks: Uint16Array, edges: Float64Array, blockCount: number): Uint32Array {
  const bins = edges.length + 1;
  const counts = new Uint32Array(blockCount * bins);
  for (let index = 0; index < scores.length; index += 1) {
    let [low, high] = [0, edges.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (scores[index] <= edges[middle]) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    counts[blocks[index] * bins + low] += 1;
  }
  return counts;
}

function columnSums(counts: Uint32Array, bins: number): Float64Array {
  const sums = new Float64Array(bins);
  counts.forEach((count, index) => {
    sums[index % bins] += count;
  });
  return sums;
}

function countOf(blocks: Uint16Array, blockCount: number): Float64Array {
  const counts = new Float64Array(blockCount);
  for (const block of blocks) {
    counts[block] += 1;
  }
  return counts;
}
