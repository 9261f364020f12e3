import { NamedError } from '../../common/errors';
import type { PlacedText } from '../rows';
import type { AnsweredRow, ScoredRow } from './types';

/**
 * Scored rows as bytes: frames that stand for themselves, so that files are merged by putting them one behind the other, in any order.
 *
 *   frame   "MLSR" · version (1 byte) · payload length (uint32, little-endian) · payload
 *   payload number of group columns, their names · number of rows · rows
 *   row     flags · [id] · row index · time less the last row's, zigzag · [version] · prediction · groups
 *
 * Whole numbers are varints. Strings that recur (predictions, groups) are numbered within a frame: 0 none, n the n-th, the next free number a new one
 * that follows. The id of a request is left out after its first row in the frame, one that is a UUID takes 16 bytes.
 */
const MAGIC = [0x4d, 0x4c, 0x53, 0x52];
const VERSION = 1;
const HEADER = 9;
/** Rows are put into frames of about this size. */
const FRAME_BYTES = 64 * 1024;
/** A frame holds at least one row, whose texts decide how large it is; what claims to be larger than this is damaged. */
const MOST_FRAME_BYTES = 256 * 1024 * 1024;

const [SAME_ID, UUID_ID, NAMED_PREDICTION, HAS_VERSION] = [1, 2, 4, 8];
const UUID_LENGTH = 36;
const HYPHEN = 45;
/** Values of the digits of a UUID by their bytes; what else there may be has 16. */
const DIGITS = Uint8Array.from({ length: 256 }, (_, byte) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(byte));
  return digit < 0 ? 16 : digit;
});

export const invalid = (message: string): NamedError => new NamedError('ScoredRowsInvalid', message);

/** Collects rows; answers a frame whenever one is full. Memory is that of one frame. */
export class ScoredEncoder {
  private buffer = Buffer.allocUnsafe(FRAME_BYTES + 4096);
  private end = 0;
  private rows = 0;
  private lastTime = 0;
  private readonly names = new Map<string, number>();

  constructor(private readonly groupColumns: readonly string[]) {}

  public add(row: AnsweredRow): Uint8Array | undefined {
    const same = this.rows > 0 && row.continues;
    const named = typeof row.prediction === 'string';
    this.room(64);
    const versioned = row.version !== undefined;
    const flags = (same ? SAME_ID : 0) | (named ? NAMED_PREDICTION : 0) | (versioned ? HAS_VERSION : 0);
    this.buffer[this.end++] = flags;
    if (!same) {
      const place = this.end - 1;
      if (this.id(row.request.inferenceIdAt ?? placed(row.request.inferenceId))) {
        this.buffer[place] = flags | UUID_ID;
      }
    }
    this.varint(row.rowIndex);
    const step = Math.round(row.time) - this.lastTime;
    this.varint(step < 0 ? -2 * step - 1 : 2 * step);
    if (row.version !== undefined) {
      this.varint(row.version);
    }
    if (typeof row.prediction === 'string') {
      this.name(row.prediction);
    } else {
      this.end = this.buffer.writeDoubleLE(row.prediction, this.end);
    }
    for (let column = 0; column < this.groupColumns.length; column += 1) {
      this.name(row.groups[column]);
    }
    this.rows += 1;
    this.lastTime += step;
    return this.end >= FRAME_BYTES ? this.finish() : undefined;
  }

  /** What is left; nothing where nothing is. The encoder can go on after it. */
  public finish(): Uint8Array {
    if (this.rows === 0) {
      return new Uint8Array(0);
    }
    const body = Buffer.from(this.buffer.subarray(0, this.end));
    const rows = this.rows;
    this.end = HEADER;
    this.varint(this.groupColumns.length);
    this.groupColumns.forEach((name) => this.text(name));
    this.varint(rows);
    const frame = Buffer.concat([this.buffer.subarray(0, this.end), body]);
    frame.set([...MAGIC, VERSION]);
    frame.writeUInt32LE(frame.length - HEADER, 5);
    this.end = 0;
    this.rows = 0;
    this.lastTime = 0;
    this.names.clear();
    return frame;
  }

  private name(text: string | undefined): void {
    const known = text === undefined ? 0 : this.names.get(text);
    this.room(16);
    this.varint(known ?? this.names.size + 1);
    if (text !== undefined && known === undefined) {
      this.names.set(text, this.names.size + 1);
      this.text(text);
    }
  }

  /** Whether it is a UUID. */
  private id({ bytes, start, end }: PlacedText): boolean {
    const uuid = this.end;
    if (end - start === UUID_LENGTH) {
      let wrong = 0;
      for (let index = start; index < end; index += 2) {
        // A hyphen stands before each of the three groups in the middle and before the last one.
        if (index === start + 8 || index === start + 13 || index === start + 18 || index === start + 23) {
          wrong |= bytes[index] ^ HYPHEN;
          index += 1;
        }
        const [high, low] = [DIGITS[bytes[index]], DIGITS[bytes[index + 1]]];
        wrong |= (high | low) & 16;
        this.buffer[this.end++] = (high << 4) | low;
      }
      if (wrong === 0) {
        return true;
      }
      this.end = uuid;
    }
    this.room(end - start + 16);
    this.varint(end - start);
    for (let index = start; index < end; index += 1) {
      this.buffer[this.end++] = bytes[index];
    }
    this.room(64);
    return false;
  }

