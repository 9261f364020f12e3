import { pipeline, Readable } from 'node:stream';
import { parse } from 'csv-parse';
import { DataSchema } from '../../lib/registry/contract';

type ColumnType = DataSchema['columns'][number]['type'];

/** Enough to tell a column's type: the preparation has refused malformed rows already. */
const SAMPLED_ROWS = 20_000;

/** Schema of a request row: every column but the target, in the header's order. A column that holds anything but numbers is text. */
export const readSchema = async (csv: Readable, columns: readonly string[], target: string, timeColumn?: string): Promise<DataSchema> => {
  const filled = new Set<string>();
  const textual = new Set<string>();
  let rows = 0;
  // Leaving the loop early destroys the parser, and with it the source: that is no error here; a source that fails ends the loop by itself.
  for await (const row of pipeline(csv, parse({ columns: true, bom: true }), () => undefined) as AsyncIterable<Record<string, string>>) {
    for (const [name, value] of Object.entries(row)) {
      if (value.trim() === '') continue;
      filled.add(name);
      if (!Number.isFinite(Number(value))) textual.add(name);
    }
    rows += 1;
    if (rows >= SAMPLED_ROWS) break;
  }
  const typeOf = (name: string): ColumnType => {
    if (name === timeColumn) return 'timestamp';
    return textual.has(name) || !filled.has(name) ? 'string' : 'number';
  };
  return { columns: columns.filter((name) => name !== target).map((name) => ({ name, type: typeOf(name) })), target, timeColumn };
};
