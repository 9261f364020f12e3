import { createHash } from 'node:crypto';
import { MetricPoint, TRACKING_KEYS } from '../../lib/tracking/contract';
import { Item } from '../common/dynamo.client';
import { pack, Packed, packedBytes, unpack } from '../common/packed';
import { bucketOf } from './section';

/** A point without its key as JSON can hold it: value (or 'NaN'), timestamp, step, logged model, name and digest of the data set. */
export type PackedPoint = readonly [number | 'NaN', number, number, ...(string | null)[]];

const POINTS_BYTES = 350 * 1_024;
const TIME_DIGITS = 16;
const HASH_DIGITS = 24;

/** Infinities are stored as the largest numbers, as MLflow does; NaN stays, and there is one zero. */
const storableValue = (value: number): number => {
  if (Number.isNaN(value)) return value;
  return Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value)) + 0;
};

export const packPoint = ({ value, timestamp, step, modelId, datasetName, datasetDigest }: Omit<MetricPoint, 'key'>): PackedPoint => {
  const about = [modelId ?? null, datasetName ?? null, datasetDigest ?? null];
  while (about.length > 0 && about.at(-1) === null) about.pop();
  const stored = storableValue(value);
  return [Number.isNaN(stored) ? 'NaN' : stored, timestamp, step, ...about];
};

export const unpackPoint = (key: string, [value, timestamp, step, modelId, datasetName, datasetDigest]: PackedPoint): MetricPoint => ({
  key,
  value: value === 'NaN' ? NaN : value,
  timestamp,
  step,
  ...(modelId != null && { modelId }),
  ...(datasetName != null && { datasetName }),
  ...(datasetDigest != null && { datasetDigest }),
});

/** NaN counts as less than every number. */
const byValue = (a: PackedPoint[0], b: PackedPoint[0]): number =>
  a === b ? 0 : a === 'NaN' ? -1 : b === 'NaN' ? 1 : a - b;

/** Whether the second is the later one: by step, then time, then value. */
export const isLater = (a: PackedPoint | undefined, b: PackedPoint): boolean =>
  a === undefined || (b[2] - a[2] || b[1] - a[1] || byValue(b[0], a[0])) > 0;

/**
 * Points of one metric about the same thing, as columns: they take a third less room than points one after the other. Times and steps are
 * differences to the one before.
 */
type Series = readonly [key: string, values: PackedPoint[0][], times: number[], steps: number[], ...about: (string | null)[]];

const toSeries = (points: readonly (readonly [string, ...PackedPoint])[]): Series[] => {
  const series: Series[] = [];
  const open = new Map<string, { readonly one: Series; readonly time: number; readonly step: number }>();
  for (const [key, value, timestamp, step, ...about] of points) {
    const name = JSON.stringify([key, ...about]);
    let before = open.get(name);
    // A difference that a number cannot hold begins anew.
    if (!before || !Number.isSafeInteger(timestamp - before.time) || !Number.isSafeInteger(step - before.step)) {
      before = { one: [key, [], [], [], ...about], time: 0, step: 0 };
      series.push(before.one);
    }
    before.one[1].push(value);
    before.one[2].push(timestamp - before.time);
    before.one[3].push(step - before.step);
    open.set(name, { one: before.one, time: timestamp, step });
  }
  return series;
};

const fromSeries = ([, values, times, steps, ...about]: Series): PackedPoint[] => {
  let [time, step] = [0, 0];
  return values.map((value, index) => [value, (time += times[index]), (step += steps[index]), ...about] as const);
};

/** Items of the points of one write: one for each bucket. What they hold names them, so that a write that is repeated leaves one copy. */
export const pointItems = (runId: string, points: readonly MetricPoint[]): Item[] => {
  const buckets = new Map<number, Map<string, readonly [string, ...PackedPoint]>>();
  for (const point of points) {
    const row = [point.key, ...packPoint(point)] as const;
    const bucket = bucketOf(point.key);
    if (!buckets.has(bucket)) buckets.set(bucket, new Map());
    buckets.get(bucket)!.set(JSON.stringify(row), row);
  }
  return [...buckets].flatMap(([bucket, rows]) => itemsOf(TRACKING_KEYS.points(runId, bucket), [...rows.values()]));
};

const itemsOf = (pk: string, rows: readonly (readonly [string, ...PackedPoint])[]): Item[] => {
  const series = toSeries(rows);
  const packed = pack(series);
  if (packedBytes(packed) > POINTS_BYTES && rows.length > 1) {
    const middle = Math.ceil(rows.length / 2);
    return [...itemsOf(pk, rows.slice(0, middle)), ...itemsOf(pk, rows.slice(middle))];
  }
  const first = rows.reduce((least, [, , timestamp]) => Math.min(least, timestamp), Infinity);
  const hash = createHash('sha256').update(JSON.stringify(series)).digest('hex').slice(0, HASH_DIGITS);
  return [{ pk, sk: `${String(Math.max(0, first)).padStart(TIME_DIGITS, '0')}#${hash}`, points: packed }];
};

/** Points of one metric out of items of its bucket: by time, step and value, identical ones once. */
export const historyOf = (key: string, items: readonly Item[]): MetricPoint[] => {
  const points = new Map<string, PackedPoint>();
  for (const item of items) {
    for (const series of unpack<Series[]>(item.points as Packed)) {
      if (series[0] !== key) continue;
      for (const point of fromSeries(series)) points.set(`${point[0]} ${point[1]} ${point[2]}`, point);
    }
  }
  return [...points.values()]
    .sort((a, b) => a[1] - b[1] || a[2] - b[2] || byValue(a[0], b[0]))
    .map((point) => unpackPoint(key, point));
};
