import type { FileMetaData, ParquetScan, ParquetScanColumnOptions, RowGroup } from 'hyparquet';
import { cachedAsyncBuffer, parquetMetadataAsync, parquetScan } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Rejections } from '../rejections';
import type { Cell, RowSink } from '../rows';
import { MOST_COLUMNS } from './csv';
import { UnreadableData } from './feeder';
import { cellOf } from './json-body';

const MEGABYTE = 1024 * 1024;
/** What a decoded value takes, at most: a number in an array that also holds nothing. */
const CELL_BYTES = 24;
const LEAST_ROWS = 1024;

export interface ParquetFile {
  readonly byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

export interface ParquetLimits {
  /** Bytes of one column of a row group, unpacked, and of the rows that are decoded at a time. @default 64 MiB */
  readonly bytes?: number;
  /** Bytes of the metadata at the file's end. @default 32 MiB */
  readonly metadataBytes?: number;
}

/**
 * A Parquet file with flat columns, a part of a row group at a time. What does not fit the limits is refused before it is read. 64-bit integers that
 * no number holds exactly come as text, times as ISO 8601.
 */
export async function readParquet(
  file: ParquetFile,
  where: string,
  open: (columns: readonly string[]) => RowSink,
  rejections: Rejections,
  limits: ParquetLimits = {},
): Promise<{ rows: number }> {
  const metadata = await metadataOf(file, where, limits.metadataBytes ?? 32 * MEGABYTE);
  const columns = flatColumns(metadata, where);
  const most = limits.bytes ?? 64 * MEGABYTE;
  metadata.row_groups.forEach((group, index) => check(group, `${where}: row group ${index + 1}`, most));
  const sink = open(columns);
  const slab = Math.max(LEAST_ROWS, Math.floor(most / (CELL_BYTES * columns.length)));
  let first = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    const end = first + Number(group.num_rows);
    const source = { byteLength: file.byteLength, slice: (from: number, to?: number) => file.slice(from, to) };
    const place = `${where}: row group ${index + 1}`;
    // Pages that reach over several parts are read once, where they can be kept packed.
    const kept = packedBytes(group) <= most ? cachedAsyncBuffer(source, { minSize: 0 }) : source;
    const scan = await attempt(`${place} cannot be read`, () => parquetScan({ file: kept, metadata, columns, compressors }));
    for (let start = first; start < end; start += slab) {
      const range = { rowStart: start, rowEnd: Math.min(end, start + slab) };
      const values: ArrayLike<unknown>[] = [];
      for (const column of columns) {
        values.push(await readColumn(scan, { column, ...range }, `${place}: column ${JSON.stringify(column)}`));
      }
      deliver(values, range.rowEnd - range.rowStart, sink);
    }
    first = end;
  }
  if (first === 0) {
    rejections.add('no-rows', where, 'the file holds no rows');
  }
  return { rows: first };
}

async function metadataOf(file: ParquetFile, where: string, most: number): Promise<FileMetaData> {
  const trailer = file.byteLength < 12 ? undefined : new DataView(await file.slice(file.byteLength - 8, file.byteLength));
  if (trailer?.getUint32(4, true) !== 0x31524150) {
    throw new UnreadableData(`${where}: the file is no Parquet file, or it is cut off`);
  }
  const bytes = trailer.getUint32(0, true);
  if (bytes > most) {
    throw new UnreadableData(`${where}: ${megabytes(bytes)} of metadata are more than ${megabytes(most)}: write fewer row groups`);
  }
  return attempt(`${where}: the metadata cannot be read`, () => parquetMetadataAsync(file, { initialFetchSize: bytes + 8 }));
}

/** Names of the columns; those that are nested are refused. */
function flatColumns({ schema }: FileMetaData, where: string): string[] {
  const [root, ...elements] = schema;
  const nested = elements.filter(({ num_children: children, repetition_type: repetition }) => children !== undefined || repetition === 'REPEATED');
  if (nested.length > 0) {
    const names = nested.slice(0, 5).map(({ name }) => JSON.stringify(name));
    const list = names.join(', ') + (nested.length > 5 ? ', …' : '');
    throw new UnreadableData(`${where}: nested columns cannot be read: ${list}: leave them out or flatten them`);
  }
  const columns = elements.map(({ name }) => name);
  const double = columns.find((name, index) => columns.indexOf(name) !== index);
  if (double !== undefined || columns.length > MOST_COLUMNS || columns.length === 0 || root.num_children !== columns.length) {
    const what = double === undefined ? `${columns.length} columns are no table` : `column ${JSON.stringify(double)} is there more than once`;
    throw new UnreadableData(`${where}: ${what}`);
  }
  return columns;
}

function check(group: RowGroup, where: string, most: number): void {
  for (const { meta_data: column } of group.columns) {
    if (column === undefined) {
      throw new UnreadableData(`${where}: a column is encrypted`);
    }
    const name = JSON.stringify(column.path_in_schema.join('.'));
    if (column.codec !== 'UNCOMPRESSED' && compressors[column.codec] === undefined) {
      throw new UnreadableData(`${where}: column ${name} is packed with ${column.codec}: write it with SNAPPY or ZSTD`);
    }
    const bytes = Math.max(Number(column.total_uncompressed_size), Number(group.num_rows) * 8);
    if (bytes > most || Number(column.total_compressed_size) > most) {
      const rows = Math.max(LEAST_ROWS, Math.floor((Number(group.num_rows) * most) / bytes / 2));
      throw new UnreadableData(
        `${where}: column ${name} takes ${megabytes(bytes)}, the limit is ${megabytes(most)}: write row groups of ${rows} rows or fewer, or CSV`,
      );
    }
  }
}

const packedBytes = (group: RowGroup): number => group.columns.reduce((sum, column) => sum + Number(column.meta_data?.total_compressed_size ?? 0), 0);

const megabytes = (bytes: number): string => `${Math.ceil(bytes / MEGABYTE)} MiB`;

async function readColumn(scan: ParquetScan, part: ParquetScanColumnOptions, place: string): Promise<ArrayLike<unknown>> {
  const values = await attempt(`${place} cannot be read`, () => scan.readColumn(part));
  if (values.length !== part.rowEnd - part.rowStart) {
    throw new UnreadableData(`${place} has another number of rows than the file says`);
  }
  return values;
}

async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new UnreadableData(`${what}: ${(error as Error).message}`);
  }
}

function deliver(values: readonly ArrayLike<unknown>[], rows: number, sink: RowSink): void {
  const row: Cell[] = values.map(() => undefined);
  for (let index = 0; index < rows; index += 1) {
    for (let column = 0; column < row.length; column += 1) {
      const value = values[column][index];
      row[column] = typeof value === 'number' || typeof value === 'string' ? value : cellOfParquet(value);
    }
    sink.cells(row);
  }
}

function cellOfParquet(value: unknown): Cell {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? undefined : value.toISOString();
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : cellOf(value);
}
