import { buildBaseline } from '../../../lambda/monitoring/baseline';
import type { Cell } from '../../../lambda/monitoring/values';
import type { MonitorSpec } from '../../../lib/monitoring/contract';

/** Small data sets, made from a seed, that the monitoring tests share. */

export const HEADER = ['timestamp', 'temp', 'city', 'cnt'];
export const TASK = { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' };

export const SPEC: MonitorSpec = {
  model: 'BikeDemand',
  task: TASK,
  endpointName: 'mlops-bikedemand',
  variantName: 'primary',
  windowSeconds: 14 * 86_400,
  minimumRows: 300,
  reference: 'TRAINING',
  qualityBounds: [{ metric: 'rmse', worseThan: 100 }],
};

/** Uniform numbers in [0, 1), the same for the same seed (Mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const normal = (next: () => number): number => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());

export interface RowOptions {
  readonly shift?: number;
  readonly missing?: number;
  readonly cities?: readonly string[];
}

/** Rows of HEADER, one an hour from `from` on. */
export function makeRows(seed: number, from: string, count: number, options: RowOptions = {}): string[][] {
  const { shift = 0, missing = 0, cities = ['rome', 'oslo', 'bonn'] } = options;
  const next = random(seed);
  const start = Date.parse(from);
  return Array.from({ length: count }, (_, hour) => {
    const temp = next() < missing ? '' : (normal(next) + shift).toFixed(4);
    const city = cities[Math.floor(next() * cities.length)];
    return [new Date(start + hour * 3_600_000).toISOString(), temp, city, String(Math.round(100 + 20 * normal(next)))];
  });
}

export async function* csv(rows: readonly (readonly string[])[], header: readonly string[] = HEADER) {
  yield header;
  yield* rows;
}

export async function* list<T>(values: readonly T[]) {
  yield* values;
}

/** A year of training rows, the holdout after it, and a model that answers 100 to 139. */
export const makeBaseline = (train = makeRows(1, '2011-01-01T00:00:00Z', 8000), score = (row: number): number => 100 + (row % 40)) => {
  const holdout = makeRows(2, '2011-12-10T00:00:00Z', 400);
  return buildBaseline({
    model: 'BikeDemand',
    runId: 'run-1',
    task: TASK,
    train: csv(train),
    holdout: csv(holdout),
    scores: list<Cell>(holdout.map((_, row) => String(score(row)))),
  });
};

/** A capture line with the features of these rows as CSV, and one prediction each. */
export function captureLine(rows: readonly (readonly string[])[], options: { id: string; eventId?: string }): string {
  const data = rows.map((row) => `${row.slice(0, 3).join(',')}\n`).join('');
  return JSON.stringify({
    captureData: {
      endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data, encoding: 'CSV' },
      endpointOutput: { observedContentType: 'text/csv', mode: 'OUTPUT', data: '100\n'.repeat(rows.length), encoding: 'CSV' },
    },
    eventMetadata: { eventId: options.eventId ?? `event-${options.id}`, inferenceId: options.id, inferenceTime: '2026-01-01T00:00:00Z' },
    eventVersion: '0',
  });
}

export const labelLine = (inferenceId: string, rowIndex: number, value: number | string, observedAt = '2012-05-01', labelVersion = 1): string =>
  JSON.stringify({ inferenceId, rowIndex, value, observedAt, labelVersion });

export const lines = (texts: readonly string[], file = 'file.jsonl') => list(texts.map((text, index) => ({ text, where: `${file}:${index + 1}` })));
