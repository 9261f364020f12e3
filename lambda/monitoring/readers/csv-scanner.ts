import { isUtf8 } from 'node:buffer';
import type { Rejections } from '../rejections';
import type { TextRow } from '../rows';
import { EXACT_DIGITS, fourDigits, POWERS } from './bytes';
import type { RecordScanner } from './feeder';
import { LINE_LIMIT_NAME } from './feeder';
import { isBlankLine, wholeLinesOf } from './lines';
import { RecordEnd } from './record-end';

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;

export interface CsvOptions {
  readonly columns: number;
  /** Names line or row number n (from 1) of what is read, for rejections. */
  readonly place: (n: number) => string;
  readonly rejections: Rejections;
  readonly row: (row: TextRow) => void;
}

/**
 * Fields of CSV records (RFC 4180: fields between quotes may hold commas, newlines and doubled quotes; a quote within a bare field stands for
 * itself). Lines without anything but blanks are no records. Newlines may have a carriage return before them.
 */
export class CsvScanner implements RecordScanner {
  /** Lines so far. */
  public lines = 0;
  /** Records so far, rejected ones included. */
  public records = 0;
  public rows = 0;
  /** Whether a newline was met between quotes: then what stands on a line depends on the lines before it. */
  public quotedNewline = false;
  private readonly row: TextRow;
  private readonly numbers: Float64Array;
  private readonly escaped: number[] = [];
  private scratch = new Uint8Array(0);
  private readonly pending = new RecordEnd();

  constructor(private readonly options: CsvOptions) {
    const { columns } = options;
    this.numbers = new Float64Array(columns);
    this.row = { bytes: this.scratch, starts: new Int32Array(columns), ends: new Int32Array(columns), length: columns, numbers: this.numbers };
  }

  public scan(bytes: Uint8Array, from: number, to: number): number {
    const lines = wholeLinesOf(bytes, from, to);
    if (lines === undefined) {
      return from;
    }
    const { region, last, isText } = lines;
    this.row.bytes = bytes;
    return region.indexOf(QUOTE, from) < 0 ? this.scanBare(bytes, from, last + 1, isText) : this.scanQuoted(bytes, from, to, isText);
  }

