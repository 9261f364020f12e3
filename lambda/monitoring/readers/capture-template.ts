import { hashString } from '../profile/hash';
import { textOf } from './bytes';
import type { Encoding } from './capture-body';
import { captureLine } from './capture-record';
import { FlatRows } from './flat-rows';
import { JsonForms } from './json-forms';

const NEWLINE = 10;
const SPACE = 32;
const QUOTE = 34;
const BACKSLASH = 92;

/** What the strings of a record are whose content differs from line to line: places of what is known of them. */
export const INPUT = 0;
export const OUTPUT = 1;
export const EVENT_ID = 2;
export const INFERENCE_ID = 3;
export const TIME = 4;
const OTHER = 5;
const FIXED = -1;

const SLOTS: ReadonlyMap<string, number> = new Map([
  ['captureData\nendpointInput\ndata', INPUT],
  ['captureData\nendpointOutput\ndata', OUTPUT],
  ['eventMetadata\neventId', EVENT_ID],
  ['eventMetadata\ninferenceId', INFERENCE_ID],
  ['eventMetadata\ninferenceTime', TIME],
  ...['Input', 'Output'].flatMap((side) =>
    ['encoding', 'observedContentType', 'mode'].map((name): [string, number] => [`captureData\nendpoint${side}\n${name}`, FIXED]),
  ),
  ['eventVersion', FIXED],
]);
const slotOf = (path: string): number => SLOTS.get(path) ?? OTHER;

/** How the content of a string is read. */
const PLAIN = 0;
const ID = 1;
const CSV = 2;
const JSON_TEXT = 3;
/** Bytes that are compared at once. */
const WORD = 8;

interface Side {
  readonly encoding: Encoding;
  readonly contentType: string;
}

/**
 * The form of a line that JSON.parse took: its fixed pieces, and between them strings. A line of the same form is valid JSON of the same fields, with
 * nothing else to be found out about it than the contents of these strings.
 */
export class CaptureTemplate {
  /** Where the contents of a line that matched begin and end, by slot. */
  public readonly from = new Int32Array(OTHER + 1);
  public readonly to = new Int32Array(OTHER + 1);
  /** Hashes of event id and inference id, two halves each. */
  public readonly hashes = new Int32Array(4);
  public readonly hasInferenceId: boolean;
  /** Whether the rows of a side were found where they stand. */
  public inputInPlace = false;
  public outputInPlace = false;
  /** These rows. */
  public readonly inputRows = new FlatRows();
  public readonly outputRows = new FlatRows();
  private readonly contents: Int32Array;
  /** The pieces eight bytes at a time, as far as that goes; the last ones overlap those before. */
  private readonly words: readonly Float64Array[];

  private constructor(
    private readonly pieces: readonly Uint8Array[],
    private readonly slots: Int32Array,
    public readonly input: Side | undefined,
    public readonly output: Side | undefined,
    private readonly requests: JsonForms,
    private readonly answers: JsonForms,
  ) {
    this.words = pieces.map((piece) => {
      const view = new DataView(piece.buffer, piece.byteOffset, piece.byteLength);
      return Float64Array.from({ length: piece.length < WORD ? 0 : Math.ceil(piece.length / WORD) }, (_, index) =>
        view.getFloat64(Math.min(WORD * index, piece.length - WORD), true),
      );
    });
    this.hasInferenceId = slots.includes(INFERENCE_ID);
    this.contents = slots.map((slot) => {
      const encoding = slot === INPUT ? input?.encoding : slot === OUTPUT ? output?.encoding : undefined;
      return slot === EVENT_ID || slot === INFERENCE_ID ? ID : encoding === 'CSV' ? CSV : encoding === 'JSON' ? JSON_TEXT : PLAIN;
    });
  }

  /** The template of a record; undefined where it has none. `bytes[from … to)` is the line without its newline. */
  public static of(bytes: Uint8Array, from: number, to: number, value: unknown, columns: readonly string[]): CaptureTemplate | undefined {
    const line = captureLine(value);
    const strings = line === undefined ? undefined : new StringPlaces(bytes, from, to).find();
    if (line === undefined || strings === undefined) {
      return undefined;
    }
    const open = strings.filter(({ path }) => slotOf(path) !== FIXED);
    const edges = [from, ...open.flatMap((place) => [place.from, place.to]), to];
    const pieces = Array.from({ length: open.length + 1 }, (_, piece) => bytes.slice(edges[2 * piece], edges[2 * piece + 1]));
    const slots = Int32Array.from(open, ({ path }) => slotOf(path));
    return new CaptureTemplate(pieces, slots, line.input, line.output, JsonForms.ofRequests(columns), JsonForms.ofAnswers());
  }

  public equals(other: CaptureTemplate): boolean {
    return this.pieces.length === other.pieces.length && this.pieces.every((piece, index) => Buffer.compare(piece, other.pieces[index]) === 0);
  }

