import { DriftPromise, FEWEST_BLOCKS } from '../../../lib/monitoring/contract';
import { plural } from '../words';
import type { CalibrationOptions } from './types';

/** Figures, spans and months as sentences show them, and the sentence of a promise. */

const UNITS: readonly (readonly [number, string])[] = [[86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];

/** "7 days", "1 hour". */
export function spanOf(seconds: number): string {
  const [length, noun] = UNITS.find(([unit]) => seconds % unit === 0) ?? UNITS[3];
  return plural(seconds / length, noun);
}

/** Two digits that matter. */
export const round = (value: number): string => String(Number(value.toPrecision(2)));

const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** "January 2011" for 2011-01. */
export const monthName = (month: string): string => `${MONTHS[Number(month.slice(5)) - 1]} ${month.slice(0, 4)}`;

export function listOf(names: readonly string[]): string {
  return names.length < 2 ? (names[0] ?? 'none') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

/** What a reference can promise, for people. */
export function promiseSentence(promise: Omit<DriftPromise, 'sentence'>, options: CalibrationOptions): string {
  const { fitBlocks, nullBlocks, asked, supported, episodes, days } = promise;
  const span = spanOf(options.windowSeconds);
  const blocks = options.subject ?? `${plural(fitBlocks + nullBlocks + options.persistence.windows - 1, 'block')} of ${span}`;
  if (promise.advisory) {
    return `${blocks} cannot support a promise (${FEWEST_BLOCKS} are needed beyond those that fit it): shown for information, never alarms.`;
  }
  const how = `${blocks}: ${fitBlocks} fit the reference, and ${nullBlocks} that it did not see say how far windows differ without drift`;
  const expected = `${round(episodes)} false ${episodes === 1 ? 'episode' : 'episodes'} in ${plural(days, 'day')}`;
  return supported <= asked
    ? `${how}. At most ${expected} are expected, as asked.`
    : `${how}. They support no fewer than ${expected}; ${round((episodes * asked) / supported)} were asked for.`;
}
