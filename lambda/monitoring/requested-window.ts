import * as z from 'zod';
import type { Window } from './run-monitor';
import { readTime } from './values';

const time = z.string().transform((text, context) => {
  const milliseconds = readTime(text);
  if (milliseconds === undefined) {
    context.addIssue({ code: 'custom', message: 'must be an ISO 8601 time, e.g. 2012-03-01T00:00:00Z' });
    return z.NEVER;
  }
  return milliseconds;
});

const request = z.object({ windowStart: time.optional(), windowEnd: time.optional() });

/** Without an end the window ends at this minute, without a start it has the model's window length. */
export const requestedWindow = (event: unknown, windowSeconds: number, now: number): Window => {
  const parsed = request.parse(event ?? {});
  const end = parsed.windowEnd ?? Math.floor(now / 60_000) * 60_000;
  const start = parsed.windowStart ?? end - windowSeconds * 1000;
  if (start >= end) {
    throw new RangeError(`the window must end after it starts, got ${new Date(start).toISOString()} to ${new Date(end).toISOString()}`);
  }
  return { start, end };
};
