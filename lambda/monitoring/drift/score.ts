import type { BlockCells } from '../profile/types';
import { Measure, measuresOf } from './components';
import type { Block, BlockFeature, WindowScore } from './types';

/** A feature is scored where this share of the blocks that fit it knew it: predictions, for one, are only known of the holdout. */
const KNOWN = 0.8;
/** Least scale, as a share of the least distance that counts: a reference without any variation does not make every difference infinite. */
const LEAST_SCALE = 0.1;

interface FittedMeasure extends Measure {
  readonly mean: number;
  readonly scale: number;
  /** Squared distance that does not shrink with the rows, and mean of 1/rows over the blocks. */
  readonly between: number;
  readonly inverseSize: number;
}

export type FeatureScore = WindowScore['features'] extends ReadonlyMap<string, infer Score> ? Score : never;

/** How unlike the reference a window is; fixed by the blocks it was fitted to. */
export interface ScoreFunction {
  /** Features that are scored. */
  readonly features: ReadonlySet<string>;
  score(window: Block): WindowScore;
}

/**
 * The reference is the sum of the blocks; centre and scale of each measure are those of the blocks' own distances to it. Nothing but these blocks may
 * enter, so that blocks kept back and live windows are scored alike.
 */
export function fitScore(features: readonly BlockFeature[], blocks: readonly Block[]): ScoreFunction {
  const fitted = new Map<string, readonly FittedMeasure[]>();
  for (const { name, shape } of features) {
    const known = blocks.map((block) => block.cells.get(name)).filter((cells) => cells !== undefined);
    if (known.length > 0 && known.length >= KNOWN * blocks.length) {
      fitted.set(name, measuresOf(shape, sumOf(known)).flatMap((measure) => fit(measure, known) ?? []));
    }
  }
  return { features: new Set(fitted.keys()), score: (window) => scoreWindow(fitted, window) };
}

/** Cells of several blocks taken together. */
export function sumOf(blocks: readonly BlockCells[]): number[] {
  const sum = new Array<number>(blocks[0].length).fill(0);
  for (const cells of blocks) {
    for (let cell = 0; cell < sum.length; cell += 1) {
      sum[cell] += cells[cell];
    }
  }
  return sum;
}

function fit(measure: Measure, blocks: readonly BlockCells[]): FittedMeasure | undefined {
  const filled = blocks.filter((cells) => measure.size(cells) > 0);
  if (filled.length === 0) {
    return undefined;
  }
  const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const distances = filled.map(measure.distance);
  const mean = average(distances);
  const variance = average(distances.map((distance) => (distance - mean) ** 2));
  const inverseSize = average(filled.map((cells) => 1 / measure.size(cells)));
  return {
    ...measure,
    mean,
    scale: Math.max(Math.sqrt(variance), LEAST_SCALE * measure.minimumEffect),
    between: Math.max(0, mean ** 2 - measure.noise * inverseSize),
    inverseSize,
  };
}

function scoreWindow(fitted: ReadonlyMap<string, readonly FittedMeasure[]>, window: Block): WindowScore {
  const features = new Map<string, FeatureScore>();
  let score = -Infinity;
  for (const [name, measures] of fitted) {
    const cells = window.cells.get(name);
    const strongest = cells === undefined ? undefined : scoreFeature(measures, cells);
    if (strongest !== undefined) {
      features.set(name, strongest);
      score = Math.max(score, countingScore(strongest));
    }
  }
  return { score, features };
}

/** Score of a feature as it counts: nothing below the least distance that does. */
export const countingScore = (feature: FeatureScore): number => (feature.effect >= feature.minimumEffect ? feature.score : -Infinity);

function scoreFeature(measures: readonly FittedMeasure[], cells: BlockCells): FeatureScore | undefined {
  let strongest: FeatureScore | undefined;
  for (const measure of measures) {
    const size = measure.size(cells);
    if (size === 0) {
      continue;
    }
    const effect = measure.distance(cells);
    const score = (effect / swell(measure, size) - measure.mean) / measure.scale;
    const counts = effect >= measure.minimumEffect;
    const before = strongest !== undefined && strongest.effect >= strongest.minimumEffect;
    if (strongest === undefined || (counts && !before) || (counts === before && score > strongest.score)) {
      strongest = { score, component: measure.component, effect, minimumEffect: measure.minimumEffect };
    }
  }
  return strongest;
}

/** How much farther away by chance alone a window with fewer rows than the blocks is: less traffic is no drift. */
function swell({ between, noise, inverseSize }: FittedMeasure, size: number): number {
  const usual = between + noise * inverseSize;
  return usual > 0 ? Math.sqrt(Math.max(1, (between + noise / size) / usual)) : 1;
}
