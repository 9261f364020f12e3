import { isUtf8 } from 'node:buffer';
import type { Cell } from '../rows';
import { parseNumber, textOf } from './bytes';
import { splitCsv } from './csv-text';
import { FlatRows } from './flat-rows';
import { jsonPredictions, jsonRows, parseBody, UnreadableBody } from './json-body';

export type Encoding = 'CSV' | 'JSON' | 'BASE64';

/** A body as the record holds it. */
export interface CapturedBody {
  readonly data: string;
  readonly encoding: Encoding;
  readonly contentType: string;
}

/** Rows of a body: fields of text, or cells. */
export type BodyRows = { readonly bytes: Uint8Array; readonly flat: FlatRows } | { readonly cells: readonly (readonly Cell[])[] };

const NEWLINE = 10;
const QUOTE = 34;
const BACKSLASH = 92;
const BOM = '\uFEFF';

type Kind = 'json' | 'csv' | 'unknown';

/** Reads bodies one after the other; what it answers is good until its next body. */
export class BodyReader {
  private readonly flat = new FlatRows();
  private buffer = Buffer.alloc(0);
  private bytes = new Uint8Array(0);
  private view = new DataView(this.bytes.buffer);
  private length = 0;
  private type = '';
  private kind: Kind = 'unknown';

  /** Rows of a request. */
  public rows(body: CapturedBody, columns: readonly string[]): BodyRows {
    const document = this.document(body);
    return document === undefined ? this.table() : { cells: jsonRows(document, columns) };
  }

  /** Predictions for `rows` rows. */
  public predictions(body: CapturedBody, rows: number): readonly Cell[] {
    const document = this.document(body);
    if (document !== undefined) {
      return jsonPredictions(document);
    }
    const table = this.table();
    return 'flat' in table ? predictionsOf(table.bytes, table.flat, rows) : predictionsOfRecords(table.cells as string[][], rows);
  }

  /** Value of a JSON body; undefined for a CSV one, which then stands in the buffer. */
  private document(body: CapturedBody): unknown {
    if (body.encoding === 'JSON') {
      return parseBody(body.data.startsWith(BOM) ? body.data.slice(1) : body.data);
    }
    this.decode(body.data, body.encoding === 'BASE64' ? 'base64' : 'utf8');
    if (body.encoding === 'CSV') {
      return undefined;
    }
    if (!isUtf8(this.buffer.subarray(0, this.length))) {
      throw new UnreadableBody('the body is base64 of something that is no UTF-8 text');
    }
    if (body.contentType !== this.type) {
      this.type = body.contentType;
      this.kind = kindOf(body.contentType);
    }
    const isJson = this.kind === 'json' || (this.kind === 'unknown' && /^\s*[[{]/.test(this.text(100)));
    return isJson ? parseBody(this.text(this.length)) : undefined;
  }

  private decode(data: string, encoding: 'base64' | 'utf8'): void {
    const most = (encoding === 'base64' ? data.length : 3 * data.length) + 2;
    if (most > this.buffer.length) {
      this.buffer = Buffer.allocUnsafeSlow(2 * most);
      // No Buffer: the scanning loops see one class of bytes.
      this.bytes = new Uint8Array(this.buffer.buffer, this.buffer.byteOffset, this.buffer.byteLength);
      this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    }
    this.length = this.buffer.write(data, encoding);
  }

  /** Where the text begins: behind a byte order mark. */
  private get start(): number {
    return this.length >= 3 && this.bytes[0] === 0xef && this.bytes[1] === 0xbb && this.bytes[2] === 0xbf ? 3 : 0;
  }

  private text(most: number): string {
    return textOf(this.bytes, this.start, Math.min(most, this.length));
  }

  private table(): BodyRows {
    if (!this.has(QUOTE)) {
      if (this.has(BACKSLASH) || !this.scanLine()) {
        this.flat.scanText(this.bytes, this.start, this.length);
      }
      return { bytes: this.bytes, flat: this.flat };
    }
    const cells = splitCsv(this.text(this.length));
    if (cells === undefined) {
      throw new UnreadableBody('the body is no CSV: a quote is not closed or stands in the wrong place');
    }
    return { cells };
  }

  private has(byte: number): boolean {
    const index = this.buffer.indexOf(byte);
    return index >= 0 && index < this.length;
  }

  /** Takes a body of one line, made to look like a string in JSON, in the fast way; false where it has more lines. */
  private scanLine(): boolean {
    const { bytes, length } = this;
    const end = length > 0 && bytes[length - 1] === NEWLINE ? length - 1 : length;
    const behind = bytes[end];
    bytes[end] = QUOTE;
    bytes[end + 1] = NEWLINE;
    const isOneLine = this.flat.scanString(bytes, this.view, this.start) === end;
    bytes[end] = behind;
    return isOneLine;
  }
}

function kindOf(contentType: string): Kind {
  const type = contentType.split(';')[0].trim().toLowerCase();
  return type.includes('json') ? 'json' : type === 'text/csv' ? 'csv' : 'unknown';
}

/** First fields of the rows; some containers answer all rows on one line. */
export function predictionsOf(bytes: Uint8Array, flat: FlatRows, rows: number): Cell[] {
  const isOneLine = flat.rows === 1 && rows > 1 && flat.count(0) === rows;
  return isOneLine ? Array.from({ length: rows }, (_, field) => predictionOf(bytes, flat, field)) : firstFields(bytes, flat);
}

export function firstFields(bytes: Uint8Array, flat: FlatRows): Cell[] {
  const predictions: Cell[] = [];
  for (let row = 0; row < flat.rows; row += 1) {
    predictions.push(predictionOf(bytes, flat, flat.first[row]));
  }
  return predictions;
}

/** Prediction in a field of text: a number where it is one, without the sign of a zero, which no number that is already known keeps. */
export function predictionOf(bytes: Uint8Array, flat: FlatRows, field: number): Cell {
  const known = flat.numbers[field];
  const value = Number.isNaN(known) ? parseNumber(bytes, flat.starts[field], flat.ends[field]) : known;
  return Number.isFinite(value) ? value + 0 : textOf(bytes, flat.starts[field], flat.ends[field]);
}

function predictionsOfRecords(records: readonly (readonly string[])[], rows: number): Cell[] {
  const isOneLine = records.length === 1 && rows > 1 && records[0].length === rows;
  return (isOneLine ? records[0] : records.map(([first]) => first)).map((text) => {
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) + 0 : text;
  });
}
