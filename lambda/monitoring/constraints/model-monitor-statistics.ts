import type { BaselineFeature } from '../baseline/types';
import { binMeans } from '../profile/counts';
import type { Counts, Shape } from '../profile/types';
import { readNumeric } from '../values';
import { inferredType } from './model-monitor-constraints';
import type { ModelMonitorStatistics } from './model-monitor-schemas';
import { typeOf } from './suggest-feature';

type Statistics = ModelMonitorStatistics['features'][number];
type Numbers = NonNullable<Statistics['numerical_statistics']>;

/** As Model Monitor makes them. */
const BUCKETS = 10;
const SKETCH = { c: 0.64, k: 2048 };
/** Values of the sketch that stand for as many values each. */
const SKETCH_VALUES = 1000;
/** Commonest names. */
const NAMES = 1000;
const EDGES = 999;

export interface CountedFeature {
  readonly name: string;
  readonly shape: Shape;
  readonly counts: Counts;
  readonly distinct?: { readonly count: number };
}

/**
 * A statistics.json from counters: of a baseline, or of a window. Numbers are known by the means of up to a thousand bins, so sums, means and
 * extremes are exact, while standard deviation, buckets and sketch are as near as the bins are narrow.
 */
export function toStatistics(features: readonly CountedFeature[], rows: number): ModelMonitorStatistics {
  return { version: 0, dataset: { item_count: rows }, features: features.map(toFeature) };
}

function toFeature({ name, shape, counts, distinct }: CountedFeature): Statistics {
  const inferred = inferredType(typeOf(shape, counts));
  const common = { num_present: counts.rows - counts.missing, num_missing: counts.missing };
  const numbers = inferred === 'String' ? undefined : numbersOf(shape, counts);
  if (numbers) return { name, inferred_type: inferred, numerical_statistics: { common, ...numerical(numbers, counts) } };
  const names = shape.kind === 'categorical' ? shape.categories.map((value, index) => ({ value, count: counts.counts[index] })) : [];
  const unlisted = Object.entries(counts.unlisted ?? {}).map(([value, count]) => ({ value, count }));
  const buckets = [...names, ...unlisted].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count);
  const distinct_count = distinct?.count ?? buckets.length;
  return {
    name,
    inferred_type: 'String',
    string_statistics: { common, distinct_count, distribution: { categorical: { buckets: buckets.slice(0, NAMES) } } },
  };
}

interface Weighted {
  readonly values: readonly number[];
  readonly weights: readonly number[];
}

/** Ascending. */
function numbersOf(shape: Shape, counts: Counts): Weighted | undefined {
  if (shape.kind === 'numeric') return binMeans(shape, counts);
  const pairs = shape.categories
    .map((name, index) => ({ value: readNumeric(name) as number, weight: counts.counts[index] }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => a.value - b.value);
  return pairs.length === 0 ? undefined : { values: pairs.map(({ value }) => value), weights: pairs.map(({ weight }) => weight) };
}

function numerical({ values, weights }: Weighted, counts: Counts): Omit<Numbers, 'common'> {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total === 0) return {};
  const sum = values.reduce((all, value, index) => all + value * weights[index], 0);
  const mean = sum / total;
  const variance = values.reduce((all, value, index) => all + (value - mean) ** 2 * (weights[index] / total), 0);
  const [min, max] = [counts.minimum ?? values[0], counts.maximum ?? values[values.length - 1]];
  const parts = min === max ? 1 : BUCKETS;
  const buckets = Array.from({ length: parts }, (_, index) => ({
    lower_bound: min + ((max - min) * index) / parts,
    upper_bound: index === parts - 1 ? max : min + ((max - min) * (index + 1)) / parts,
    count: 0,
  }));
  values.forEach((value, index) => {
    const bucket = min === max ? 0 : Math.floor(((value - min) / (max - min)) * parts);
    buckets[Math.min(parts - 1, Math.max(0, bucket))].count += weights[index];
  });
  const sketch = { parameters: SKETCH, data: sketchOf({ values, weights }, total) };
  return { mean, sum, std_dev: Math.sqrt(variance), min, max, distribution: { kll: { buckets, sketch } } };
}

