import type { AsyncBuffer, FileMetaData, ParquetScanColumnOptions, RowGroup } from 'hyparquet';
import { cachedAsyncBuffer, parquetMetadataAsync, parquetScan, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Rejections } from '../rejections';
import type { Cell, RowSink } from '../rows';
import { MOST_COLUMNS } from './csv';
import { UnreadableData } from './feeder';
import { cellOf } from './json-body';

const MEGABYTE = 1024 * 1024;
/** What a decoded value takes. */
const CELL_BYTES = 8;
const LEAST_ROWS = 1024;
/** Rows that are decoded at a time, and packed columns that are kept meanwhile. */
const PART_BYTES = 24 * MEGABYTE;
const KEPT_BYTES = 16 * MEGABYTE;

export interface ParquetFile {
  readonly byteLength: number;
  slice(start: number, end?: number): Promise<ArrayBuffer>;
}

export interface ParquetLimits {
  /** Bytes of one column of a row group, unpacked. @default 32 MiB */
  readonly columnBytes?: number;
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
  const columns = await attempt(`${where}: the metadata cannot be read`, async () => {
    metadata.row_groups.forEach((group, index) => check(group, `${where}: row group ${index + 1}`, limits.columnBytes ?? 32 * MEGABYTE));
    const isWhole = metadata.row_groups.every(({ num_rows: rows }) => Number(rows) >= 0);
    if (!isWhole || metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0) !== Number(metadata.num_rows)) {
      throw new UnreadableData(`${where}: the metadata is damaged: its numbers of rows do not add up`);
    }
    return flatColumns(metadata, where);
  });
  const sink = open(columns);
  const slab = Math.max(LEAST_ROWS, Math.floor(PART_BYTES / (CELL_BYTES * columns.length)));
  let first = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    const end = first + Number(group.num_rows);
    const source = { byteLength: file.byteLength, slice: (from: number, to?: number) => file.slice(from, to) };
    const place = `${where}: row group ${index + 1}`;
    // Pages that reach over several parts are read once, where they can be kept packed.
    const kept = packedBytes(group) <= KEPT_BYTES ? cachedAsyncBuffer(source, { minSize: 0 }) : source;
    for (let start = first; start < end; start += slab) {
      const range = { rowStart: start, rowEnd: Math.min(end, start + slab) };
      const values: Values[] = [];
      for (const column of columns) {
        values.push(compact(await readColumn(kept, metadata, { column, ...range }, `${place}: column ${JSON.stringify(column)}`)));
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
function flatColumns(metadata: FileMetaData, where: string): string[] {
  const fields = parquetSchema(metadata).children;
  const nested = fields.filter(({ children, element }) => children.length > 0 || element.repetition_type === 'REPEATED');
  if (nested.length > 0) {
    const names = nested.slice(0, 5).map(({ element }) => JSON.stringify(element.name));
    const list = names.join(', ') + (nested.length > 5 ? ', …' : '');
    throw new UnreadableData(`${where}: nested columns cannot be read: ${list}: leave them out or flatten them`);
  }
  const columns = fields.map(({ element }) => element.name);
  const double = columns.find((name, index) => columns.indexOf(name) !== index);
  if (double !== undefined || columns.length > MOST_COLUMNS || columns.length === 0) {
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

async function readColumn(
  file: AsyncBuffer,
  metadata: FileMetaData,
  part: ParquetScanColumnOptions,
  place: string,
): Promise<ArrayLike<unknown>> {
  const values = await attempt(`${place} cannot be read`, async () => {
    // A scan keeps what it read last: one for each reading keeps nothing.
    const scan = await parquetScan({ file, metadata, columns: [part.column], compressors });
    return scan.readColumn(part);
  });
  if (values.length !== part.rowEnd - part.rowStart) {
    throw new UnreadableData(`${place} has another number of rows than the file says`);
  }
  return values;
}

async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof UnreadableData ? error : new UnreadableData(`${what}: ${(error as Error).message}`);
  }
}

/** Values of a part of a column; times as milliseconds. */
type Values = { readonly times: boolean; readonly values: ArrayLike<unknown> };

/** Numbers and times in eight bytes each, where nothing is NaN: both mean that there is no value. */
function compact(values: ArrayLike<unknown>): Values {
  if (!Array.isArray(values)) {
    return { times: false, values };
  }
  const numbers = new Float64Array(values.length);
  const first: unknown = values.find((value) => value !== null && value !== undefined);
  const times = first instanceof Date;
  for (let index = 0; index < values.length; index += 1) {
    const value: unknown = values[index];
    if (value === null || value === undefined) {
      numbers[index] = NaN;
    } else if (typeof value === 'number' && !times) {
      numbers[index] = value;
    } else if (value instanceof Date && times) {
      numbers[index] = value.getTime();
    } else {
      return { times: false, values };
    }
  }
  return { times, values: numbers };
}

function deliver(columns: readonly Values[], rows: number, sink: RowSink): void {
  const row: Cell[] = columns.map(() => undefined);
  for (let index = 0; index < rows; index += 1) {
    for (let column = 0; column < row.length; column += 1) {
      const { values, times } = columns[column];
      const value = values[index];
      row[column] = times ? timeText(value as number) : typeof value === 'number' || typeof value === 'string' ? value : cellOfParquet(value);
    }
    sink.cells(row);
  }
}

const timeText = (time: number): Cell => (Number.isNaN(time) ? undefined : new Date(time).toISOString());

function cellOfParquet(value: unknown): Cell {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  }
  if (value instanceof Date) {
    return timeText(value.getTime());
  }
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : cellOf(value);
}