  /**
   * Without quotes; `bytes[to - 1]` is a newline, which ends the loops. Fields of up to nine digits are read as numbers in the same pass: their
   * digits and the power of ten are exact, so that the one quotient is the nearest double. The loop over digits stands here, in `FlatRows` and in
   * `JsonForms` once each, since what ends a field differs and a call that answers a double and a place would need memory in each field.
   */
  private scanBare(bytes: Uint8Array, from: number, to: number, isText: boolean): number {
    const { numbers } = this;
    const { starts, ends, length } = this.row;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const lastWord = bytes.length - 4;
    this.row.numbers = numbers;
    let start = from;
    while (start < to) {
      let field = 0;
      let index = start;
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
          const word = index <= lastWord ? view.getInt32(index, true) : 0;
          const four = fourDigits(word);
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
        let number = NaN;
        if (digits > 0 && digits <= EXACT_DIGITS && (byte === COMMA || byte === NEWLINE)) {
          // There is one zero.
          number = (mantissa / POWERS[places]) * (1 - 2 * (first - begin)) + 0;
        }
        // Digits, letters, sign and point are all above the comma.
        while (byte > COMMA || (byte !== COMMA && byte !== NEWLINE)) {
          index += 1;
          byte = bytes[index];
        }
        if (field < length) {
          starts[field] = begin;
          ends[field] = index;
          numbers[field] = number;
        }
        field += 1;
        if (byte === NEWLINE) {
          break;
        }
        index += 1;
      }
      if (field <= length && ends[field - 1] > starts[field - 1] && bytes[index - 1] === RETURN) {
        ends[field - 1] -= 1;
      }
      this.finishRecord(bytes, start, index, field, isText);
      start = index + 1;
    }
    return start;
  }

  private scanQuoted(bytes: Uint8Array, from: number, to: number, isText: boolean): number {
    const { starts, ends, length } = this.row;
    this.row.numbers = undefined;
    let start = from;
    while (start < to) {
      let field = 0;
      let lines = 1;
      let index = start;
      let broken = false;
      for (;;) {
        let begin = index;
        let end = -1;
        if (index < to && bytes[index] === QUOTE) {
          begin = index + 1;
          end = begin;
          for (; end < to; end += 1) {
            const byte = bytes[end];
            if (byte === NEWLINE) {
              lines += 1;
            } else if (byte === QUOTE) {
              if (end + 1 >= to || bytes[end + 1] !== QUOTE) {
                break;
              }
              this.escaped.push(field);
              end += 1;
            }
          }
          index = end + 1;
          broken = index < to && !isEnd(bytes, index, to);
          if (index < to && bytes[index] === RETURN) {
            index += 1;
          }
        }
        while (index < to && bytes[index] !== NEWLINE && (broken || bytes[index] !== COMMA)) {
          index += 1;
        }
        if (index >= to) {
          this.escaped.length = 0;
          this.quotedNewline ||= lines > 1;
          return start;
        }
        if (field < length) {
          starts[field] = begin;
          ends[field] = end >= 0 ? end : bytes[index] === NEWLINE && index > begin && bytes[index - 1] === RETURN ? index - 1 : index;
        }
        field += 1;
        if (bytes[index] === NEWLINE) {
          break;
        }
        index += 1;
      }
      this.endQuoted(bytes, start, index, field, lines, broken, isText);
      start = index + 1;
    }
    return start;
  }

  private endQuoted(bytes: Uint8Array, start: number, end: number, fields: number, lines: number, broken: boolean, isText: boolean): void {
    this.quotedNewline ||= lines > 1;
    if (broken) {
      this.reject('quotes', 'a quoted field does not end with a quote before the comma or the end of the line', lines);
    } else if (this.escaped.length > 0 && fields === this.options.columns) {
      this.row.bytes = this.unescape(bytes, start, end);
      this.finishRecord(this.row.bytes, 0, end - start, fields, isText, bytes[start] === QUOTE);
      this.row.bytes = bytes;
      this.lines += lines - 1;
    } else {
      this.finishRecord(bytes, start, end, fields, isText, bytes[start] === QUOTE);
      this.lines += lines - 1;
    }
    this.escaped.length = 0;
  }

  /** A copy of the record in which doubled quotes are single ones; the chunk is not ours to change. */
  private unescape(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (this.scratch.length < end - start) {
      this.scratch = new Uint8Array(2 * (end - start));
    }
    const { scratch, row } = this;
    scratch.set(bytes.subarray(start, end));
    for (let field = 0; field < row.length; field += 1) {
      row.starts[field] -= start;
      row.ends[field] -= start;
    }
    for (const field of new Set(this.escaped)) {
      let to = row.starts[field];
      for (let index = row.starts[field]; index < row.ends[field]; index += 1) {
        scratch[to] = scratch[index];
        to += 1;
        if (scratch[index] === QUOTE) {
          index += 1;
        }
      }
      row.ends[field] = to;
    }
    return scratch;
  }

  private finishRecord(bytes: Uint8Array, start: number, end: number, fields: number, isText: boolean, quoted = false): void {
    this.lines += 1;
    if (fields === 1 && !quoted && isBlankLine(bytes, start, end)) {
      return;
    }
    this.records += 1;
    const { columns, place, rejections, row } = this.options;
    if (fields !== columns) {
      rejections.add('column-count', place(this.lines), `${fields} values instead of ${columns}`);
    } else if (!isText && !isUtf8(bytes.subarray(start, end))) {
      rejections.add('not-utf8', place(this.lines), 'the text is no UTF-8');
    } else {
      this.rows += 1;
      row(this.row);
    }
  }

  public end(bytes: Uint8Array, from: number, to: number, fresh: boolean): number {
    const end = this.pending.find(bytes, from, to, fresh);
    this.quotedNewline ||= this.pending.quotedNewline;
    return end;
  }

  public tooLong(lines: number): void {
    this.reject('line-too-long', `more than ${LINE_LIMIT_NAME} without an end; the text up to the next newline is left out`, lines);
  }

  public unfinished(lines: number): void {
    this.reject('quotes', 'a quoted field is not closed before the end', lines);
  }

  private reject(cause: string, why: string, lines: number): void {
    this.options.rejections.add(cause, this.options.place(this.lines + 1), why, lines);
    this.lines += lines;
    this.records += lines;
  }
}

/** Whether a field may end here: comma, newline, carriage return and newline. */
const isEnd = (bytes: Uint8Array, index: number, to: number): boolean =>
  bytes[index] === COMMA || bytes[index] === NEWLINE || (bytes[index] === RETURN && index + 1 < to && bytes[index + 1] === NEWLINE);
