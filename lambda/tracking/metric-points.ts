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
export const storableValue = (value: number): number => {
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

/** Items of the points of one write: one for each bucket. What they hold names them, so that a write that is repeated leaves one copy. */
export const pointItems = (runId: string, points: readonly MetricPoint[]): Item[] => {
  const buckets = new Map<number, (readonly [string, ...PackedPoint])[]>();
  const seen = new Set<string>();
  for (const point of points) {
    const row = [point.key, ...packPoint(point)] as const;
    const text = JSON.stringify(row);
    if (seen.has(text)) continue;
    seen.add(text);
    const bucket = bucketOf(point.key);
    if (!buckets.has(bucket)) buckets.set(bucket, []);
    buckets.get(bucket)!.push(row);
  }
  return [...buckets].flatMap(([bucket, rows]) => itemsOf(TRACKING_KEYS.points(runId, bucket), rows));
};

const itemsOf = (pk: string, rows: readonly (readonly [string, ...PackedPoint])[]): Item[] => {
  const packed = pack(rows);
  if (packedBytes(packed) > POINTS_BYTES && rows.length > 1) {
    const middle = Math.ceil(rows.length / 2);
    return [...itemsOf(pk, rows.slice(0, middle)), ...itemsOf(pk, rows.slice(middle))];
  }
  const first = rows.reduce((least, [, , timestamp]) => Math.min(least, timestamp), Infinity);
  const hash = createHash('sha256').update(JSON.stringify(rows)).digest('hex').slice(0, HASH_DIGITS);
  return [{ pk, sk: `${String(Math.max(0, first)).padStart(TIME_DIGITS, '0')}#${hash}`, points: packed }];
};

/** Points of one metric out of items of its bucket: by time, step and value, identical ones once. */
export const historyOf = (key: string, items: readonly Item[]): MetricPoint[] => {
  const points = new Map<string, PackedPoint>();
  for (const item of items) {
    for (const [name, ...point] of unpack<(readonly [string, ...PackedPoint])[]>(item.points as Packed)) {
      if (name === key) points.set(`${point[0]} ${point[1]} ${point[2]}`, point);
    }
  }
  return [...points.values()]
    .sort((a, b) => a[1] - b[1] || a[2] - b[2] || byValue(a[0], b[0]))
    .map((point) => unpackPoint(key, point));
};
