import { number, strong, table } from './format';
import type { Io } from './io';

/** Things side by side: one row a name, one column a thing; `same` leaves out what all agree on. */
export interface Comparison {
  readonly things: readonly string[];
  readonly sections: Readonly<Record<string, Readonly<Record<string, readonly (string | number | null)[]>>>>;
}

type Values = Readonly<Record<string, string | number | undefined>>;

export const compare = (things: readonly string[], sections: Readonly<Record<string, readonly Values[]>>): Comparison => ({
  things,
  sections: Object.fromEntries(
    Object.entries(sections).map(([section, all]) => {
      const names = [...new Set(all.flatMap((values) => Object.keys(values)))];
      return [section, Object.fromEntries(names.map((name) => [name, all.map((values) => values[name] ?? null)]))];
    }),
  ),
});

const shown = (value: string | number | null): string => (value === null ? '-' : typeof value === 'number' ? number(value) : value);

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
