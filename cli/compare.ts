import { UsageError } from './errors';
import { number, shorten, strong, table } from './format';
import type { Io } from './io';

/** Things side by side: one row a name, one column a thing. */
export interface Comparison {
  readonly things: readonly string[];
  readonly sections: Readonly<Record<string, Readonly<Record<string, readonly (string | number | null)[]>>>>;
}

const WIDEST = 50;

type Values = Readonly<Record<string, string | number | undefined>>;

/** Refuses less than two, before anything is read. */
export const atLeastTwo = (what: string, things: readonly unknown[]): void => {
  if (things.length < 2) throw new UsageError(`one ${what} cannot be compared`, `name at least two ${what}s`);
};

export const compare = (things: readonly string[], sections: Readonly<Record<string, readonly Values[]>>): Comparison => ({
  things,
  sections: Object.fromEntries(
    Object.entries(sections).map(([section, all]) => {
      const names = [...new Set(all.flatMap((values) => Object.keys(values)))];
      return [section, Object.fromEntries(names.map((name) => [name, all.map((values) => values[name] ?? null)]))];
    }),
  ),
});

/** Of addresses the end tells one from another, of other texts the beginning. */
const brief = (text: string): string => {
  if (text.length <= WIDEST) return text;
  return text.includes('/') ? `…${text.slice(1 - WIDEST)}` : shorten(text, WIDEST);
};

const shown = (value: string | number | null): string => (value === null ? '-' : typeof value === 'number' ? number(value) : brief(value));

/** Rows that differ are marked, since they are what one looks for. */
export const renderComparison = (io: Io, { things, sections }: Comparison): string =>
  Object.entries(sections)
    .filter(([, rows]) => Object.keys(rows).length > 0)
    .map(([section, rows]) =>
      table(
        io,
        ['', section, ...things],
        Object.entries(rows).map(([name, values]) => {
          const differ = new Set(values).size > 1;
          return [differ ? '≠' : '', name, ...values.map((value) => (differ ? strong(io, shown(value)) : shown(value)))];
        }),
      ),
    )
    .join('\n');
