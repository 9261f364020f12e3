import type { BlockValue } from './block-value';

/** Scores of positives and negatives in one part of the rows, with their blocks. */
export interface Ranked {
  readonly scores: readonly [negatives: Float64Array, positives: Float64Array];
  readonly blocks: readonly [negatives: Uint16Array, positives: Uint16Array];
}

/** Groups of neighbouring scores that the errors are computed with; the values themselves are exact. */
const MOST_BINS = 512;

/** Area under the ROC curve and average precision; without a block by counts of groups of scores, which costs the same for any number of rows. */
export function rankingFigures({ scores, blocks }: Ranked, blockCount: number): { auc?: BlockValue; averagePrecision?: BlockValue } {
  const [negatives, positives] = scores.map((side) => side.slice().sort());
  if (positives.length === 0 || Number.isNaN(negatives.at(-1)) || Number.isNaN(positives.at(-1))) {
    return {};
  }
  const exact = exactCurve(negatives, positives).result();
  const edges = binEdges(negatives, positives);
  const bins = edges.length + 1;
  const [misses, hits] = scores.map((side, label) => countsByBlock(side, blocks[label], edges, blockCount));
  const [allMisses, allHits] = [columnSums(misses, bins), columnSums(hits, bins)];
  const binned = binnedCurve(allMisses, allHits).result();
  const [areas, precisions] = [new Float64Array(blockCount), new Float64Array(blockCount)];
  for (let block = 0; block < blockCount; block += 1) {
    const left = binnedCurve(allMisses, allHits, misses, hits, block * bins).result();
    // The bins shift all values alike: only the block's influence is taken from them.
    areas[block] = exact.auc + (left.auc - binned.auc);
    precisions[block] = exact.averagePrecision + (left.averagePrecision - binned.averagePrecision);
  }
  // Of both classes the rarer one decides how much a block says about the ranks.
  const [rare, weight] = [countOf(blocks[positives.length <= negatives.length ? 1 : 0], blockCount), countOf(blocks[1], blockCount)];
  // Counted anew where they are drawn from: few figures are, and the counts of all are large.
  let counts: Uint32Array[] | undefined;
  const drawn = (times: Float64Array): ReturnType<Curve['result']> => {
    counts ??= scores.map((side, label) => countsByBlock(side, blocks[label], edges, blockCount));
    const [below, above] = counts.map((side) => columnSums(side, bins, times));
    return binnedCurve(below, above).result();
  };
  return {
    auc: Number.isNaN(exact.auc)
      ? undefined
      : { value: exact.auc, without: areas, weight: rare, drawn: (times) => exact.auc + (drawn(times).auc - binned.auc) },
    averagePrecision: {
      value: exact.averagePrecision,
      without: precisions,
      weight,
      drawn: (times) => exact.averagePrecision + (drawn(times).averagePrecision - binned.averagePrecision),
    },
  };
}

/** From the highest score down, equal scores taken together. */
class Curve {
  private hits = 0;
  private misses = 0;
  private area = 0;
  private precision = 0;

  public add(hits: number, misses: number): void {
    this.area += misses * (this.hits + hits / 2);
    this.hits += hits;
    this.misses += misses;
    this.precision += hits === 0 ? 0 : (hits * this.hits) / (this.hits + this.misses);
  }

  /** NaN where a class is not there. */
  public result(): { readonly auc: number; readonly averagePrecision: number } {
    return { auc: this.area / (this.hits * this.misses), averagePrecision: this.precision / this.hits };
  }
}

/** Both ascending. */
function exactCurve(negatives: Float64Array, positives: Float64Array): Curve {
  const curve = new Curve();
  let [miss, hit] = [negatives.length - 1, positives.length - 1];
  while (miss >= 0 || hit >= 0) {
    const score = Math.max(miss >= 0 ? negatives[miss] : -Infinity, hit >= 0 ? positives[hit] : -Infinity);
    const [missesLeft, hitsLeft] = [miss, hit];
    while (hit >= 0 && positives[hit] === score) {
      hit -= 1;
    }
    while (miss >= 0 && negatives[miss] === score) {
      miss -= 1;
    }
    curve.add(hitsLeft - hit, missesLeft - miss);
  }
  return curve;
}

/** Of all counts, less those of the block whose counts begin at `start`. */
function binnedCurve(allMisses: Float64Array, allHits: Float64Array, misses?: Uint32Array, hits?: Uint32Array, start = 0): Curve {
  const curve = new Curve();
  for (let bin = allHits.length - 1; bin >= 0; bin -= 1) {
    const above = hits === undefined ? 0 : hits[start + bin];
    const below = misses === undefined ? 0 : misses[start + bin];
    curve.add(allHits[bin] - above, allMisses[bin] - below);
  }
  return curve;
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

/** Over all blocks, each as often as told. */
function columnSums(counts: Uint32Array, bins: number, times?: Float64Array): Float64Array {
  const sums = new Float64Array(bins);
  for (let start = 0, block = 0; start < counts.length; start += bins, block += 1) {
    const factor = times === undefined ? 1 : times[block];
    for (let bin = 0; factor !== 0 && bin < bins; bin += 1) {
      sums[bin] += factor * counts[start + bin];
    }
  }
  return sums;
}

function countOf(blocks: Uint16Array, blockCount: number): Float64Array {
  const counts = new Float64Array(blockCount);
  for (const block of blocks) {
    counts[block] += 1;
  }
  return counts;
}
