import { UsageError } from './errors';

/** A version as people write it: 3 or v3. */
export function versionNumber(text: string): number {
  const value = Number(text.replace(/^v/, ''));
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`"${text}" is no version`, 'versions are whole numbers from 1');
  return value;
}

/** How many rows to show. */
export function limit(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1000) throw new UsageError(`--limit ${text} is no number from 1 to 1000`);
  return value;
}

/** A moment: ISO 8601, or a date alone, which means its first moment in the local zone. */
export function moment(text: string): string {
  const value = new Date(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00` : text);
  if (Number.isNaN(value.getTime()))
    throw new UsageError(`"${text}" is no time`, 'write it like 2026-03-01, 2026-03-01T14:00 or 2026-03-01T14:00:00Z');
  return value.toISOString();
}
