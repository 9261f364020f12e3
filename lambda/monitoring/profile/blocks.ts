import { gunzipSync, gzipSync } from 'node:zlib';
import { windowStartOf } from '../../../lib/monitoring/contract';
import type { Cell, RowSink, TextRow } from '../rows';
import { readTime } from '../values';
import { ByteReader, ByteWriter } from './bytes';
import { CellLookup } from './cells';
import { timeOfText } from './time';
import type { BlockCells, BlockTable, WatchedFeature } from './types';

export interface BlockOptions {
  readonly windowSeconds: number;
  /** Index of the rows' time; without one, blocks are of consecutive rows. */
  readonly timeColumn?: number;
  /** Rows of a block where rows have no time. */
  readonly rowsPerBlock: number;
  /** Counts that are held at once, of four bytes each; beyond these the oldest blocks are dropped. Default: 16 million. */
  readonly maximumCells?: number;
}

const MAXIMUM_CELLS = 2 ** 24;

interface OpenBlock {
  readonly start: number;
  readonly end: number;
  rows: number;
  predicted: boolean;
  readonly cells: Uint32Array;
}

/** Coarse counts per block of time, or of consecutive rows, straight from the rows. */
export class BlockCounter implements RowSink {
  /** Rows without a readable time: in no block. */
  public untimed = 0;
  /** What was given up to stay within the memory bound. */
  public dropped = { blocks: 0, rows: 0 };
  private readonly blocks = new Map<number, OpenBlock>();
  private readonly lookups: readonly { readonly lookup: CellLookup; readonly column: number | undefined; readonly offset: number }[];
  private readonly width: number;
  private readonly mostBlocks: number;
  private current?: OpenBlock;
  private rows = 0;
  private earliest = -Infinity;

  constructor(
    private readonly features: readonly WatchedFeature[],
    private readonly options: BlockOptions,
  ) {
    let offset = 0;
    this.lookups = features.map(({ shape, column }) => {
      const lookup = new CellLookup(shape);
      offset += lookup.length;
      return { lookup, column, offset: offset - lookup.length };
    });
    this.width = offset;
    this.mostBlocks = Math.max(1, Math.floor((options.maximumCells ?? MAXIMUM_CELLS) / Math.max(1, offset)));
  }

  public text(row: TextRow): void {
    const { timeColumn } = this.options;
    const { bytes, starts, ends, length } = row;
    const time = timeColumn === undefined ? this.rows : timeColumn < length ? timeOfText(bytes, starts[timeColumn], ends[timeColumn]) : NaN;
    const block = this.enter(time);
    if (block !== undefined) {
      for (const { lookup, column, offset } of this.lookups) {
        if (column !== undefined) {
          block.cells[offset + (column < length ? lookup.ofText(bytes, starts[column], ends[column]) : lookup.length - 1)] += 1;
        }
      }
    }
  }

  public cells(row: readonly Cell[]): void {
    const { timeColumn } = this.options;
    const block = this.enter(timeColumn === undefined ? this.rows : (readTime(row[timeColumn]) ?? NaN));
    if (block !== undefined) {
      for (const { lookup, column, offset } of this.lookups) {
        if (column !== undefined) {
          block.cells[offset + lookup.ofCell(row[column])] += 1;
        }
      }
    }
  }

  /** The prediction of the last row. */
  public prediction(cell: Cell): void {
    if (this.current !== undefined) {
      this.current.predicted = true;
      for (const { lookup, column, offset } of this.lookups) {
        if (column === undefined) {
          this.current.cells[offset + lookup.ofCell(cell)] += 1;
        }
      }
    }
  }

  /** What follows is another part of the data: consecutive rows begin a new block. */
  public nextPart(): void {
    if (this.options.timeColumn === undefined) {
      this.rows = Math.ceil(this.rows / this.options.rowsPerBlock) * this.options.rowsPerBlock;
      this.current = undefined;
    }
  }

