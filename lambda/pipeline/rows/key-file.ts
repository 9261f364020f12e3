import { keyFileHead, sortKeys } from '../row-keys';
import { Merge, type Run } from './merge';
import { Spool } from './spool';

/** Keys that stand in memory to be sorted. */
const BATCH = 1024 * 1024;
const KEY = 8;
/** Keys that are read from a batch, and written, at once. */
const READ = 8192;

/** Makes the file of the keys of rows, which holds them in order: a batch of them stands in memory, the others in a file. */
export class KeyFile {
  count = 0;
  private readonly spool = new Spool();
  private readonly words: Uint32Array;
  private filled = 0;
  private readonly batches: { readonly start: number; readonly keys: number }[] = [];

  constructor(private readonly batchKeys = BATCH) {
    this.words = new Uint32Array(2 * batchKeys);
  }

  add(low: number, high: number): void {
    if (this.filled === this.batchKeys) this.store();
    this.words[2 * this.filled] = low;
    this.words[2 * this.filled + 1] = high;
    this.filled += 1;
    this.count += 1;
  }

  /** The file, in pieces that are reused. */
  *bytes(): Generator<Uint8Array> {
    yield keyFileHead(this.count);
    this.store();
    const merge = new Merge(
      this.batches.map(({ start, keys }) => new BatchKeys(this.spool, start, keys)),
      (a, b) => a.high < b.high || (a.high === b.high && a.low < b.low),
    );
    const out = new Uint32Array(2 * READ);
    let filled = 0;
    for (let key = merge.first; key; merge.advance(), key = merge.first) {
      out[filled] = key.low;
      out[filled + 1] = key.high;
      filled += 2;
      if (filled === out.length) {
        yield bytesOf(out);
        filled = 0;
      }
    }
    yield bytesOf(out.subarray(0, filled));
  }

  close(): void {
    this.spool.close();
  }

  private store(): void {
    const words = sortKeys(this.words.subarray(0, 2 * this.filled));
    this.batches.push({ start: this.spool.length, keys: this.filled });
    this.spool.append(bytesOf(words));
    this.filled = 0;
  }
}

const bytesOf = (words: Uint32Array): Uint8Array => new Uint8Array(words.buffer, words.byteOffset, words.byteLength);

class BatchKeys implements Run {
  low = 0;
  high = 0;
  private readonly words: Uint32Array;
  private index = -1;

  constructor(
    private readonly spool: Spool,
    private readonly start: number,
    private readonly keys: number,
  ) {
    this.words = new Uint32Array(2 * Math.min(READ, keys));
  }

  next(): boolean {
    this.index += 1;
    if (this.index === this.keys) return false;
    const place = (2 * this.index) % this.words.length;
    if (place === 0) this.spool.read(bytesOf(this.words), this.start + this.index * KEY);
    this.low = this.words[place];
    this.high = this.words[place + 1];
    return true;
  }
}
