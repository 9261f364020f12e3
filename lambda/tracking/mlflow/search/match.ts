import { liker } from './compare';
import type { Condition, Value } from './query';

/** Whether one value answers a condition; what is absent answers none but IS NULL. */
export const test = ({ operator, value }: Condition): ((found: Value) => boolean) => {
  switch (operator) {
    case 'IS NULL':
      return (found) => found === undefined;
    case 'IS NOT NULL':
      return (found) => found !== undefined;
    case '=':
      return (found) => found !== undefined && found === value;
    case '!=':
      return (found) => found !== undefined && found !== value;
    case '>':
      return (found) => typeof found === 'number' && found > (value as number);
    case '>=':
      return (found) => typeof found === 'number' && found >= (value as number);
    case '<':
      return (found) => typeof found === 'number' && found < (value as number);
    case '<=':
      return (found) => typeof found === 'number' && found <= (value as number);
    case 'LIKE':
    case 'ILIKE': {
      const isLike = liker(value as string, operator === 'ILIKE');
      return (found) => typeof found === 'string' && isLike(found);
    }
    case 'IN': {
      const wanted = new Set(value as readonly string[]);
      return (found) => typeof found === 'string' && wanted.has(found);
    }
    case 'NOT IN': {
      const unwanted = new Set(value as readonly string[]);
      return (found) => typeof found === 'string' && !unwanted.has(found);
    }
  }
};

export const every =
  <T>(tests: readonly ((record: T) => boolean)[]) =>
  (record: T): boolean => {
    for (const holds of tests) {
      if (!holds(record)) {
        return false;
      }
    }
    return true;
  };

/** A value of a map that strangers name the keys of. */
export const own = <T>(map: Readonly<Record<string, T>>, key: string): T | undefined => (Object.hasOwn(map, key) ? map[key] : undefined);