  private text(text: string): void {
    this.room(text.length * 3 + 16);
    const bytes = Buffer.byteLength(text);
    this.varint(bytes);
    this.end += this.buffer.write(text, this.end);
    // What follows a text is small.
    this.room(64);
  }

  private varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`scored rows hold whole numbers, got ${value}`);
    }
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.end++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.end++] = rest;
  }

  private room(bytes: number): void {
    if (this.end + bytes > this.buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.end + bytes));
      this.buffer.copy(larger, 0, 0, this.end);
      this.buffer = larger;
    }
  }
}

function placed(text: string): PlacedText {
  const bytes = Buffer.from(text);
  return { bytes, start: 0, end: bytes.length };
}

/** Rows of a file frame by frame, their groups in the order of `groupColumns`; a column that the file does not know is undefined. */
export async function* decodeScored(chunks: AsyncIterable<Uint8Array>, groupColumns: readonly string[]): AsyncGenerator<ScoredRow[]> {
  let held: Buffer = Buffer.alloc(0);
  let parts: Uint8Array[] = [];
  let bytes = 0;
  let needed = HEADER;
  for await (const chunk of chunks) {
    parts.push(chunk);
    bytes += chunk.length;
    if (bytes < needed) {
      continue;
    }
    held = parts.length === 1 ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length) : Buffer.concat(parts);
    let start = 0;
    for (;;) {
      const size = frameSize(held, start);
      if (size === undefined || start + size > held.length) {
        needed = size ?? HEADER;
        break;
      }
      yield rowsOf(held.subarray(start + HEADER, start + size), groupColumns);
      start += size;
    }
    held = held.subarray(start);
    parts = [held];
    bytes = held.length;
  }
  if (bytes > 0) {
    throw invalid('the scored rows end in the middle of a frame');
  }
}

/** Bytes of the frame that begins here; undefined where its header is not there yet. */
function frameSize(bytes: Buffer, start: number): number | undefined {
  if (bytes.length - start < HEADER) {
    return undefined;
  }
  if (MAGIC.some((byte, index) => bytes[start + index] !== byte)) {
    throw invalid('these bytes are no scored rows');
  }
  if (bytes[start + 4] !== VERSION) {
    throw invalid(`scored rows of version ${bytes[start + 4]} cannot be read, only those of version ${VERSION}`);
  }
  const length = bytes.readUInt32LE(start + 5);
  if (length > MOST_FRAME_BYTES) {
    throw invalid(`a frame of ${length} bytes cannot be: it is damaged`);
  }
  return HEADER + length;
}

function rowsOf(payload: Buffer, groupColumns: readonly string[]): ScoredRow[] {
  const reader = new Reader(payload);
  const columns = Array.from({ length: reader.varint() }, () => reader.text());
  const from = groupColumns.map((column) => columns.indexOf(column));
  const count = reader.varint();
  const rows: ScoredRow[] = [];
  const groups = new Array<string | undefined>(columns.length);
  let [id, time] = ['', 0];
  for (let index = 0; index < count; index += 1) {
    const flags = reader.byte();
    id = (flags & SAME_ID) !== 0 ? id : (flags & UUID_ID) !== 0 ? reader.uuid() : reader.text();
    const rowIndex = reader.varint();
    const step = reader.varint();
    time += step % 2 === 1 ? -(step + 1) / 2 : step / 2;
    const version = (flags & HAS_VERSION) !== 0 ? { version: reader.varint() } : {};
    const prediction = (flags & NAMED_PREDICTION) !== 0 ? (reader.name() ?? '') : reader.double();
    for (let column = 0; column < columns.length; column += 1) {
      groups[column] = reader.name();
    }
    rows.push({ inferenceId: id, rowIndex, time, ...version, prediction, groups: from.map((column) => (column < 0 ? undefined : groups[column])) });
  }
  return rows;
}

class Reader {
  private at = 0;
  private readonly names: (string | undefined)[] = [undefined];

  constructor(private readonly bytes: Buffer) {}

  public byte(): number {
    if (this.at >= this.bytes.length) {
      throw invalid('a frame ends in the middle of a row');
    }
    return this.bytes[this.at++];
  }

  public varint(): number {
    let [value, factor] = [0, 1];
    for (;;) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        return value;
      }
      factor *= 0x80;
    }
  }

  public double(): number {
    return this.take(8).readDoubleLE(0);
  }

  public text(): string {
    return this.take(this.varint()).toString('utf8');
  }

  public uuid(): string {
    const hex = this.take(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  public name(): string | undefined {
    const code = this.varint();
    if (code > this.names.length) {
      throw invalid('a frame names a text that it does not hold');
    }
    if (code === this.names.length) {
      this.names.push(this.text());
    }
    return this.names[code];
  }

  private take(length: number): Buffer {
    if (this.at + length > this.bytes.length) {
      throw invalid('a frame ends in the middle of a row');
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
