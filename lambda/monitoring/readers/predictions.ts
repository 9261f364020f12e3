import { isUtf8 } from 'node:buffer';
import type { Rejections } from '../rejections';
import type { Cell } from '../rows';
import { parseNumber, textOf } from './bytes';
import { splitCsv } from './csv-text';
import type { RecordScanner } from './feeder';
import { jsonPredictions } from './json-body';
import { isBlankLine, LineRejections } from './lines';

const NEWLINE = 10;
const COMMA = 44;
const QUOTE = 34;
const RETURN = 13;

/** Predictions of a batch transform's output: of a line of CSV the first field, of a line of JSON all that it holds. */
export class PredictionScanner implements RecordScanner {
  /** Those that were not taken yet; undefined for a line that cannot be read. */
  public readonly found: Cell[] = [];
  private readonly lines: LineRejections;

  constructor(
    where: string,
    private readonly format: 'csv' | 'jsonl',
    rejections: Rejections,
  ) {
    this.lines = new LineRejections(where, rejections);
  }

  public scan(bytes: Uint8Array, from: number, to: number): number {
    let start = from;
    for (let end = this.end(bytes, start, to); end >= 0; end = this.end(bytes, start, to)) {
      this.lines.line += 1;
      if (!isBlankLine(bytes, start, end)) {
        this.read(bytes, start, end);
      }
      start = end + 1;
    }
    return start;
  }

  public end(bytes: Uint8Array, from: number, to: number): number {
    return from < to ? this.lines.end(bytes, from, to) : -1;
  }

  public tooLong(): void {
    this.lines.tooLong();
    this.found.push(undefined);
  }

  /** A line without a newline gets one. */
  public unfinished(): void {}

  private read(bytes: Uint8Array, from: number, to: number): void {
    const found = this.format === 'csv' ? firstField(bytes, from, to) : documentOf(bytes, from, to);
    if (found === undefined) {
      this.lines.reject('prediction-unreadable', `the line is no ${this.format === 'csv' ? 'CSV' : 'JSON'} in UTF-8`);
    }
    for (const prediction of found ?? [undefined]) {
      this.found.push(prediction);
    }
  }
}

function firstField(bytes: Uint8Array, from: number, to: number): Cell[] | undefined {
  if (!isUtf8(bytes.subarray(from, to))) {
    return undefined;
  }
  let end = from;
  while (end < to && bytes[end] !== COMMA && bytes[end] !== NEWLINE && bytes[end] !== RETURN) {
    end += 1;
  }
  if (bytes[from] !== QUOTE) {
    const value = parseNumber(bytes, from, end);
    return [Number.isFinite(value) ? value + 0 : textOf(bytes, from, end)];
  }
  const text = splitCsv(textOf(bytes, from, to))?.[0]?.[0];
  return text === undefined ? undefined : [text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) + 0 : text];
}

function documentOf(bytes: Uint8Array, from: number, to: number): Cell[] | undefined {
  try {
    return isUtf8(bytes.subarray(from, to)) ? jsonPredictions(JSON.parse(textOf(bytes, from, to))) : undefined;
  } catch {
    return undefined;
  }
}
