import { readCapture } from '../../lambda/monitoring/readers/capture';
import { CaptureStats } from '../../lambda/monitoring/readers/capture-stats';
import { readCsv } from '../../lambda/monitoring/readers/csv';
import type { DataFormat } from '../../lambda/monitoring/readers/detect';
import { readJsonLines } from '../../lambda/monitoring/readers/json-lines';
import { readParquet } from '../../lambda/monitoring/readers/parquet';
import { Rejections } from '../../lambda/monitoring/rejections';
import type { Cell, RequestSink, RowSink, TextRow } from '../../lambda/monitoring/rows';
import { CliError } from '../errors';
import { columnsOf, counted, named, parquetOf } from './formats';
import type { SourceFile } from './sources';
import { readTransform, transformColumns, type TransformFile } from './transform';

export type Format = DataFormat | 'transform';

/** Takes the rows of a table; where predictions come beside the rows, each after its row. */
export interface TableSink extends RowSink {
  prediction?(cell: Cell): void;
  /** What follows is another file. */
  nextPart?(): void;
}

/** One side of the comparison: its files read as one table, as often as is needed. */
export class Table {
  readonly rejections = new Rejections();
  readonly bytes: number;

  private constructor(
    readonly place: string,
    readonly files: readonly SourceFile[],
    readonly format: Format,
    readonly columns: readonly string[],
  ) {
    this.bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  }

  /** Reads the columns of every file. Captures have none: theirs are those that are given, in the order of the requests. */
  static async open(place: string, files: readonly SourceFile[], format: Format, requestColumns?: readonly string[]): Promise<Table> {
    if (format === 'capture') {
      if (requestColumns !== undefined) return new Table(place, files, format, requestColumns);
      throw new CliError(`${place} holds recorded requests, which name no columns`, 'name them with --columns a,b,c in the order of the requests');
    }
    if (format === 'transform') {
      return new Table(place, files, format, requestColumns ?? (await transformColumns(files[0])));
    }
    let columns: readonly string[] | undefined;
    for (const file of files) {
      const own = await columnsOf(file, format);
      // Objects name their columns themselves: what one lacks is missing there.
      if (format === 'jsonl') columns = [...new Set([...(columns ?? []), ...own])];
      else if (columns !== undefined) differing(columns, own, files[0].name, file.name);
      columns ??= own;
    }
    return new Table(place, files, format, columns ?? []);
  }

  /** Whether rows are those of requests: without truth, and with predictions beside them. */
  get isServed(): boolean {
    return this.format === 'capture' || this.format === 'transform';
  }

  /** One pass over all rows. `first` tells rejections once, although the table is read several times. */
  async read(sink: TableSink, progress: (bytes: number) => void, first = false): Promise<void> {
    const rejections = first ? this.rejections : new Rejections();
    for (const file of this.files) {
      await this.readFile(file, sink, progress, rejections);
      sink.nextPart?.();
    }
  }

  private async readFile(file: SourceFile, sink: TableSink, progress: (bytes: number) => void, rejections: Rejections): Promise<void> {
    const { name } = file;
    const chunks = counted(file.chunks(), progress);
    switch (this.format) {
      case 'csv':
        await readCsv(chunks, name, (columns) => inOrder(sink, columns, this.columns), rejections);
        return;
      case 'jsonl':
        await readJsonLines(chunks, name, () => sink, rejections, this.columns);
        return;
      case 'parquet':
        await readParquet(parquetOf(file, progress), name, (columns) => inOrder(sink, columns, this.columns), rejections);
        return;
      case 'transform': {
        const requestsOf = (columns: readonly string[]): RequestSink => requestSink(inOrder(sink, columns, this.columns), sink);
        await readTransform(file as TransformFile, this.columns, requestsOf, progress, rejections);
        return;
      }
      case 'capture':
        await readCapture(chunks, name, this.columns, requestSink(sink, sink), rejections, new CaptureStats());
    }
  }
}

const requestSink = (rows: RowSink, sink: TableSink): RequestSink => ({
  begin: () => true,
  text: (row: TextRow, prediction: Cell) => {
    rows.text(row);
    if (prediction !== undefined) sink.prediction?.(prediction);
  },
  cells: (row: readonly Cell[], prediction: Cell) => {
    rows.cells(row);
    if (prediction !== undefined) sink.prediction?.(prediction);
  },
});

/** Files of one table may hold its columns in another order. */
function inOrder(sink: RowSink, columns: readonly string[], wanted: readonly string[]): RowSink {
  const places = wanted.map((name) => columns.indexOf(name));
  if (places.every((place, index) => place === index)) return sink;
  const { length } = wanted;
  const moved: TextRow = { bytes: new Uint8Array(0), starts: new Int32Array(length), ends: new Int32Array(length), length };
  return {
    text: (row) => {
      moved.bytes = row.bytes;
      places.forEach((place, index) => {
        moved.starts[index] = row.starts[place];
        moved.ends[index] = row.ends[place];
      });
      sink.text(moved);
    },
    cells: (row) => sink.cells(places.map((place) => row[place])),
  };
}

function differing(columns: readonly string[], own: readonly string[], first: string, file: string): void {
  const lacks = columns.filter((name) => !own.includes(name));
  const more = own.filter((name) => !columns.includes(name));
  if (lacks.length + more.length === 0) return;
  const parts = [...(lacks.length > 0 ? [`lacks ${named(lacks)}`] : []), ...(more.length > 0 ? [`has ${named(more)} more`] : [])];
  throw new CliError(`${file} has other columns than ${first}: it ${parts.join(' and ')}`, 'compare files of one schema, or name them one by one');
}
