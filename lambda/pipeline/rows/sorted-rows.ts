import type { CsvRow } from './csv-row';
import { Merge, type Run } from './merge';
import { Spool } from './spool';

/** Bytes of rows that stand in memory to be sorted. */
const BATCH = 48 * 1024 * 1024;
const FIRST_ROWS = 4096;
/** Bytes that are read from a batch at once. */
const READ = 256 * 1024;
const TIMES_READ = 4096;

/** Length of the line, place and end of the target in it, label, low and high half of the key: 32 bits each, before the line. */
const HEAD = 24;
const TIME = 8;
const NEWLINE = 10;

/** What is known of a row beside its line. */
export interface RowFacts {
  /** Milliseconds; equal for all rows where they have none. */
  readonly time: number;
  /** Number of the target's label. */
  readonly label: number;
  /** Field of the target. */
  readonly target: number;
  readonly keyLow: number;
  readonly keyHigh: number;
}

/** A row as it comes back: its line is `bytes[from … to)`, a newline behind it, the target `bytes[targetFrom … targetTo)`. */
export interface SortedRow {
  readonly time: number;
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly targetFrom: number;
  readonly targetTo: number;
  readonly label: number;
  readonly keyLow: number;
  readonly keyHigh: number;
}

/**
 * Puts rows into the order of their times; rows of the same time keep the order in which they came. A batch of them stands in memory, the others in a
 * file: batches, each of them sorted, that are merged as they are read.
 */
export class SortedRows {
  count = 0;
  oldest = Infinity;
  newest = -Infinity;
  private readonly spool = new Spool();
  private readonly batches: StoredBatch[] = [];
  private readonly lines: Buffer;
  private filled = 0;
  private times = new Float64Array(FIRST_ROWS);
  private places = new Uint32Array(FIRST_ROWS);
  private rows = 0;
  private isSorted = true;

  constructor(private readonly batchBytes = BATCH) {
    this.lines = Buffer.allocUnsafe(batchBytes);
  }

  add(row: CsvRow, { time, label, target, keyLow, keyHigh }: RowFacts): void {
    const length = row.to - row.from;
    const size = HEAD + length + 1;
    if (this.rows > 0 && this.filled + size > this.batchBytes) this.store();
    if (size > this.batchBytes) throw new RangeError(`a row of ${length} bytes is longer than a batch`);
    if (this.rows === this.times.length) this.grow();
    const { lines, filled } = this;
    this.isSorted &&= this.rows === 0 || this.times[this.rows - 1] <= time;
    this.times[this.rows] = time;
    this.places[this.rows] = filled;
    lines.writeUInt32LE(length, filled);
    lines.writeUInt32LE(row.starts[target] - row.from, filled + 4);
    lines.writeUInt32LE(row.ends[target] - row.from, filled + 8);
    lines.writeUInt32LE(label, filled + 12);
    lines.writeUInt32LE(keyLow, filled + 16);
    lines.writeUInt32LE(keyHigh, filled + 20);
    row.bytes.copy(lines, filled + HEAD, row.from, row.to);
    lines[filled + size - 1] = NEWLINE;
    this.filled += size;
    this.rows += 1;
    this.count += 1;
    if (time < this.oldest) this.oldest = time;
    if (time > this.newest) this.newest = time;
  }

  /** Ends the adding; nothing is counted or read before. */
  finish(): void {
    if (this.rows > 0) this.store();
  }

  /** How many rows are older than a time. */
  countBefore(time: number): number {
    return this.batches.reduce((sum, batch) => sum + batch.countBefore(time), 0);
  }

