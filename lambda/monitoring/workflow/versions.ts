import type { Promotion } from '../monitor.client';
import type { ReadRange } from './sources';
import type { Window } from './windows';

/** The version that served at a time; the first one also in the moments between its release and its promotion. */
export const versionAt = (promotions: readonly Promotion[], time: number): number | undefined =>
  (promotions.findLast(({ at }) => at <= time) ?? promotions[0])?.version;

/**
 * The version that a window is judged under: the one that served at its end. Where the window lies before anything served, its rows were replayed:
 * then it is the one that answered the newest of them, and before they were read the one that serves now.
 */
export function servingVersion(promotions: readonly Promotion[], window: Window, ranges: readonly ReadRange[]): number | undefined {
  if (promotions.length === 0 || window.end > promotions[0].at) return versionAt(promotions, window.end - 1);
  const requested = ranges.filter(({ from, to }) => from !== undefined && to !== undefined && from < window.end && to >= window.start);
  const newest = Math.max(...requested.map((range) => range.requested ?? -Infinity), -Infinity);
  return versionAt(promotions, newest === -Infinity ? Infinity : newest);
}
