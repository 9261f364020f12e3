import { parse } from 'csv-parse/sync';
import type { Cell } from './values';

/** Request and answer bodies of SageMaker's capture records as rows of cells. */

export interface Body {
  readonly observedContentType?: string;
  readonly data: string;
  readonly encoding: 'CSV' | 'JSON' | 'BASE64';
}

/** A body that cannot be read; the message never holds the body's content. */
export class UnreadableBody extends Error {}

type Document = { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] } | { readonly kind: 'json'; readonly value: unknown };

/** Rows of a request in the order of `columns`. */
export function readRequestRows(body: Body, columns: readonly string[]): Cell[][] {
  const document = read(body);
  return document.kind === 'table' ? document.rows.map((row) => [...row]) : jsonRows(document.value, columns);
}

/** One prediction for each of `rows` request rows. */
export function readPredictions(body: Body, rows: number): Cell[] {
  const document = read(body);
  if (document.kind === 'json') {
    return jsonPredictions(document.value);
  }
  // Some containers answer all rows on one line.
  const [first] = document.rows;
  return document.rows.length === 1 && rows > 1 && first.length === rows ? [...first] : document.rows.map((row) => row[0]);
}

function read(body: Body): Document {
  const text = (body.encoding === 'BASE64' ? decode(body.data) : body.data).replace(/^\uFEFF/, '');
  const type = (body.observedContentType ?? '').split(';')[0].trim().toLowerCase();
  const looksLikeJson = /^\s*[[{]/.test(text);
  const isJson = body.encoding === 'JSON' || (body.encoding === 'BASE64' && (type.includes('json') || (type !== 'text/csv' && looksLikeJson)));
  return isJson ? { kind: 'json', value: parseJson(text) } : { kind: 'table', rows: parseCsv(text) };
}

function decode(data: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(data, 'base64'));
  } catch {
    throw new UnreadableBody('the body is base64 of something that is no UTF-8 text');
  }
}

function parseCsv(text: string): string[][] {
  if (!text.includes('"')) {
    return text
      .split(/\r?\n/)
      .filter((line) => line.trim() !== '')
      .map((line) => line.split(','));
  }
  try {
    return parse(text, { relax_column_count: true, skip_empty_lines: true });
  } catch {
    throw new UnreadableBody('the body is no CSV: a quote is not closed or stands in the wrong place');
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
    try {
      if (lines.length > 1) {
        return lines.map((line) => JSON.parse(line) as unknown);
      }
    } catch {
      // Neither one document nor one per line.
    }
    throw new UnreadableBody('the body is neither a JSON document nor JSON lines');
  }
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const field = (value: Fields, name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);

function jsonRows(value: unknown, columns: readonly string[]): Cell[][] {
  if (Array.isArray(value)) {
    const nested = value.some((item) => typeof item === 'object' && item !== null);
    return nested ? value.flatMap((item) => jsonRow(item, columns)) : [value.map(cell)];
  }
  if (!isFields(value)) {
    throw new UnreadableBody('the JSON body is neither an array nor an object');
  }
  const instances = field(value, 'instances');
  if (Array.isArray(instances)) {
    return instances.flatMap((item) => jsonRow(item, columns));
  }
  const lists = columns.map((name) => field(value, name));
  return lists.length > 0 && lists.every(Array.isArray) ? transpose(lists as unknown[][]) : jsonRow(value, columns);
}

function jsonRow(value: unknown, columns: readonly string[]): Cell[][] {
  if (Array.isArray(value)) {
    return [value.map(cell)];
  }
  if (!isFields(value)) {
    return [[cell(value)]];
  }
  const features = field(value, 'features') ?? field(value, 'data');
  if (Array.isArray(features)) {
    return [features.map(cell)];
  }
  return [columns.map((name) => cell(field(value, name)))];
}

function transpose(lists: readonly (readonly unknown[])[]): Cell[][] {
  if (lists.some((list) => list.length !== lists[0].length)) {
    throw new UnreadableBody('the columns of the JSON body differ in length');
  }
  return lists[0].map((_, row) => lists.map((list) => cell(list[row])));
}

const PREDICTION_FIELDS = ['score', 'prediction', 'predicted_label', 'predicted_value', 'value'];

function jsonPredictions(value: unknown): Cell[] {
  const list = isFields(value) ? field(value, 'predictions') : value;
  return (Array.isArray(list) ? list : [value]).map((item) => {
    if (Array.isArray(item)) {
      return cell(item[0]);
    }
    const name = isFields(item) ? PREDICTION_FIELDS.find((candidate) => Object.hasOwn(item, candidate)) : undefined;
    return isFields(item) ? cell(name === undefined ? undefined : item[name]) : cell(item);
  });
}

/** Nested values are no cell of a row; their text at least tells equal from different. */
const cell = (value: unknown): Cell => (typeof value === 'object' && value !== null ? JSON.stringify(value) : (value as Cell));