/** Levels of a KLL sketch: a value of level i stands for 2^i values, and all of them together for exactly as many as there are. */
function sketchOf({ values, weights }: Weighted, total: number): number[][] {
  const level = Math.max(0, Math.ceil(Math.log2(total / SKETCH_VALUES)));
  const data: number[][] = Array.from({ length: level + 1 }, () => []);
  let index = 0;
  let passed = weights[0];
  const valueAt = (rank: number): number => {
    while (rank >= passed && index < values.length - 1) passed += weights[(index += 1)];
    return values[index];
  };
  let rank = 0;
  for (let at = level; at >= 0; at -= 1) {
    for (; total - rank >= 2 ** at; rank += 2 ** at) data[at].push(valueAt(rank + 2 ** at / 2));
  }
  return data;
}

export interface StatisticsRead {
  readonly rows: number;
  readonly features: readonly BaselineFeature[];
  /** Features that the file says too little about. */
  readonly lost: readonly string[];
}

/** What a statistics.json tells of its data, as far as counters can hold it: enough to suggest constraints from. */
export function fromStatistics(document: ModelMonitorStatistics): StatisticsRead {
  const lost: string[] = [];
  const rows = document.dataset.item_count;
  const features = document.features.flatMap((feature): BaselineFeature[] => {
    const made = feature.numerical_statistics ? fromNumbers(feature, feature.numerical_statistics) : fromNames(feature);
    if (!made) lost.push(`${feature.name}: neither a distribution of numbers nor one of names`);
    return made ? [{ name: feature.name, role: 'feature', ...made }] : [];
  });
  return { rows, features, lost };
}

type Made = Pick<BaselineFeature, 'shape' | 'counts' | 'distinct'>;

function fromNumbers({ inferred_type }: Statistics, { common, mean = 0, std_dev = 0, min, max, distribution }: Numbers): Made | undefined {
  const { buckets = [], sketch } = distribution?.kll ?? {};
  const weighted = sketch
    ? sketch.data.flatMap((level, index) => level.map((value): [number, number] => [value, 2 ** index]))
    : buckets.map(({ lower_bound, upper_bound, count }): [number, number] => [(lower_bound + upper_bound) / 2, count]);
  weighted.sort(([a], [b]) => a - b);
  const total = weighted.reduce((sum, [, weight]) => sum + weight, 0);
  if (total === 0) return undefined;
  const edges: number[] = [];
  let passed = 0;
  for (const [value, weight] of weighted) {
    const before = Math.floor((passed / total) * (EDGES + 1));
    passed += weight;
    if (Math.floor((passed / total) * (EDGES + 1)) > before && value !== edges.at(-1) && passed < total) edges.push(value);
  }
  const { num_present: present, num_missing: missing } = common;
  const counts = new Array<number>(edges.length + 1).fill(0);
  let [bin, share, given] = [0, 0, 0];
  for (const [value, weight] of weighted) {
    while (bin < edges.length && value > edges[bin]) bin += 1;
    share += weight / total;
    // Rounded sums, so that nothing is lost to rounding.
    const upTo = Math.min(present, Math.round(share * present));
    counts[bin] += upTo - given;
    given = upTo;
  }
  counts[edges.length] += present - given;
  const minimum = min ?? weighted[0][0];
  const maximum = max ?? weighted[weighted.length - 1][0];
  const below = weighted.filter(([value]) => value < 0).reduce((sum, [, weight]) => sum + weight, 0);
  const negative = minimum >= 0 ? 0 : Math.max(1, Math.round((below / total) * present));
  const fractional = inferred_type === 'Integral' ? 0 : present;
  return {
    shape: { kind: 'numeric', edges, mean, deviation: std_dev || Number.MIN_VALUE },
    counts: { rows: present + missing, missing, invalid: 0, counts, minimum, maximum, negative, fractional },
    distinct: { count: edges.length, exact: false },
  };
}

function fromNames({ string_statistics: strings }: Statistics): Made | undefined {
  const buckets = strings?.distribution?.categorical?.buckets;
  if (!strings || !buckets) return undefined;
  const { num_present: present, num_missing: missing } = strings.common;
  const named = buckets.reduce((sum, { count }) => sum + count, 0);
  const distinct = strings.distinct_count ?? buckets.length;
  return {
    shape: { kind: 'categorical', categories: buckets.map(({ value }) => value), hasOther: named < present || distinct > buckets.length },
    counts: { rows: present + missing, missing, invalid: 0, counts: [...buckets.map(({ count }) => count), Math.max(0, present - named)] },
    distinct: { count: distinct, exact: false },
  };
}