  /** Index of the newline of the line at `from`; -1 where the line has another form. The bytes, which `view` shows too, hold a newline behind. */
  public match(bytes: Uint8Array, view: DataView, from: number): number {
    const { pieces, words, slots, contents } = this;
    let index = from;
    for (let part = 0; part < slots.length; part += 1) {
      index = skipPiece(bytes, view, index, pieces[part], words[part]);
      if (index < 0) {
        return -1;
      }
      const slot = slots[part];
      const content = contents[part];
      const begin = index;
      if (content === ID) {
        index = hashString(bytes, begin, this.hashes, slot === EVENT_ID ? 0 : 2);
      } else {
        index = content === PLAIN ? stringEnd(bytes, begin, false) : this.scanBody(bytes, view, begin, slot === INPUT, content === CSV);
      }
      if (index < 0) {
        return -1;
      }
      this.from[slot] = begin;
      this.to[slot] = index;
    }
    index = skipPiece(bytes, view, index, pieces[slots.length], words[slots.length]);
    return index >= 0 && bytes[index] === NEWLINE ? index : -1;
  }

  private scanBody(bytes: Uint8Array, view: DataView, from: number, isInput: boolean, isCsv: boolean): number {
    const rows = isInput ? this.inputRows : this.outputRows;
    const end = isCsv ? rows.scanString(bytes, view, from) : (isInput ? this.requests : this.answers).scan(bytes, from, rows);
    if (isInput) {
      this.inputInPlace = end >= 0;
    } else {
      this.outputInPlace = end >= 0;
    }
    return isCsv || end >= 0 ? end : stringEnd(bytes, from, true);
  }
}

/**
 * Index behind the piece, -1 where the bytes differ from it. As doubles eight bytes are equal where their bits are, since text has no zero bytes;
 * should they be no number they count as different, and the line is read the other way.
 */
function skipPiece(bytes: Uint8Array, view: DataView, from: number, piece: Uint8Array, words: Float64Array): number {
  const { length } = piece;
  if (from + length > bytes.length) {
    return -1;
  }
  if (length < WORD) {
    for (let index = 0; index < length; index += 1) {
      if (bytes[from + index] !== piece[index]) {
        return -1;
      }
    }
    return from + length;
  }
  const last = words.length - 1;
  for (let index = 0; index < last; index += 1) {
    if (view.getFloat64(from + WORD * index, true) !== words[index]) {
      return -1;
    }
  }
  return view.getFloat64(from + length - WORD, true) === words[last] ? from + length : -1;
}

/** Index of the quote that closes the string, -1 where it holds what it may not. */
function stringEnd(bytes: Uint8Array, from: number, escapes: boolean): number {
  let index = from;
  for (;;) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      return index;
    }
    if (byte === BACKSLASH && escapes && bytes[index + 1] >= SPACE) {
      index += 1;
    } else if (byte === BACKSLASH || byte < SPACE) {
      return -1;
    }
    index += 1;
  }
}

const DEEPEST = 8;

interface Place {
  readonly path: string;
  readonly from: number;
  readonly to: number;
}

/** Places of the string values of a JSON document that is known to be valid. */
class StringPlaces {
  private readonly places: Place[] = [];
  private isPlain = true;
  private index: number;

  constructor(
    private readonly bytes: Uint8Array,
    from: number,
    private readonly to: number,
  ) {
    this.index = from;
  }

  /** Undefined where names of fields are doubled or escaped, or values nested deeply. */
  public find(): readonly Place[] | undefined {
    this.value('', 0);
    return this.isPlain ? this.places : undefined;
  }

  private value(path: string, depth: number): void {
    this.skipSpace();
    const opening = this.bytes[this.index];
    if (opening === QUOTE) {
      const [from, to] = this.string();
      this.places.push({ path, from, to });
    } else if (opening === 0x7b || opening === 0x5b) {
      this.members(path, opening === 0x7b, depth + 1);
    } else {
      while (this.index < this.to && !/[\s,\]}]/.test(String.fromCharCode(this.bytes[this.index]))) {
        this.index += 1;
      }
    }
  }

  private members(path: string, isObject: boolean, depth: number): void {
    this.isPlain &&= depth <= DEEPEST;
    const names = new Set<string>();
    this.index += 1;
    for (this.skipSpace(); this.isPlain && this.bytes[this.index] !== 0x7d && this.bytes[this.index] !== 0x5d; this.skipSpace()) {
      let name = '[]';
      if (isObject) {
        const [from, to] = this.string();
        name = textOf(this.bytes, from, to);
        this.isPlain &&= !name.includes('\\') && !names.has(name);
        names.add(name);
        this.skipSpace();
        this.index += 1;
      }
      this.value(path === '' ? name : `${path}\n${name}`, depth);
      this.skipSpace();
      if (this.bytes[this.index] === 0x2c) {
        this.index += 1;
      }
    }
    this.index += 1;
  }

  /** Content of the string that begins here. */
  private string(): [number, number] {
    const from = this.index + 1;
    let end = from;
    while (this.bytes[end] !== QUOTE) {
      end += this.bytes[end] === BACKSLASH ? 2 : 1;
    }
    this.index = end + 1;
    return [from, end];
  }

  private skipSpace(): void {
    while (this.bytes[this.index] === SPACE || this.bytes[this.index] === 9 || this.bytes[this.index] === 13) {
      this.index += 1;
    }
  }
}
