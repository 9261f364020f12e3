import { UsageError } from '../errors';

/** Windows lie in UTC: a time without an offset, and a date alone, mean UTC. */
export function utcMoment(text: string): string {
  const written = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)(Z|[+-]\d{2}:?\d{2})?)?$/.exec(text.trim());
  const value = written ? new Date(`${written[1]}T${written[2] ?? '00:00'}${written[3] ?? 'Z'}`) : new Date(NaN);
  if (Number.isNaN(value.getTime())) {
    throw new UsageError(`"${text}" is no time`, 'write it like 2026-03-01, 2026-03-01T14:00 or 2026-03-01T14:00:00Z; it is taken for UTC');
  }
  return value.toISOString();
}
