/** Bytes of one line, or of one CSV record with newlines in quotes: longer ones are rejected. */
export const LINE_LIMIT = 8 * 1024 * 1024;
export const LINE_LIMIT_NAME = '8 MiB';

const NEWLINE = 10;
const FIRST_CAPACITY = 64 * 1024;

/** A whole object that cannot be read; the message says what and how to mend it, never the content. */
export class UnreadableData extends Error {
  public override readonly name = 'UnreadableData';
}

/** Makes sense of records that a Feeder cuts out of chunks. */
export interface RecordScanner {
  /** Takes the whole records of `bytes[from … to)`, which begins with one; answers where the first one begins that does not end before `to`. */
  scan(bytes: Uint8Array, from: number, to: number): number;
  /**
   * Index of the newline that ends the pending record, -1 where it goes on beyond `to`. `fresh`: the record begins at `from`, else this is its next
   * part.
   */
  end(bytes: Uint8Array, from: number, to: number, fresh: boolean): number;
  /** A record of more than LINE_LIMIT bytes, which took so many lines. */
  tooLong(lines: number): void;
  /** The data ends within a record, which took so many lines. */
  unfinished(lines: number): void;
}

/**
 * Cuts chunks, however they are split, into records for a scanner: what lies whole in a chunk is scanned there, what straddles chunks is copied
 * together. Nothing of a chunk is kept after `push`.
 */
export class Feeder {
  private pending = new Uint8Array(FIRST_CAPACITY);
  private length = 0;
  private discarding: boolean;

  /** `skipFirst`: the bytes begin within a line that is not wanted. */
  constructor(
    private readonly scanner: RecordScanner,
    skipFirst = false,
  ) {
    this.discarding = skipFirst;
  }

  /** Whether the last record has not ended yet. */
  public get isWithinRecord(): boolean {
    return this.length > 0 || this.discarding;
  }

  public push(chunk: Uint8Array): void {
    // One class of bytes, whatever the source hands out, keeps the scanning loops fast. A record in a piece cannot be longer than the limit.
    for (let offset = 0; offset < chunk.byteLength; offset += LINE_LIMIT) {
      this.pushPiece(new Uint8Array(chunk.buffer, chunk.byteOffset + offset, Math.min(LINE_LIMIT, chunk.byteLength - offset)));
    }
  }

  private pushPiece(bytes: Uint8Array): void {
    let position = 0;
    while (position < bytes.length) {
      if (this.discarding) {
        const newline = bytes.indexOf(NEWLINE, position);
        this.discarding = newline < 0;
        position = newline < 0 ? bytes.length : newline + 1;
      } else if (this.length > 0) {
        position = this.extend(bytes, position, false);
      } else {
        position = this.scanner.scan(bytes, position, bytes.length);
        if (position < bytes.length) {
          position = this.extend(bytes, position, true);
        }
      }
    }
  }

  /** Ends the data: the last record needs no newline. */
  public finish(): void {
    if (this.length > 0) {
      const lines = this.newlines() + (this.pending[this.length - 1] === NEWLINE ? 0 : 1);
      this.append(Uint8Array.of(NEWLINE), 0, 1);
      if (this.scanner.scan(this.pending, 0, this.length) < this.length) {
        this.scanner.unfinished(lines);
      }
      this.length = 0;
    }
  }

  /** Adds to the pending record what belongs to it; answers where the rest begins. */
  private extend(bytes: Uint8Array, from: number, fresh: boolean): number {
    // A record of exactly the limit has its newline right behind.
    const to = Math.min(bytes.length, from + LINE_LIMIT + 1 - this.length);
    const newline = this.scanner.end(bytes, from, to, fresh);
    const end = newline < 0 ? to : newline + 1;
    this.append(bytes, from, end);
    if (newline >= 0) {
      this.scanner.scan(this.pending, 0, this.length);
      this.length = 0;
    } else if (this.length > LINE_LIMIT) {
      this.scanner.tooLong(1 + this.newlines());
      this.length = 0;
      this.discarding = true;
    }
    return end;
  }

  private append(bytes: Uint8Array, from: number, to: number): void {
    const length = this.length + to - from;
    if (length > this.pending.length) {
      const larger = new Uint8Array(Math.min(Math.max(length, 2 * this.pending.length), LINE_LIMIT + 2));
      larger.set(this.pending.subarray(0, this.length));
      this.pending = larger;
    }
    this.pending.set(bytes.subarray(from, to), this.length);
    this.length = length;
  }

  private newlines(): number {
    return this.pending.subarray(0, this.length).reduce((count, byte) => (byte === NEWLINE ? count + 1 : count), 0);
  }
}
