import * as z from 'zod';
import type { MonitorSpec } from '../../../lib/monitoring/contract';
import { windowStartOf } from '../../../lib/monitoring/contract';
import { MONITOR_LIMITS, type PlanInput } from '../../../lib/monitoring/workflow/contract';
import { readTime } from '../values';

/** A window of event time in milliseconds; its end is not part of it. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** Scheduled runs look at so many complete windows, so that late records and labels still count. */
const LOOK_BACK_WINDOWS = 3;

const time = z.string().transform((text, context) => {
  const milliseconds = readTime(text);
  if (milliseconds === undefined) {
    context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time, e.g. 2012-03-01T00:00:00Z' });
    return z.NEVER;
  }
  return milliseconds;
});

const requestSchema = z.object({
  windowStart: time.optional(),
  windowEnd: time.optional(),
  force: z.boolean().optional(),
  scheduledTime: time.optional(),
});

export interface RequestedWindows {
  /** Oldest first. */
  readonly windows: readonly Window[];
  readonly force: boolean;
  /** Somebody named the time, rather than the schedule. */
  readonly onDemand: boolean;
}

/** Windows that a request asks for: those that end in (windowStart, windowEnd], else the latest complete ones. */
export function requestedWindows(request: PlanInput['request'], spec: MonitorSpec, clock: number): RequestedWindows {
  const { windowStart, windowEnd, force = false, scheduledTime } = requestSchema.parse(request);
  const now = scheduledTime ?? clock;
  const length = spec.windowSeconds * 1000;
  if (windowStart === undefined && windowEnd === undefined) {
    const { from, to } = scheduledAt(spec, now);
    return { windows: windowsBetween(from, to, length), force, onDemand: false };
  }
  const to = windowEnd ?? now;
  const end = windowStartOf(to, spec.windowSeconds);
  const from = windowStart ?? end - length;
  if (from >= to) {
    throw new RangeError(`the range must end after it starts, got ${iso(from)} to ${iso(to)}`);
  }
  const windows = windowsBetween(windowStartOf(from, spec.windowSeconds), end, length);
  if (windows.length > MONITOR_LIMITS.windows) {
    const most = MONITOR_LIMITS.windows;
    throw new RangeError(`${iso(from)} to ${iso(to)} holds ${windows.length} windows, one run judges at most ${most}: ask for a shorter range`);
  }
  return { windows, force, onDemand: true };
}

/** The windows of a scheduled run end in (from, to]. */
export function scheduledAt({ windowSeconds, delaySeconds }: MonitorSpec, now: number): { readonly from: number; readonly to: number } {
  const to = windowStartOf(now - delaySeconds * 1000, windowSeconds);
  return { from: to - LOOK_BACK_WINDOWS * windowSeconds * 1000, to };
}

/** Windows that end in (from, to], both on the grid. */
const windowsBetween = (from: number, to: number, length: number): Window[] =>
  Array.from({ length: Math.max(0, Math.round((to - from) / length)) }, (_, index) => {
    const start = from + index * length;
    return { start, end: start + length };
  });

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

/** A time as keys of windows hold it: 20120820T000000Z. */
export const timeOfKey = (compact: string): number =>
  Date.parse(compact.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

/** The window of a state's input. */
export const windowOf = ({ windowStart, windowEnd }: { readonly windowStart: string; readonly windowEnd: string }): Window => ({
  start: Date.parse(windowStart),
  end: Date.parse(windowEnd),
});
