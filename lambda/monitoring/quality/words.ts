import type { Estimate } from '../../../lib/monitoring/contract';
import { plural } from '../words';

/** Four significant digits. */
export const figure = (value: number): string => String(Number(value.toPrecision(4)));

export const interval = ({ value, low, high }: Estimate): string =>
  low === undefined || high === undefined ? figure(value) : `${figure(value)} (${figure(low)} to ${figure(high)})`;

export const rowsText = (count: number, noun = 'row'): string => plural(count, noun);

export const listed = (parts: readonly string[]): string => parts.join('; ');
