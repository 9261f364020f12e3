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

const QUOTE = 34;
const BOM = '\uFEFF';

/** Reads bodies one after the other; what it answers is good until the next body of the same side. */
export class BodyReader {
  private readonly flat = new FlatRows();

  /** Rows of a request. */
  public rows(body: CapturedBody, columns: readonly string[]): BodyRows {
    const content = contentOf(body);
    return typeof content === 'string' ? { cells: jsonRows(parseBody(content), columns) } : this.table(content);
  }

  /** Predictions for `rows` rows. */
  public predictions(body: CapturedBody, rows: number): Cell[] {
    const content = contentOf(body);
    if (typeof content === 'string') {
      return jsonPredictions(parseBody(content));
    }
    const table = this.table(content);
    return 'flat' in table ? predictionsOf(table.bytes, table.flat, rows) : predictionsOfRecords(table.cells as string[][], rows);
  }

  private table(content: Uint8Array): BodyRows {
    if (!content.includes(QUOTE)) {
      this.flat.scanText(content, 0, content.length);
      return { bytes: content, flat: this.flat };
    }
    const cells = splitCsv(textOf(content, 0, content.length));
    if (cells === undefined) {
      throw new UnreadableBody('the body is no CSV: a quote is not closed or stands in the wrong place');
    }
    return { cells };
  }
}

/** Text of a JSON body, bytes of a CSV one, without a byte order mark. */
function contentOf(body: CapturedBody): string | Uint8Array {
  if (body.encoding === 'JSON') {
    return body.data.startsWith(BOM) ? body.data.slice(1) : body.data;
  }
  const bytes = plain(Buffer.from(body.data, body.encoding === 'BASE64' ? 'base64' : 'utf8'));
  return body.encoding === 'BASE64' && isJson(body, bytes) ? textOf(bytes, 0, bytes.length) : bytes;
}

function isJson(body: CapturedBody, bytes: Uint8Array): boolean {
  if (!isUtf8(bytes)) {
    throw new UnreadableBody('the body is base64 of something that is no UTF-8 text');
  }
  const type = body.contentType.split(';')[0].trim().toLowerCase();
  return type.includes('json') || (type !== 'text/csv' && /^\s*[[{]/.test(textOf(bytes, 0, Math.min(bytes.length, 100))));
}

/** Without the byte order mark, and no Buffer: the scanning loops see one class of bytes. */
function plain(buffer: Buffer): Uint8Array {
  const mark = buffer[0] === 0xef && buffer[1] === 0xbb && buffer[2] === 0xbf ? 3 : 0;
  return new Uint8Array(buffer.buffer, buffer.byteOffset + mark, buffer.byteLength - mark);
}

/** First fields of the rows; some containers answer all rows on one line. */
export function predictionsOf(bytes: Uint8Array, flat: FlatRows, rows: number): Cell[] {
  const isOneLine = flat.rows === 1 && rows > 1 && flat.count(0) === rows;
  return Array.from({ length: isOneLine ? rows : flat.rows }, (_, row) => predictionOf(bytes, flat, isOneLine ? row : flat.first[row]));
}

/** Prediction in a field of text: a number where it is one. */
export function predictionOf(bytes: Uint8Array, flat: FlatRows, field: number): Cell {
  const value = parseNumber(bytes, flat.starts[field], flat.ends[field]);
  return Number.isFinite(value) ? value : textOf(bytes, flat.starts[field], flat.ends[field]);
}

function predictionsOfRecords(records: readonly (readonly string[])[], rows: number): Cell[] {
  const isOneLine = records.length === 1 && rows > 1 && records[0].length === rows;
  return (isOneLine ? records[0] : records.map(([first]) => first)).map((text) => {
    return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
  });
}
