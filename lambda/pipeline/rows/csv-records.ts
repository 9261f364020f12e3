import { isUtf8 } from 'node:buffer';
import { dataInvalid } from '../data-invalid';
import { CsvRow } from './csv-row';

/** Bytes of one row. A quote that is never closed would make one of all that follows. */
const ROW_LIMIT = 8 * 1024 * 1024;
const FIRST_BLOCK = 1024 * 1024;

const [NEWLINE, RETURN, QUOTE, COMMA] = [10, 13, 34, 44];

/** What ends a row: found where the first row ends, it holds for the file. What else looks like it belongs to the text. */
type RowEnd = 'newline' | 'both' | 'return';

export interface CsvRows {
  /** The header too. `row` is reused. */
  row(row: CsvRow): void;
  /** A quote stands within a field, or text behind one that is closed; the row is left out. Told for each such quote, by its line. */
  misquoted(line: number): void;
}

/**
 * Cuts CSV into rows, however its bytes come in pieces. A field between quotes may hold commas, line ends, and quotes that are doubled; bytes that
 * are no UTF-8 stand for the replacement character; empty lines are no rows. Nothing of a piece is kept.
 */
export class CsvRecords {
  private block: Buffer;
  private filled = 0;
  private ended = false;
  private isStart = true;
  private rowEnd?: RowEnd;
  /** Line on which the next row begins. */
  private line = 1;
  private readonly row = new CsvRow();
  private field = Buffer.allocUnsafe(256);

  constructor(
    private readonly file: string,
    private readonly rows: CsvRows,
    firstBlock = FIRST_BLOCK,
  ) {
    this.block = Buffer.allocUnsafe(firstBlock);
  }

  push(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.length; ) {
      const to = Math.min(chunk.length, from + this.block.length - this.filled);
      this.block.set(chunk.subarray(from, to), this.filled);
      this.filled += to - from;
      from = to;
      if (this.filled === this.block.length) this.drain();
    }
  }

  finish(): void {
    this.ended = true;
    this.drain();
  }

  private drain(): void {
    const { block, filled } = this;
    let at = this.isStart && filled >= 3 && block[0] === 0xef && block[1] === 0xbb && block[2] === 0xbf ? 3 : 0;
    this.isStart = false;
    // No character goes beyond a newline.
    const lastNewline = filled === 0 ? -1 : block.lastIndexOf(NEWLINE, filled - 1);
    const isText = isUtf8(block.subarray(at, lastNewline + 1));
    while (at < filled) {
      let next = isText && at <= lastNewline ? this.plain(at) : -1;
      if (next < 0) next = this.quoted(at);
      if (next < 0) break;
      at = next;
    }
    block.copyWithin(0, at, filled);
    this.filled = filled - at;
    if (this.filled === block.length) this.enlarge();
  }

  private enlarge(): void {
    if (this.filled >= ROW_LIMIT) {
      const rule = `the row that begins there is longer than ${ROW_LIMIT / 1024 / 1024} MiB`;
      throw dataInvalid(`${this.file}, row ${this.line}`, rule, 'close the quote that makes one row of many, or shorten it');
    }
    const larger = Buffer.allocUnsafe(2 * this.block.length);
    this.block.copy(larger);
    this.block = larger;
  }

  /** A row without quotes that ends as rows of this file do; answers where the next one begins, -1 where it is none. */
  private plain(from: number): number {
    const { block, row, rowEnd } = this;
    let { starts, ends } = row;
    let at = from;
    let start = from;
    let field = 0;
    for (;;) {
      let byte = block[at];
      // Letters, digits, sign and point are all above the comma.
      while (byte > COMMA || (byte !== COMMA && byte !== NEWLINE && byte !== QUOTE && byte !== RETURN)) byte = block[++at];
      if (byte === QUOTE) return -1;
      if (field === starts.length) {
        row.grow();
        ({ starts, ends } = row);
      }
      starts[field] = start;
      ends[field] = at;
      field += 1;
      at += 1;
      start = at;
      if (byte === COMMA) continue;
      if (byte === NEWLINE ? rowEnd !== 'newline' : rowEnd !== 'both' || block[at] !== NEWLINE) return -1;
      row.to = at - 1;
      if (byte === RETURN) at += 1;
      break;
    }
    if (row.to > from) {
      row.bytes = block;
      row.from = from;
      row.length = field;
      row.line = this.line;
      row.parsed = undefined;
      this.rows.row(row);
    }
    this.line += 1;
    return at;
  }

  /** Any row; answers where the next one begins, -1 where it goes on beyond the block. */
  private quoted(from: number): number {
    const { block, filled } = this;
    const cells: string[] = [];
    const misquoted: number[] = [];
    let [length, lines] = [0, 0];
    let [isWithin, wasQuoted] = [false, false];
    const endField = (): void => {
      cells.push(this.field.toString('utf8', 0, length));
      length = 0;
      wasQuoted = false;
    };
    for (let at = from; at < filled; at += 1) {
      const byte = block[at];
      const isLast = at + 1 === filled;
      // What comes next tells what they mean.
      if (!this.ended && (byte === QUOTE || byte === RETURN) && at + 2 >= filled) return -1;
      if (byte === QUOTE && isWithin) {
        const next = block[at + 1];
        if (!isLast && next === QUOTE) at += 1;
        else if (isLast || next === 0 || next === COMMA || this.endAt(at + 1) > 0) {
          isWithin = false;
          wasQuoted = true;
          continue;
        } else misquoted.push(this.line + lines);
      } else if (byte === QUOTE) {
        if (length === 0) {
          isWithin = true;
          continue;
        }
        misquoted.push(this.line + lines);
      } else if (!isWithin) {
        const end = this.endAt(at);
        if (end > 0) {
          const isEmpty = !wasQuoted && cells.length === 0 && length === 0;
          if (!isEmpty) {
            endField();
            this.emit(cells, misquoted, lines);
          }
          this.line += lines + 1;
          return at + end;
        }
        if (byte === COMMA) {
          endField();
          continue;
        }
      }
      if (length === this.field.length) this.field = Buffer.concat([this.field, Buffer.allocUnsafe(length)]);
      this.field[length++] = byte;
      // A line end as the very last byte begins no line.
      if ((byte === NEWLINE || byte === RETURN) && !isLast) lines += 1;
    }
    if (!this.ended) return -1;
    if (isWithin) throw dataInvalid(`${this.file}, row ${this.line + lines}`, 'a quote is never closed', 'close it or double it');
    if (wasQuoted || cells.length > 0 || length > 0) {
      endField();
      this.emit(cells, misquoted, lines);
    }
    return filled;
  }

  private emit(cells: readonly string[], misquoted: readonly number[], lines: number): void {
    for (const line of misquoted) this.rows.misquoted(line);
    if (misquoted.length > 0) return;
    this.row.set(cells, this.line + lines);
    this.rows.row(this.row);
  }

  /** Bytes of the row's end that stands here, 0 where none does. */
  private endAt(at: number): number {
    const { block, filled } = this;
    const byte = at < filled ? block[at] : -1;
    if (byte !== NEWLINE && byte !== RETURN) return 0;
    const isBoth = byte === RETURN && at + 1 < filled && block[at + 1] === NEWLINE;
    this.rowEnd ??= isBoth ? 'both' : byte === RETURN ? 'return' : 'newline';
    if (this.rowEnd === 'both') return isBoth ? 2 : 0;
    return byte === (this.rowEnd === 'return' ? RETURN : NEWLINE) ? 1 : 0;
  }
}