  /** Time of the row at a place of the order. */
  timeAt(index: number): number {
    let [low, high] = [this.oldest, this.newest];
    // The latest time before which there are no more rows than that; times are whole milliseconds.
    while (low < high) {
      const middle = Math.floor((low + high + 1) / 2);
      if (this.countBefore(middle) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** All rows in order. A row is reused; what it answers, where it is a promise, is waited for. */
  async each(visit: (row: SortedRow) => Promise<void> | undefined): Promise<void> {
    const merge = new Merge(
      this.batches.map((batch) => new BatchRows(batch)),
      (a, b) => a.time < b.time || (a.time === b.time && a.batch.number < b.batch.number),
    );
    for (let row = merge.first; row; merge.advance(), row = merge.first) {
      const busy = visit(row);
      if (busy) await busy;
    }
  }

  close(): void {
    this.spool.close();
  }

  private grow(): void {
    const [times, places] = [this.times, this.places];
    this.times = new Float64Array(2 * times.length);
    this.places = new Uint32Array(2 * places.length);
    this.times.set(times);
    this.places.set(places);
  }

  private store(): void {
    const { spool, lines, filled, rows, times, places } = this;
    const start = spool.length;
    if (this.isSorted) {
      spool.append(bytesOf(times.subarray(0, rows)));
      spool.append(lines.subarray(0, filled));
    } else {
      const order = new Uint32Array(rows).map((_, index) => index).sort((a, b) => times[a] - times[b] || a - b);
      spool.append(bytesOf(Float64Array.from(order, (index) => times[index])));
      const out = new Gathered(spool);
      for (const index of order) out.append(lines, places[index], places[index] + HEAD + lines.readUInt32LE(places[index]) + 1);
      out.flush();
    }
    this.batches.push(new StoredBatch(this.batches.length, spool, start, rows, start + rows * TIME + filled));
    this.filled = 0;
    this.rows = 0;
    this.isSorted = true;
  }
}

const bytesOf = (numbers: Float64Array): Uint8Array => new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** Collects small pieces for the file. */
class Gathered {
  private readonly bytes = Buffer.allocUnsafe(1024 * 1024);
  private filled = 0;

  constructor(private readonly spool: Spool) {}

  append(from: Buffer, start: number, end: number): void {
    if (this.filled + end - start > this.bytes.length) this.flush();
    if (end - start > this.bytes.length) {
      this.spool.append(from.subarray(start, end));
      return;
    }
    from.copy(this.bytes, this.filled, start, end);
    this.filled += end - start;
  }

  flush(): void {
    this.spool.append(this.bytes.subarray(0, this.filled));
    this.filled = 0;
  }
}

/** Rows of the file in order: all their times, then their heads and lines. */
class StoredBatch {
  private readonly one = new Float64Array(1);

  constructor(
    readonly number: number,
    readonly spool: Spool,
    readonly start: number,
    readonly rows: number,
    readonly end: number,
  ) {}

  countBefore(time: number): number {
    let [low, high] = [0, this.rows];
    while (low < high) {
      const middle = (low + high) >>> 1;
      this.spool.read(bytesOf(this.one), this.start + middle * TIME);
      if (this.one[0] < time) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** One batch as it is read. */
class BatchRows implements Run, SortedRow {
  time = 0;
  from = 0;
  to = 0;
  targetFrom = 0;
  targetTo = 0;
  label = 0;
  keyLow = 0;
  keyHigh = 0;
  bytes = Buffer.allocUnsafe(READ);
  private readonly times: Float64Array;
  private index = -1;
  /** Where the next row begins. */
  private behind = 0;
  private filled = 0;
  /** Where the file goes on behind `bytes`. */
  private position: number;

  constructor(readonly batch: StoredBatch) {
    this.times = new Float64Array(Math.min(TIMES_READ, batch.rows));
    this.position = batch.start + batch.rows * TIME;
  }

  next(): boolean {
    this.index += 1;
    if (this.index === this.batch.rows) return false;
    const place = this.index % this.times.length;
    if (place === 0) this.batch.spool.read(bytesOf(this.times), this.batch.start + this.index * TIME);
    this.time = this.times[place];
    let head = this.need(this.behind, HEAD);
    const length = this.bytes.readUInt32LE(head);
    head = this.need(head, HEAD + length + 1);
    const { bytes } = this;
    this.from = head + HEAD;
    this.to = this.from + length;
    this.behind = this.to + 1;
    this.targetFrom = this.from + bytes.readUInt32LE(head + 4);
    this.targetTo = this.from + bytes.readUInt32LE(head + 8);
    this.label = bytes.readUInt32LE(head + 12);
    this.keyLow = bytes.readUInt32LE(head + 16);
    this.keyHigh = bytes.readUInt32LE(head + 20);
    return true;
  }

  /** Sees to it that so many bytes stand in memory from a place of it; answers where that place is then. */
  private need(at: number, length: number): number {
    if (at + length <= this.filled) return at;
    const rest = this.bytes.subarray(at, this.filled);
    const bytes = length > this.bytes.length ? Buffer.allocUnsafe(2 * length) : this.bytes;
    rest.copy(bytes);
    const { spool, end } = this.batch;
    const wanted = Math.min(bytes.length - rest.length, end - this.position);
    this.filled = rest.length + spool.read(bytes.subarray(rest.length, rest.length + wanted), this.position);
    this.position += this.filled - rest.length;
    this.bytes = bytes;
    return 0;
  }
}