  /** The block of a time, or of a row's number. */
  private enter(time: number): OpenBlock | undefined {
    this.rows += 1;
    if (time !== time) {
      this.untimed += 1;
      this.current = undefined;
      return undefined;
    }
    if (this.current === undefined || time < this.current.start || time >= this.current.end) {
      this.current = this.find(time);
    }
    if (this.current === undefined) {
      this.dropped.rows += 1;
    } else {
      this.current.rows += 1;
    }
    return this.current;
  }

  private find(time: number): OpenBlock | undefined {
    const { windowSeconds, timeColumn, rowsPerBlock } = this.options;
    const start = timeColumn === undefined ? Math.floor(time / rowsPerBlock) * rowsPerBlock : windowStartOf(time, windowSeconds);
    const known = this.blocks.get(start);
    if (known !== undefined || start <= this.earliest) {
      return known;
    }
    const end = start + (timeColumn === undefined ? rowsPerBlock : windowSeconds * 1000);
    const block = { start, end, rows: 0, predicted: false, cells: new Uint32Array(this.width) };
    this.blocks.set(start, block);
    if (this.blocks.size > this.mostBlocks) {
      const oldest = this.blocks.get(Math.min(...this.blocks.keys()))!;
      this.blocks.delete(oldest.start);
      this.earliest = oldest.start;
      this.dropped = { blocks: this.dropped.blocks + 1, rows: this.dropped.rows + oldest.rows };
      return oldest === block ? undefined : block;
    }
    return block;
  }

  public toTable(): BlockTable {
    const blocks = [...this.blocks.values()].sort((a, b) => a.start - b.start);
    const cellsOf = (block: OpenBlock, index: number): BlockCells | null => {
      const { column, offset, lookup } = this.lookups[index];
      return column === undefined && !block.predicted ? null : Array.from(block.cells.subarray(offset, offset + lookup.length));
    };
    return {
      kind: this.options.timeColumn === undefined ? 'rows' : 'time',
      windowSeconds: this.options.windowSeconds,
      blocks: blocks.map(({ start, rows }) => ({ start, rows })),
      cells: Object.fromEntries(this.features.map(({ name }, index) => [name, blocks.map((block) => cellsOf(block, index))])),
    };
  }
}

const VERSION = 1;

/** Compressed bytes of a table. */
export function encodeBlocks(table: BlockTable): Uint8Array {
  const writer = new ByteWriter();
  const features = Object.entries(table.cells);
  writer.byte(VERSION);
  writer.text(table.kind);
  writer.double(table.windowSeconds);
  writer.whole(table.blocks.length);
  table.blocks.forEach(({ start, rows }) => {
    writer.double(start);
    writer.whole(rows);
  });
  writer.whole(features.length);
  for (const [name, blocks] of features) {
    writer.text(name);
    for (const cells of blocks) {
      writer.whole(cells === null ? 0 : cells.length + 1);
      cells?.forEach((count) => writer.whole(count));
    }
  }
  return gzipSync(writer.done());
}

/** Tables are smaller than this; compressed bytes of more are refused. */
const MAXIMUM_BYTES = 2 ** 29;

export function decodeBlocks(bytes: Uint8Array): BlockTable {
  const reader = new ByteReader(gunzipSync(bytes, { maxOutputLength: MAXIMUM_BYTES }), 'the stored table of blocks');
  if (reader.byte() !== VERSION) {
    throw new Error('the bytes are no stored table of blocks of this version');
  }
  const kind = reader.text() as BlockTable['kind'];
  const windowSeconds = reader.double();
  const blocks = Array.from({ length: reader.whole() }, () => ({ start: reader.double(), rows: reader.whole() }));
  const features = Array.from({ length: reader.whole() }, (): [string, (BlockCells | null)[]] => [
    reader.text(),
    blocks.map(() => {
      const length = reader.whole();
      return length === 0 ? null : Array.from({ length: length - 1 }, () => reader.whole());
    }),
  ]);
  reader.end();
  return { kind, windowSeconds, blocks, cells: Object.fromEntries(features) };
}
