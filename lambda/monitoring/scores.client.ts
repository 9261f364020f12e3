import { pipeline } from 'node:stream';
import { parse } from 'csv-parse';
import { S3Files } from '../common/s3.client';
import { objectsAt, scoreObjectsAt } from './objects-at';
import type { Cell } from './rows';

/** Rows of a CSV file with a header, in order. */
export type CsvRows = AsyncIterable<readonly string[]>;

/** Rows of a holdout and what a batch transform answered to them. */
export class ScoresClient {
  constructor(private readonly files: S3Files = new S3Files()) {}

  /** Rows of a CSV file, or of the files below a prefix one after the other; the header comes once. */
  public async *csvRows(uri: string): CsvRows {
    let header: string | undefined;
    for (const object of await objectsAt(this.files, uri)) {
      let first = true;
      for await (const row of this.parsed(object)) {
        if (!first || header === undefined) {
          yield row;
        } else if (row.join() !== header) {
          throw new Error(`${object} has another header than the files before it: ${row.join()} instead of ${header}`);
        }
        header ??= row.join();
        first = false;
      }
    }
  }

  /** Predictions of a batch transform for the rows of a holdout, one for each line of its `.out` objects in the order of their keys. */
  public async *scores(uri: string): AsyncGenerator<Cell> {
    for (const object of (await scoreObjectsAt(this.files, uri)).holdout) {
      for await (const line of this.files.readLines(object)) {
        if (line.trim() !== '') {
          yield readScore(line);
        }
      }
    }
  }

  private async *parsed(uri: string): AsyncGenerator<string[]> {
    const parser = parse({ bom: true, skip_empty_lines: true });
    // An error of the source ends the parser, which throws it to the reader below.
    pipeline(await this.files.readStream(uri), parser, () => undefined);
    yield* parser as AsyncIterable<string[]>;
  }
}

/** A line is a number, a label, CSV with the prediction first, or a JSON value. */
export function readScore(line: string): Cell {
  if (!/^\s*[[{]/.test(line)) {
    return line.split(',')[0].trim();
  }
  const value: unknown = JSON.parse(line);
  const scalar = Array.isArray(value) ? (value[0] as Cell) : undefined;
  return scalar ?? (value as Record<string, Cell>).score ?? (value as Record<string, Cell>).prediction;
}
