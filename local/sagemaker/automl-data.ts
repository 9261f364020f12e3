import { parse } from 'csv-parse/sync';

/** Rows as the built-in XGBoost reads them, the target first, and what was left out. */
export interface AutoMlRows {
  readonly lines: readonly string[];
  readonly features: readonly string[];
  readonly leftOut: readonly string[];
}

/** What the data has that this search cannot take; it fails the job. */
export class UnfitData extends Error {}

const isNumber = (cell: string): boolean => cell.trim() !== '' && Number.isFinite(Number(cell));

/** Columns that hold anything but numbers are left out: the algorithm that serves takes numbers alone. */
export function numericRows(texts: readonly string[], target: string, classes: boolean, features?: readonly string[]): AutoMlRows {
  const tables = texts.map((text) => parse(text, { skip_empty_lines: true }) as string[][]);
  const header = tables[0]?.[0] ?? [];
  const rows = tables.flatMap(([, ...rest]) => rest);
  if (tables.some(([names]) => names?.join() !== header.join())) throw new UnfitData('the files of the input have different headers');
  const at = header.indexOf(target);
  if (at < 0) throw new UnfitData(`the target ${target} is no column of the input: ${header.join(', ')}`);
  if (rows.length < 2) throw new UnfitData(`the input has ${rows.length} rows`);
  const ofNumbers = header.filter((_, column) => column !== at && rows.every((row) => row[column] === '' || isNumber(row[column])));
  const kept = features ?? ofNumbers;
  const missing = kept.filter((name) => !ofNumbers.includes(name));
  if (missing.length > 0) throw new UnfitData(`the validation data has no numbers in ${missing.join(', ')}`);
  if (kept.length === 0) throw new UnfitData('no column beside the target holds numbers alone');
  const labels = rows.map((row) => row[at]);
  if (!labels.every(isNumber)) throw new UnfitData(`the target ${target} holds values that are no numbers`);
  if (classes) checkClasses(labels);
  const columns = [at, ...kept.map((name) => header.indexOf(name))];
  const leftOut = header.filter((name) => name !== target && !kept.includes(name));
  return { lines: rows.map((row) => columns.map((column) => row[column]).join(',')), features: kept, leftOut };
}

export const classesOf = (lines: readonly string[]): number => new Set(lines.map((line) => Number(line.split(',', 1)[0]))).size;

function checkClasses(labels: readonly string[]): void {
  const distinct = [...new Set(labels.map(Number))].sort((a, b) => a - b);
  if (distinct.length < 2) throw new UnfitData('the target has one class alone');
  if (distinct.some((label, index) => label !== index)) {
    throw new UnfitData(`classes have to be the numbers 0 to ${distinct.length - 1}, they are ${distinct.slice(0, 5).join(', ')}`);
  }
}

/** Every so many rows one is held out, so that both parts are spread over all of the data. */
export function heldOut(lines: readonly string[], share: number): { readonly train: string[]; readonly validation: string[] } {
  const isHeld = (index: number) => Math.floor((index + 1) * share) > Math.floor(index * share);
  return { train: lines.filter((_, index) => !isHeld(index)), validation: lines.filter((_, index) => isHeld(index)) };
}
