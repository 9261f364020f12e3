import type { FileMetaData, RowGroup } from 'hyparquet';
import { parquetMetadataAsync, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Rejections } from '../rejections';
import type { Cell, RowSink } from '../rows';
import { MOST_COLUMNS } from './csv';
import { UnreadableData } from './feeder';
import type { FileParts } from './file';
import { megabytes, ParquetColumn, Scratch, type Slab, slabOf } from './parquet-column';
import { kindOf, Memory, PARSERS } from './parquet-page';

const MEGABYTE = 1024 * 1024;
/** What columns keep of their pages while some rows are decoded; those rows, where the pages fit, and where columns have to read them again. */
const KEPT_BYTES = 24 * MEGABYTE;
const PART_BYTES = 4 * MEGABYTE;
const LARGE_PART_BYTES = 16 * MEGABYTE;
/** What writers take for a page, where nobody says otherwise. */
const USUAL_PAGE_BYTES = MEGABYTE;
/** What columns fetch at a time, all of them together, and each one at least and at most. */
const FETCHED_BYTES = 8 * MEGABYTE;
const LEAST_FETCHED_BYTES = 64 * 1024;
const MOST_FETCHED_BYTES = MEGABYTE;
/** What a decoded value takes; of text, twice its bytes and a head besides. */
const CELL_BYTES = 8;
const TEXT_BYTES = 32;

export interface ParquetLimits {
  /** Bytes of a page, unpacked. @default 32 MiB */
  readonly pageBytes?: number;
  /** Bytes of pages that are kept for the next rows; others are read again. @default 24 MiB */
  readonly keptBytes?: number;
  /** Bytes of the rows that are decoded at a time. @default 4 MiB, 16 MiB where pages are read again */
  readonly partBytes?: number;
  /** Bytes of the metadata at the file's end. @default 32 MiB */
  readonly metadataBytes?: number;
}

type Field = ReturnType<typeof parquetSchema>['children'][number];

/**
 * A Parquet file with flat columns, page by page and some rows at a time, whatever the size of its row groups. A page that does not fit the limit is
 * refused before it is unpacked. 64-bit integers that no number holds exactly come as text, times as ISO 8601.
 */
export async function readParquet(
  file: FileParts,
  where: string,
  open: (columns: readonly string[]) => RowSink,
  rejections: Rejections,
  limits: ParquetLimits = {},
): Promise<{ rows: number }> {
  const metadata = await metadataOf(file, where, limits.metadataBytes ?? 32 * MEGABYTE);
  const fields = await attempt(`${where}: the metadata cannot be read`, async () => {
    const isWhole = metadata.row_groups.every(({ num_rows: rows }) => Number(rows) >= 0);
    if (!isWhole || metadata.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0) !== Number(metadata.num_rows)) {
      throw new UnreadableData(`${where}: the metadata is damaged: its numbers of rows do not add up`);
    }
    const flat = flatFields(metadata, where);
    metadata.row_groups.forEach((group, index) => check(group, flat, `${where}: row group ${index + 1}`));
    return flat;
  });
  const sink = open(fields.map(({ element }) => element.name));
  const most = metadata.row_groups.reduce((rows, group) => Math.max(rows, rowsAtATime(group, fields, limits)), 0);
  const slabs = fields.map(({ element }) => slabOf(kindOf(element), most));
  const pages = {
    pageBytes: limits.pageBytes ?? 32 * MEGABYTE,
    fetchedBytes: fetchedBytes(fields.length),
    scratch: new Scratch(),
    memory: new Memory(KEPT_BYTES),
  };
  for (const [index, group] of metadata.row_groups.entries()) {
    const place = `${where}: row group ${index + 1}`;
    const columns = columnsOf(file, group, metadata, place, pages);
    const rows = Number(group.num_rows);
    const step = rowsAtATime(group, fields, limits);
    const kept = new Kept(limits.keptBytes ?? KEPT_BYTES);
    for (let start = 0; start < rows; start += step) {
      const count = Math.min(step, rows - start);
      for (const [position, column] of columns.entries()) {
        await attempt(`${place}: column ${JSON.stringify(fields[position].element.name)} cannot be read`, () =>
          kept.fill(column, slabs[position], count),
        );
      }
      deliver(slabs, count, sink);
    }
  }
  if (Number(metadata.num_rows) === 0) {
    rejections.add('no-rows', where, 'the file holds no rows');
  }
  return { rows: Number(metadata.num_rows) };
}

/** Columns keep pages that reach over several parts, as far as there is room. */
class Kept {
  private bytes = 0;

  constructor(private readonly most: number) {}

