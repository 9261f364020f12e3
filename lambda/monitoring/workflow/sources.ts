import { createHash } from 'node:crypto';
import type { MonitorSpec } from '../../../lib/monitoring/contract';
import type { Window } from './windows';

export const HOUR = 3_600_000;

/** An object of recorded requests or labels as a listing shows it. */
export interface SourceObject {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
  /** Start of the hour that its key names: of the request, or of a label's arrival. */
  readonly hour: number;
}

const HOUR_PATH = /\/(\d{4})\/(\d{2})\/(\d{2})\/(\d{2})\//;

/** The hour of a key of the capture layout. */
export function hourOf(key: string): number | undefined {
  const match = HOUR_PATH.exec(key);
  return match === null ? undefined : Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]), Number(match[4]));
}

/** What reading an object showed; without readable rows it has no times. */
export interface ReadRange {
  readonly key: string;
  readonly etag: string;
  /** Event times of its first and last row. */
  readonly from?: number;
  readonly to?: number;
  /** Wall-clock time of its newest request. */
  readonly requested?: number;
  /** Requests by their wall-clock hour, counted from 1970. */
  readonly hours?: Readonly<Record<string, number>>;
}

const DAY = 24 * HOUR;
/** How long before its event time a row may have been sent or labelled: forecasts are asked for ahead of time. */
export const AHEAD = 7 * DAY;
/** How long after its hour a file may still get records of that hour's requests. */
const LATE = DAY;

/** Times between which hours of the layout are looked at, the last one included. */
export interface Hours {
  readonly from: number;
  readonly to: number;
}

/** Hours of the capture layout in which rows of a window can lie. Rows with a time of their own may have been sent long after it: a replay. */
export const captureHours = (spec: MonitorSpec, window: Window): Hours =>
  spec.task.timeColumn === undefined ? { from: window.start, to: window.end + LATE } : { from: window.start - AHEAD, to: Infinity };

/** Labels of the look-back arrive from a week before it on. */
export const labelHours = (spec: MonitorSpec, window: Window): Hours => ({ from: window.end - spec.qualitySeconds * 1000 - AHEAD, to: Infinity });

/** Whether the object's hour is among them. */
export const isAmong = ({ from, to }: Hours, { hour }: SourceObject): boolean => hour > from - HOUR && hour <= to;

/** Whether the object is of the window. One without readable rows counts, with its rejections, in the window of its hour, and in no other. */
export function isOf(window: Window, object: Pick<SourceObject, 'hour'>, range: ReadRange): boolean {
  if (range.from === undefined || range.to === undefined) {
    return object.hour < window.end && object.hour + HOUR > window.start;
  }
  return range.from < window.end && range.to >= window.start;
}

/** Those of the objects that the window reads. */
export const rangesOf = (window: Window, ranges: readonly ReadRange[]): ReadRange[] =>
  ranges.filter((range) => isOf(window, { hour: hourOf(range.key) ?? 0 }, range));

/** What was read, by what it is: key and ETag. Two lists of the same objects have the same digest, whatever their order. */
export function digestOf(objects: readonly { readonly key: string; readonly etag: string }[], ...context: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of context) hash.update(`${part}\n`);
  for (const line of objects.map(({ key, etag }) => `${key} ${etag}\n`).sort()) hash.update(line);
  return hash.digest('hex').slice(0, 32);
}

/** Ranges that earlier runs found, by key and ETag. */
export class KnownRanges {
  private readonly byObject = new Map<string, ReadRange>();

  public add(ranges: Iterable<ReadRange>): void {
    for (const range of ranges) this.byObject.set(`${range.key} ${range.etag}`, range);
  }

  public of({ key, etag }: SourceObject): ReadRange | undefined {
    return this.byObject.get(`${key} ${etag}`);
  }

  public missing(objects: readonly SourceObject[]): SourceObject[] {
    return objects.filter((object) => this.of(object) === undefined);
  }

  public rangesOf(objects: readonly SourceObject[]): ReadRange[] {
    return objects.map((object) => this.of(object)).filter((range) => range !== undefined);
  }

  /** Objects that a window has to read: those that it holds rows of, and those that nobody has read yet. */
  public wanted(window: Window, objects: readonly SourceObject[]): SourceObject[] {
    return objects.filter((object) => {
      const range = this.of(object);
      return range === undefined || isOf(window, object, range);
    });
  }
}
