import type { Baseline, BaselineFeature } from '../../../../lambda/monitoring/baseline/types';
import type { Block } from '../../../../lambda/monitoring/drift/types';
import { toBlockCells } from '../../../../lambda/monitoring/profile/cells';
import { stepsPerUnit } from '../../../../lambda/monitoring/profile/counts';
import type { BlockTable, Counts, NumericShape, Profile, Shape } from '../../../../lambda/monitoring/profile/types';
import type { MonitorSpec } from '../../../../lib/monitoring/contract';

export const DAY = 86_400_000;
export const START = Date.UTC(2025, 0, 1);

// Looked up once: globals are slow to reach where tests run.
const { cos, floor, imul, log, PI, sqrt } = Math;

/** Numbers in (0, 1) and normal ones, the same for the same seed. */
export function random(seed: number): { uniform: () => number; normal: () => number; below: (end: number) => number } {
  let state = (seed * 2654435761) >>> 0;
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
  return { uniform, normal: () => sqrt(-2 * log(uniform())) * cos(2 * PI * uniform()), below: (end) => floor(uniform() * end) };
}

export type Value = number | string | undefined;

export function numericShape(values: readonly number[], bins = 100): NumericShape {
  const sorted = [...values].sort((a, b) => a - b);
  const edges = [...new Set(Array.from({ length: bins - 1 }, (_, index) => sorted[Math.floor(((index + 1) * sorted.length) / bins)]))];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { kind: 'numeric', edges, mean, deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) };
}

/** Counts as the counters of the profile make them, in the plainest way. */
export function count(shape: Shape, values: readonly Value[]): Counts {
  const cells = (shape.kind === 'numeric' ? shape.edges.length : shape.categories.length) + 1;
  const [counts, offsets] = [new Array<number>(cells).fill(0), new Array<number>(cells).fill(0)];
  const unlisted: Record<string, number> = {};
  let [missing, invalid, minimum, maximum] = [0, 0, Infinity, -Infinity];
  for (const value of values) {
    if (value === undefined) {
      missing += 1;
    } else if (shape.kind === 'categorical') {
      const position = shape.categories.indexOf(String(value));
      counts[position < 0 ? cells - 1 : position] += 1;
      if (position < 0) {
        unlisted[value] = (unlisted[value] ?? 0) + 1;
      }
    } else if (typeof value === 'string') {
      invalid += 1;
    } else {
      const found = shape.edges.findIndex((edge) => edge >= value);
      const bin = found < 0 ? cells - 1 : found;
      counts[bin] += 1;
      offsets[bin] += Math.round((value - shape.mean) * stepsPerUnit(shape));
      [minimum, maximum] = [Math.min(minimum, value), Math.max(maximum, value)];
    }
  }
  return {
    rows: values.length,
    missing,
    invalid,
    counts,
    ...(shape.kind === 'numeric' && { offsets }),
    ...(minimum <= maximum && { minimum, maximum }),
    ...(Object.keys(unlisted).length > 0 && { unlisted }),
  };
}

/** Columns by name, the rows of each. */
export type Columns = Readonly<Record<string, readonly Value[]>>;

export const profileOf = (shapes: Readonly<Record<string, Shape>>, columns: Columns): Profile => ({
  rows: Object.values(columns)[0]?.length ?? 0,
  features: new Map(Object.entries(columns).map(([name, values]) => [name, count(shapes[name], values)])),
});

export const blockFrom = (shapes: Readonly<Record<string, Shape>>, start: number, columns: Columns): Block => ({
  start,
  rows: Object.values(columns)[0]?.length ?? 0,
  cells: new Map(Object.entries(columns).map(([name, values]) => [name, toBlockCells(shapes[name], count(shapes[name], values))])),
});

export function tableOf(windowSeconds: number, blocks: readonly Block[], kind: BlockTable['kind'] = 'time'): BlockTable {
  const names = [...new Set(blocks.flatMap(({ cells }) => [...cells.keys()]))];
  return {
    kind,
    windowSeconds,
    blocks: blocks.map(({ start, rows }) => ({ start, rows })),
    cells: Object.fromEntries(names.map((name) => [name, blocks.map(({ cells }) => cells.get(name) ?? null)])),
  };
}

export const specOf = (changes: Partial<MonitorSpec> = {}): MonitorSpec => ({
  model: 'm',
  task: { kind: 'REGRESSION', target: 'y' },
  endpointName: 'm',
  variantName: 'v',
  servingKind: 'SERVERLESS',
  samplingPercentage: 100,
  windowSeconds: 86_400,
  delaySeconds: 0,
  minimumRows: 30,
  references: [{ kind: 'TRAINING' }],
  falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } },
  persistence: { breaches: 2, windows: 3 },
  qualitySeconds: 28 * 86_400,
  qualityRules: [],
  groupColumns: [],
  groupRules: [],
  groupMinimum: { rows: 30, perClass: 10 },
  featureMetrics: 5,
  ...changes,
});

export function baselineOf(shapes: Readonly<Record<string, Shape>>, training: Columns, role: BaselineFeature['role'] = 'feature'): Baseline {
  const features = Object.entries(training).map(([name, values]): BaselineFeature => ({
    name,
    role,
    shape: shapes[name],
    counts: count(shapes[name], values),
    distinct: { count: new Set(values).size, exact: true },
  }));
  return {
    schemaVersion: 2,
    model: 'm',
    runId: 'r',
    columns: Object.keys(training),
    trainRows: features[0].counts.rows,
    features,
    skipped: [],
    holdout: { rows: 0, blocks: 0, metrics: {}, groups: {} },
    constraints: { schemaVersion: 1, model: 'm', origin: 'edited', features: [], consistency: [] },
    promises: [],
  };
}

export const series = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));
