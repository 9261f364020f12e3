import type { ColumnMetaData, PageHeader } from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import type { ColumnDecoder } from 'hyparquet/src/types.js';
import type { Cell } from '../rows';
import { UnreadableData } from './feeder';
import type { FileParts } from './file';
import { type ColumnKind, dictionaryOf, type Dictionary, type Memory, type Page, pageOf, textAt } from './parquet-page';

/** Values of some rows of a column. NaN where numbers and times are missing, undefined where other cells are. */
export interface Slab {
  readonly kind: ColumnKind;
  readonly numbers: Float64Array;
  readonly cells: Cell[];
}

export function slabOf(kind: ColumnKind, rows: number): Slab {
  return { kind, numbers: new Float64Array(kind === 'cells' ? 0 : rows), cells: kind === 'cells' ? new Array<Cell>(rows) : [] };
}

export interface ColumnLimits {
  /** Bytes of a page, unpacked. */
  readonly pageBytes: number;
  /** Bytes that are fetched at a time, where a page takes no more. */
  readonly fetchedBytes: number;
  readonly scratch: Scratch;
  readonly memory: Memory;
}

/** One piece of memory that all columns of a file read their pages into. */
export class Scratch {
  private bytes = new Uint8Array(0);

  public async read(read: NonNullable<FileParts['read']>, offset: number, length: number): Promise<Uint8Array> {
    if (this.bytes.length < length) {
      this.bytes = new Uint8Array(length);
    }
    const into = this.bytes.subarray(0, length);
    if ((await read(into, offset)) < length) {
      throw new Error('the file ends within it');
    }
    return into;
  }
}

interface Target {
  readonly at: number;
  readonly count: number;
}

interface Window {
  readonly start: number;
  readonly bytes: Uint8Array;
}

/** A column of a row group, read forward, a page at a time. What it keeps can be released between: it is then read again. */
export class ParquetColumn {
  private readonly start: number;
  private readonly end: number;
  /** Where the current page begins, where the one behind it, and what of it was delivered. */
  private pageStart: number;
  private pageEnd: number;
  private row = 0;
  private value = 0;
  private page: Page | undefined;
  private dictionary: Dictionary | undefined;
  private window: Window | undefined;

  constructor(
    private readonly file: FileParts,
    private readonly decoder: ColumnDecoder & ColumnMetaData,
    private readonly limits: ColumnLimits,
    private readonly place: string,
  ) {
    const { dictionary_page_offset: dictionary, data_page_offset: data, total_compressed_size: bytes } = decoder;
    this.start = Number(dictionary && dictionary < data ? dictionary : data);
    this.end = this.start + Number(bytes);
    this.pageStart = this.start;
    this.pageEnd = this.start;
  }

  /** What is kept for the next rows. */
  public get bytes(): number {
    return (this.page?.bytes ?? 0) + (this.dictionary?.bytes ?? 0) + (this.window?.bytes.length ?? 0);
  }

  public release(): void {
    this.drop();
    this.dictionary = undefined;
    this.window = undefined;
  }

  /** The next rows, from the beginning of the slab. */
  public async fill(slab: Slab, rows: number): Promise<void> {
    for (let filled = 0; filled < rows; ) {
      this.page ??= await this.load();
      const count = Math.min(rows - filled, this.page.rows - this.row);
      const to = { at: filled, count };
      this.value =
        slab.kind === 'cells'
          ? copyCells(this.page, this.row, this.value, slab.cells, to)
          : copyNumbers(this.page, this.row, this.value, slab.numbers, to);
      this.row += count;
      filled += count;
      if (this.row === this.page.rows) {
        this.drop();
        [this.row, this.value, this.pageStart] = [0, 0, this.pageEnd];
      }
    }
  }

  private drop(): void {
    this.limits.memory.take(this.page?.lent ?? []);
    this.page = undefined;
  }

  /** The page at hand, and the dictionary on the way to it. */
  private async load(): Promise<Page> {
    if (this.dictionary === undefined && this.pageStart > this.start) {
      await this.read(this.start, false);
    }
    for (;;) {
      const page = await this.read(this.pageStart, true);
      if (page !== undefined && page.rows > this.row) {
        return page;
      }
      this.pageStart = this.pageEnd;
    }
  }

