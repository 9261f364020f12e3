import type { MonitorSpec } from '../../../lib/monitoring/contract';
import type { Baseline } from '../baseline/types';
import { type PairCount, PairCounter } from '../constraints/pairs';
import type { ConstraintFile } from '../constraints/types';
import type { MonitorClient, Promotion } from '../monitor.client';
import { mergeProfiles, mergeRequestCounts, type RequestCounts, RequestProfiler } from '../profile';
import type { Profile, WatchedFeature } from '../profile/types';
import type { AnsweredRow } from '../quality/types';
import { readCapture } from '../readers/capture';
import { CaptureStats } from '../readers/capture-stats';
import { Rejections } from '../rejections';
import { ReadAhead, readAsItIs } from './read-ahead';
import { type RequestIds, RequestWatch, SwitchedRejections } from './request-watch';
import { isOf, type ReadRange, type SourceObject } from './sources';
import type { Window } from './windows';

/** What is counted, and under which shapes. */
export interface PartContext {
  readonly spec: MonitorSpec;
  readonly baseline: Baseline;
  readonly version: number;
  readonly constraints: { readonly file: ConstraintFile; readonly source: string };
  readonly promotions: readonly Promotion[];
  readonly window: Window;
}

/** What a part of a window's objects holds. */
export interface Part {
  readonly profile: Profile;
  readonly counts: RequestCounts;
  readonly pairs: readonly PairCount[];
  readonly stats: CaptureStats;
  /** Requests that proved a version once it served: counted, and nothing else of them. */
  readonly smokeRequests: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly rejectedSamples: Readonly<Record<string, string>>;
  /** Of every object that was read, in the order of their keys. */
  readonly ranges: readonly ReadRange[];
}

export interface PartOptions {
  readonly onScored: (row: AnsweredRow) => void;
  readonly onIds?: (ids: RequestIds) => void;
  /** After each object: whether it is of the window. */
  readonly onObject?: (isOwn: boolean) => void;
  /** Ids that earlier parts hold. */
  readonly seen?: { readonly events: RequestIds['event'][]; readonly inferenceIds: RequestIds['event'][] };
}

/** Features and prediction as they are watched in requests. */
export const watchedFeatures = ({ features, columns }: Baseline): WatchedFeature[] =>
  features
    .filter(({ role }) => role !== 'target')
    .map(({ name, role, shape }) => ({ name, role, shape, ...(role !== 'prediction' && { column: columns.indexOf(name) }) }));

/** Reads objects in the order given and counts what of them lies in the window. Lines that cannot be used count where the object has rows of it. */
export async function readPart(client: MonitorClient, context: PartContext, objects: readonly SourceObject[], options: PartOptions): Promise<Part> {
  const { spec, baseline, window } = context;
  const rejections = new SwitchedRejections();
  const pairs = new PairCounter(baseline.columns, context.constraints.file.consistency);
  const profiler = new RequestProfiler({
    features: watchedFeatures(baseline),
    columns: baseline.columns,
    task: spec.task,
    window,
    promotions: context.promotions,
    groupColumns: spec.groupColumns,
    rejections,
    onRow: pairs,
    onScored: options.onScored,
    ...(options.seen && { seen: options.seen }),
  });
  const timeIndex = spec.task.timeColumn === undefined ? -1 : baseline.columns.indexOf(spec.task.timeColumn);
  const watch = new RequestWatch(profiler, timeIndex, window, options.onIds);
  const counted = new Rejections();
  const stats = new CaptureStats();
  const ranges: ReadRange[] = [];
  let smokeRequests = 0;
  const ahead = new ReadAhead(objects, (object) => client.open(object));
  for (const [index, listed] of objects.entries()) {
    const own = new Rejections();
    rejections.target = own;
    const seen = new CaptureStats();
    const object = await readAsItIs(client, listed, (current) =>
      readCapture(current === listed ? ahead.chunks(index) : client.open(current), current.key, baseline.columns, watch, rejections, seen),
    );
    if (object === undefined) continue;
    const range = watch.rangeOf(object);
    ranges.push(range);
    const isOwn = isOf(window, object, range);
    const proving = watch.takeSmokeRequests();
    if (isOwn) {
      smokeRequests += proving;
      counted.merge(own.counts(), own.samples());
      stats.merge(seen);
    }
    options.onObject?.(isOwn);
  }
  return {
    profile: profiler.toProfile(),
    counts: profiler.toCounts(),
    pairs: pairs.counts(),
    stats,
    smokeRequests,
    rejected: sorted(counted.counts()),
    rejectedSamples: sorted(counted.samples()),
    ranges,
  };
}

/** Event times of the rows of objects, without counting anything. */
export async function scanRanges(
  client: MonitorClient,
  spec: MonitorSpec,
  columns: readonly string[],
  objects: readonly SourceObject[],
): Promise<ReadRange[]> {
  const timeIndex = spec.task.timeColumn === undefined ? -1 : columns.indexOf(spec.task.timeColumn);
  const nothing = { begin: () => timeIndex >= 0, text: () => undefined, cells: () => undefined };
  const watch = new RequestWatch(nothing, timeIndex, { start: -Infinity, end: Infinity });
  const ranges: ReadRange[] = [];
  const ahead = new ReadAhead(objects, (object) => client.open(object));
  for (const [index, listed] of objects.entries()) {
    const object = await readAsItIs(client, listed, (current) =>
      readCapture(
        current === listed ? ahead.chunks(index) : client.open(current),
        current.key,
        columns,
        watch,
        new Rejections(),
        new CaptureStats(),
      ),
    );
    if (object !== undefined) ranges.push(watch.rangeOf(object));
  }
  return ranges;
}

/** The same whichever part comes first. */
export function mergeParts(a: Part, b: Part): Part {
  const rejections = new Rejections();
  const stats = new CaptureStats();
  for (const part of [a, b]) {
    rejections.merge(part.rejected, part.rejectedSamples);
    stats.merge(part.stats);
  }
  return {
    profile: mergeProfiles(a.profile, b.profile),
    counts: mergeRequestCounts(a.counts, b.counts),
    pairs: a.pairs.map((pair, index) => ({ ...pair, broken: pair.broken + b.pairs[index].broken, of: pair.of + b.pairs[index].of })),
    stats,
    smokeRequests: a.smokeRequests + b.smokeRequests,
    rejected: sorted(rejections.counts()),
    rejectedSamples: sorted(rejections.samples()),
    ranges: [...a.ranges, ...b.ranges].sort((x, y) => (x.key < y.key ? -1 : 1)),
  };
}

const sorted = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
