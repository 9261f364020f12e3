import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dataInvalid } from '../data-invalid';

/** A file for what does not fit into memory, which nobody else sees and which ends with this process, however that ends. */
export class Spool {
  /** Bytes so far. */
  length = 0;
  private opened?: number;

  private get file(): number {
    if (this.opened === undefined) {
      const directory = mkdtempSync(join(tmpdir(), 'mlops-rows-'));
      this.opened = openSync(join(directory, 'rows'), 'wx+', 0o600);
      // Without a name the file is gone once it is closed.
      rmSync(directory, { recursive: true });
    }
    return this.opened;
  }

  append(bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const written = this.write(bytes, from);
      from += written;
      this.length += written;
    }
  }

  /** Fills `bytes` as far as the file goes from `position`; answers how many it was. */
  read(bytes: Uint8Array, position: number): number {
    let total = 0;
    for (;;) {
      const found = total < bytes.length && this.length > 0 ? readSync(this.file, bytes, total, bytes.length - total, position + total) : 0;
      total += found;
      if (found === 0) return total;
    }
  }

  /** All bytes so far, in pieces that are reused. */
  *chunks(size = 1024 * 1024): Generator<Buffer> {
    const piece = Buffer.allocUnsafe(Math.min(size, this.length));
    for (let position = 0; position < this.length; ) {
      const found = this.read(piece.subarray(0, Math.min(piece.length, this.length - position)), position);
      yield piece.subarray(0, found);
      position += found;
    }
  }

  close(): void {
    if (this.opened !== undefined) closeSync(this.opened);
    this.opened = undefined;
  }

  private write(bytes: Uint8Array, from: number): number {
    try {
      return writeSync(this.file, bytes, from, bytes.length - from, this.length);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      throw dataInvalid('the data set', 'its rows need more than the temporary disk', 'aggregate it, or keep only the rows that still matter');
    }
  }
}
