import { EXACT_DIGITS, fourDigits, POWERS } from './bytes';
import { isBlankLine } from './lines';

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const LETTER_N = 110;
const LETTER_R = 114;
/** First byte of a byte order mark. */
const MARK = 0xef;

/** Fields of one body; above that the slow way takes it. */
const MOST_FIELDS = 1 << 20;

/** Places of the fields of a few rows of CSV without quotes: row r has the fields from `first[r]` up to `first[r + 1]`. */
export class FlatRows {
  public rows = 0;
  public starts = new Int32Array(64);
  public ends = new Int32Array(64);
  /** What is known of fields as numbers: see `TextRow`. */
  public numbers = new Float64Array(64);
  public first = new Int32Array(16);
  private fields = 0;

  public clear(): void {
    this.rows = 0;
    this.fields = 0;
  }

  public count(row: number): number {
    return this.first[row + 1] - this.first[row];
  }

  /**
   * Takes the rows of a JSON string whose content begins at `from`, from the bytes as they stand there; answers the index of the closing quote, -1
   * where the string holds anything but plain text and newlines. The bytes, which `view` shows too, hold a newline somewhere behind, which no JSON
   * string does.
   */
  public scanString(bytes: Uint8Array, view: DataView, from: number): number {
    this.clear();
    if (bytes[from] === MARK) {
      return -1;
    }
    let { starts, ends, numbers } = this;
    const lastWord = bytes.length - 4;
    let fields = 0;
    let index = from;
    for (;;) {
      const begin = index;
      index += Number(bytes[index] === MINUS);
      const first = index;
      let mantissa = 0;
      let digit = bytes[index] - ZERO;
      while (digit >>> 0 <= 9) {
        mantissa = (Math.imul(mantissa, 10) + digit) | 0;
        index += 1;
        digit = bytes[index] - ZERO;
      }
      let digits = index - first;
      let places = 0;
      if (digit === POINT - ZERO) {
        index += 1;
        const point = index;
        const four = fourDigits(index <= lastWord ? view.getInt32(index, true) : 0);
        if (four >= 0) {
          mantissa = (Math.imul(mantissa, 10_000) + four) | 0;
          index += 4;
        }
        digit = bytes[index] - ZERO;
        while (digit >>> 0 <= 9) {
          mantissa = (Math.imul(mantissa, 10) + digit) | 0;
          index += 1;
          digit = bytes[index] - ZERO;
        }
        places = index - point;
        digits += places;
      }
      let byte = digit + ZERO;
      const isNumber = digits > 0 && digits <= EXACT_DIGITS && (byte === COMMA || byte === QUOTE || byte === BACKSLASH);
      while (byte > COMMA ? byte !== BACKSLASH : byte >= SPACE && byte !== COMMA && byte !== QUOTE) {
        index += 1;
        byte = bytes[index];
      }
      // Digits and power are exact, so that the quotient is the nearest double. There is one zero.
      const number = isNumber ? (mantissa / POWERS[places]) * (1 - 2 * (first - begin)) + 0 : NaN;
      if (byte === COMMA) {
        if (fields === starts.length) {
          this.grow();
          ({ starts, ends, numbers } = this);
        }
        starts[fields] = begin;
        ends[fields] = index;
        numbers[fields] = number;
        fields += 1;
        index += 1;
        continue;
      }
      const isReturn = byte === BACKSLASH && bytes[index + 1] === LETTER_R && bytes[index + 2] === BACKSLASH;
      const escape = isReturn ? index + 2 : index;
      if (byte < SPACE || fields > MOST_FIELDS || (byte === BACKSLASH && bytes[escape + 1] !== LETTER_N)) {
        return -1;
      }
      this.fields = fields;
      this.endRow(bytes, begin, index);
      if (this.fields > fields) {
        this.numbers[fields] = number;
      }
      if (byte === QUOTE) {
        return this.fields > MOST_FIELDS ? -1 : index;
      }
      ({ starts, ends, numbers, fields } = this);
      index = escape + 2;
    }
  }

  /** Takes the rows of `bytes[from … to)`, which holds no quotes. */
  public scanText(bytes: Uint8Array, from: number, to: number): void {
    this.clear();
    let begin = from;
    for (let index = from; index < to; index += 1) {
      const byte = bytes[index];
      if (byte === COMMA) {
        this.add(begin, index);
        begin = index + 1;
      } else if (byte === NEWLINE) {
        this.endRow(bytes, begin, index > begin && bytes[index - 1] === RETURN ? index - 1 : index);
        begin = index + 1;
      }
    }
    this.endRow(bytes, begin, to > begin && bytes[to - 1] === RETURN ? to - 1 : to);
  }

  /** Adds a field to the row that is open. */
  public addField(from: number, to: number, number: number): void {
    this.add(from, to);
    this.numbers[this.fields - 1] = number;
  }

  /** Ends the row that is open. */
  public closeRow(): void {
    if (this.rows + 2 > this.first.length) {
      this.first = doubled(this.first);
    }
    if (this.rows === 0) {
      this.first[0] = 0;
    }
    this.rows += 1;
    this.first[this.rows] = this.fields;
  }

  private add(from: number, to: number): void {
    if (this.fields === this.starts.length) {
      this.grow();
    }
    this.starts[this.fields] = from;
    this.ends[this.fields] = to;
    this.numbers[this.fields] = NaN;
    this.fields += 1;
  }

  private grow(): void {
    this.starts = doubled(this.starts);
    this.ends = doubled(this.ends);
    const numbers = new Float64Array(this.ends.length);
    numbers.set(this.numbers);
    this.numbers = numbers;
  }

  private endRow(bytes: Uint8Array, from: number, to: number): void {
    const first = this.rows === 0 ? 0 : this.first[this.rows];
    if (this.fields > first || !isBlankLine(bytes, from, to)) {
      this.add(from, to);
      this.closeRow();
    }
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
