import type { Cell } from '../rows';

/** A body that cannot be read; the message never holds the body's content. */
export class UnreadableBody extends Error {}

export function parseBody(text: string): unknown {
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

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

const field = (value: Fields, name: string): unknown => (Object.hasOwn(value, name) ? value[name] : undefined);

/** Nested values are no cell of a row; their text at least tells equal from different. */
export function cellOf(value: unknown): Cell {
  if (typeof value !== 'object' || value === null) {
    return value as Cell;
  }
  try {
    return JSON.stringify(value);
  } catch {
    throw new UnreadableBody('the values are nested too deeply');
  }
}

/**
 * Rows of a request in JSON, in the order of `columns`: an array or an object for each row, alone, in a list or below `instances`, `inputs` or
 * `dataframe_records`; `features` or `data` in such an object; `columns` with `data`, as pandas splits a table; or one list for each column.
 */
export function jsonRows(value: unknown, columns: readonly string[]): Cell[][] {
  if (Array.isArray(value)) {
    if (isFlat(value)) {
      return value.length === 0 ? [] : [value];
    }
    return value.map((item) => jsonRow(item, columns));
  }
  if (!isFields(value)) {
    throw new UnreadableBody('the JSON body is neither an array nor an object');
  }
  const list = WRAPPERS.map((name) => field(value, name)).find(Array.isArray);
  if (list !== undefined) {
    return list.flatMap((item: unknown) => (Array.isArray(item) || isFields(item) ? jsonRows(item, columns) : [[item as Cell]]));
  }
  const split = splitRows(field(value, 'dataframe_split') ?? value, columns);
  if (split !== undefined) {
    return split;
  }
  const lists = columns.map((name) => field(value, name));
  return lists.length > 0 && lists.every(Array.isArray) ? transpose(lists as unknown[][]) : [jsonRow(value, columns)];
}

const WRAPPERS = ['instances', 'inputs', 'dataframe_records'];

/** `{columns: […], data: [[…], …]}` */
function splitRows(value: unknown, columns: readonly string[]): Cell[][] | undefined {
  const names = isFields(value) ? field(value, 'columns') : undefined;
  const data = isFields(value) ? field(value, 'data') : undefined;
  if (!Array.isArray(names) || !Array.isArray(data) || !data.every(Array.isArray)) {
    return undefined;
  }
  const places = columns.map((name) => names.indexOf(name));
  return (data as unknown[][]).map((row) => (row.length === names.length ? places.map((place) => cellOf(row[place])) : row.map(cellOf)));
}

function jsonRow(value: unknown, columns: readonly string[]): Cell[] {
  if (!isFields(value)) {
    return Array.isArray(value) ? cellsOf(value) : [value as Cell];
  }
  const features = field(value, 'features') ?? field(value, 'data');
  return Array.isArray(features) ? cellsOf(features) : columns.map((name) => cellOf(field(value, name)));
}

const cellsOf = (values: readonly unknown[]): Cell[] => (isFlat(values) ? values : values.map(cellOf));

/** Whether all values are cells as they are. */
function isFlat(values: readonly unknown[]): values is Cell[] {
  for (const value of values) {
    if (typeof value === 'object' && value !== null) {
      return false;
    }
  }
  return true;
}

/** Rows of a document with one list of values for each column. */
export function transpose(lists: readonly (readonly unknown[])[]): Cell[][] {
  if (lists.some((list) => list.length !== lists[0].length)) {
    throw new UnreadableBody('the columns of the JSON body differ in length');
  }
  return lists[0].map((_, row) => lists.map((list) => cellOf(list[row])));
}

const PREDICTION_FIELDS = ['score', 'prediction', 'predicted_label', 'predicted_value', 'value'];

/** One prediction for each row of the request: a list, alone or below `predictions` or the name of a prediction, or a single one. */
export function jsonPredictions(value: unknown): Cell[] {
  const list = isFields(value) ? ['predictions', ...PREDICTION_FIELDS].map((name) => field(value, name)).find(Array.isArray) : value;
  return (Array.isArray(list) ? list : [value]).map(jsonPrediction);
}

function jsonPrediction(item: unknown): Cell {
  if (Array.isArray(item)) {
    return cellOf(item[0]);
  }
  if (!isFields(item)) {
    return cellOf(item);
  }
  const name = PREDICTION_FIELDS.find((candidate) => Object.hasOwn(item, candidate));
  return name === undefined ? undefined : cellOf(item[name]);
}