  /** A page of data where it is one and is wanted; a dictionary is kept. */
  private async read(offset: number, wanted: boolean): Promise<Page | undefined> {
    if (offset >= this.end) {
      throw new Error('it holds fewer rows than the file says');
    }
    const { header, body } = await this.header(offset);
    const { compressed_page_size: size, uncompressed_page_size: unpacked } = header;
    if (!(size >= 0 && unpacked >= 0 && body + size <= this.end)) {
      throw new Error('a page ends beyond its column');
    }
    const values = (header.data_page_header ?? header.data_page_header_v2 ?? header.dictionary_page_header)?.num_values ?? 0;
    if (!(values >= 0 && values <= Number(this.decoder.num_values))) {
      throw new Error(`a page of ${values} values is larger than its column`);
    }
    const isDictionary = header.type === 'DICTIONARY_PAGE';
    const isData = header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2';
    if (wanted) {
      this.pageEnd = body + size;
    }
    if (!isDictionary && !(isData && wanted)) {
      return undefined;
    }
    this.check(Math.max(size, unpacked), values);
    const packed = await this.slice(body, size);
    if (isDictionary) {
      this.dictionary = dictionaryOf(packed, header, this.decoder);
      return undefined;
    }
    const page = pageOf(packed, header, this.decoder, this.dictionary, this.limits.memory);
    if (this.window !== undefined && this.pageEnd >= this.window.start + this.window.bytes.length) {
      this.window = undefined;
    }
    return page;
  }

  private check(bytes: number, values: number): void {
    const most = this.limits.pageBytes;
    const size = Math.max(bytes, values * 8);
    if (size > most) {
      const sizes = `${megabytes(size)}, the limit is ${megabytes(most)}`;
      throw new UnreadableData(`${this.place}: a page takes ${sizes}: write pages of 1 MiB, row groups of fewer rows, or CSV`);
    }
  }

  /** Header of the page at an offset, and where its body begins. A header has no length of its own: more is fetched until it can be read. */
  private async header(offset: number): Promise<{ header: PageHeader; body: number }> {
    for (let length = HEADER_BYTES; ; length *= 8) {
      const bytes = await this.slice(offset, Math.min(length, this.end - offset));
      const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
      try {
        return { header: parquetHeader(reader), body: offset + reader.offset };
      } catch (error) {
        if (bytes.length < length || length >= this.limits.pageBytes) {
          throw error;
        }
      }
    }
  }

  /** Bytes that are good until the next ones are asked for. */
  private async slice(offset: number, length: number): Promise<Uint8Array> {
    if (this.file.read !== undefined) {
      return this.limits.scratch.read(this.file.read, offset, length);
    }
    const known = this.window;
    if (known === undefined || offset < known.start || offset + length > known.start + known.bytes.length) {
      const to = Math.min(this.end, offset + Math.max(length, this.limits.fetchedBytes));
      this.window = { start: offset, bytes: new Uint8Array(await this.file.slice(offset, to)) };
    }
    const { start, bytes } = this.window!;
    if (offset + length > start + bytes.length) {
      throw new Error('the file ends within it');
    }
    return bytes.subarray(offset - start, offset - start + length);
  }
}

const HEADER_BYTES = 1024;
const MEGABYTE = 1024 * 1024;

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / MEGABYTE)} MiB`;

/** Rows of a page from `row` on, whose next value is the one at `value`; answers the value behind them. */
function copyNumbers(page: Page, row: number, value: number, to: Float64Array, { at, count }: Target): number {
  const { present, indexes, plain } = page;
  const values = page.values as ArrayLike<number>;
  let next = value;
  for (let index = 0; index < count; index += 1) {
    if (present !== undefined && present[row + index] === 0) {
      to[at + index] = NaN;
    } else {
      to[at + index] = plain !== undefined ? plain.getFloat64(8 * next, true) : values[indexes === undefined ? next : indexes[next]];
      next += 1;
    }
  }
  return next;
}

/** The same for cells. */
function copyCells(page: Page, row: number, value: number, to: Cell[], { at, count }: Target): number {
  const { present, indexes, texts } = page;
  const values = page.values as ArrayLike<Cell>;
  let next = value;
  for (let index = 0; index < count; index += 1) {
    if (present !== undefined && present[row + index] === 0) {
      to[at + index] = undefined;
    } else {
      const place = indexes === undefined ? next : indexes[next];
      to[at + index] = texts === undefined ? values[place] : textAt(texts, place);
      next += 1;
    }
  }
  return next;
}