  public async fill(column: ParquetColumn, slab: Slab, rows: number): Promise<void> {
    this.bytes -= column.bytes;
    await column.fill(slab, rows);
    if (this.bytes + column.bytes > this.most) {
      column.release();
    }
    this.bytes += column.bytes;
  }
}

async function metadataOf(file: FileParts, where: string, most: number): Promise<FileMetaData> {
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

/** The columns; those that are nested are refused. */
function flatFields(metadata: FileMetaData, where: string): Field[] {
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
  return fields;
}

/** Order and number of the columns are those of the schema: nothing else says which chunk is whose. */
function check(group: RowGroup, fields: readonly Field[], where: string): void {
  if (group.columns.length !== fields.length) {
    throw new UnreadableData(`${where} has ${group.columns.length} columns, the schema ${fields.length}`);
  }
  for (const [index, { meta_data: column }] of group.columns.entries()) {
    if (column === undefined) {
      throw new UnreadableData(`${where}: a column is encrypted`);
    }
    const name = JSON.stringify(fields[index].element.name);
    if (column.path_in_schema.join('.') !== fields[index].path.join('.') || column.num_values !== group.num_rows) {
      throw new UnreadableData(`${where}: the metadata is damaged: column ${name} is another one, or has another number of rows`);
    }
    if (column.codec !== 'UNCOMPRESSED' && compressors[column.codec] === undefined) {
      throw new UnreadableData(`${where}: column ${name} is packed with ${column.codec}: write it with SNAPPY or ZSTD`);
    }
  }
}

function columnsOf(
  file: FileParts,
  group: RowGroup,
  metadata: FileMetaData,
  place: string,
  limits: ConstructorParameters<typeof ParquetColumn>[2],
): ParquetColumn[] {
  const root = parquetSchema(metadata);
  return root.children.map((field, index) => {
    const column = group.columns[index].meta_data!;
    const decoder = { ...column, pathInSchema: field.path, element: field.element, schemaPath: [root, field], parsers: PARSERS, compressors };
    return new ParquetColumn(file, decoder, limits, `${place}: column ${JSON.stringify(field.element.name)}`);
  });
}

/** Rows of a row group that fit the bound together, by the mean size of their values. */
function rowsAtATime(group: RowGroup, fields: readonly Field[], { partBytes }: ParquetLimits): number {
  const rows = Number(group.num_rows);
  const bytes = group.columns.reduce((sum, { meta_data: column }, index) => {
    const isText = kindOf(fields[index].element) === 'cells';
    return sum + CELL_BYTES + (isText ? TEXT_BYTES + (2 * Number(column?.total_uncompressed_size ?? 0)) / Math.max(1, rows) : 0);
  }, 0);
  const sizes = group.columns.map(({ meta_data: column }) => Math.min(USUAL_PAGE_BYTES, Number(column?.total_uncompressed_size ?? 0)));
  const isKept = sizes.reduce((sum, size) => sum + size, 0) <= KEPT_BYTES;
  return Math.max(1, Math.min(rows, Math.floor((partBytes ?? (isKept ? PART_BYTES : LARGE_PART_BYTES)) / bytes)));
}

const fetchedBytes = (columns: number): number => Math.max(LEAST_FETCHED_BYTES, Math.min(MOST_FETCHED_BYTES, Math.floor(FETCHED_BYTES / columns)));

async function attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw error instanceof UnreadableData ? error : new UnreadableData(`${what}: ${(error as Error).message}`);
  }
}

/** Row by row; each kind in a loop of its own, so that what it reads has one form. */
function deliver(slabs: readonly Slab[], rows: number, sink: RowSink): void {
  const row: Cell[] = slabs.map(() => undefined);
  const placed = slabs.map((slab, place) => ({ ...slab, place }));
  const numbers = placed.filter(({ kind }) => kind === 'numbers');
  const times = placed.filter(({ kind }) => kind === 'times');
  const others = placed.filter(({ kind }) => kind === 'cells');
  for (let index = 0; index < rows; index += 1) {
    for (let column = 0; column < numbers.length; column += 1) {
      row[numbers[column].place] = numbers[column].numbers[index];
    }
    for (let column = 0; column < times.length; column += 1) {
      row[times[column].place] = timeText(times[column].numbers[index]);
    }
    for (let column = 0; column < others.length; column += 1) {
      row[others[column].place] = others[column].cells[index];
    }
    sink.cells(row);
  }
}

/** Milliseconds from 1970 that a date can be: those beyond come as they are, which no time column takes. */
const FARTHEST = 8.64e15;

const timeText = (time: number): Cell =>
  Number.isNaN(time) ? undefined : Math.abs(time) <= FARTHEST ? new Date(time).toISOString() : String(time);
