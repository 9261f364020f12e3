import { readCsv } from '../readers/csv';
import { Rejections } from '../rejections';
import type { Cell, Chunks, RowSink } from '../rows';

/** Opens the parts of a table, CSV with the same header each, from their beginnings. */
export type TableSource = () => Iterable<{ readonly where: string; readonly chunks: Chunks }>;

/** Reads all parts as one table; `open` is told the columns once. The rows were written by the pipeline: one that cannot be read is an error. */
export async function readTable(source: TableSource, open: (columns: readonly string[]) => RowSink): Promise<{ readonly rows: number }> {
  const rejections = new Rejections();
  let columns: readonly string[] | undefined;
  let sink: RowSink | undefined;
  let rows = 0;
  for (const { where, chunks } of source()) {
    const part = await readCsv(
      chunks,
      where,
      (found) => {
        if (columns !== undefined && columns.join('\n') !== found.join('\n')) {
          throw new Error(`${where} has another header than the files before it: ${found.join()} instead of ${columns.join()}`);
        }
        columns = found;
        sink ??= open(found);
        return sink;
      },
      rejections,
    );
    rows += part.rows;
  }
  const [first] = Object.values(rejections.samples());
  if (first !== undefined) {
    throw new Error(`${rejections.total} rows cannot be read, the first at ${first}`);
  }
  return { rows };
}

/** Gives each row to several sinks. */
export const toAll = (...sinks: readonly RowSink[]): RowSink => ({
  text: (row) => sinks.forEach((sink) => sink.text(row)),
  cells: (row: readonly Cell[]) => sinks.forEach((sink) => sink.cells(row)),
});
