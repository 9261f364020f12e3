import * as fc from 'fast-check';
import { parseNumber, textOf } from '../../../../lambda/monitoring/readers/bytes';
import { Rejections } from '../../../../lambda/monitoring/rejections';
import type { Cell, Chunks, Place, RequestHead, RequestSink, RowSink, TextRow } from '../../../../lambda/monitoring/rows';

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** The bytes cut at these places; with all in one piece of memory, as a file's chunks are. */
export async function* chunksOf(data: string | Uint8Array, cuts: readonly number[] = []): Chunks {
  const bytes = typeof data === 'string' ? bytesOf(data) : data;
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < places.length; index += 1) {
    // A copy that is wiped afterwards: a reader that keeps a chunk is found out.
    const copy = bytes.slice(places[index - 1], places[index]);
    yield copy;
    copy.fill(0x3f);
  }
}

export const cutsOf = (length: number): fc.Arbitrary<number[]> => fc.array(fc.nat({ max: length }), { maxLength: 12 });

/** Texts of the fields; the numbers that come with them are held against them. Truth values of JSON come as text with a number. */
export const textRow = ({ bytes, starts, ends, length, numbers }: TextRow): Cell[] =>
  Array.from({ length }, (_, index) => {
    const text = textOf(bytes, starts[index], ends[index]);
    const number = numbers?.[index] ?? NaN;
    if (Number.isNaN(number)) {
      return text;
    }
    const isTruth = text === 'true' || text === 'false';
    expect(number).toBe(isTruth ? Number(text === 'true') : parseNumber(bytes, starts[index], ends[index]) + 0);
    return isTruth ? text === 'true' : text;
  });

/** What a reader delivered and rejected. */
export class Recorder implements RowSink, RequestSink {
  public readonly rows: Cell[][] = [];
  public readonly requests: { head: RequestHead; where: string; rows: { values: Cell[]; prediction: Cell }[] }[] = [];
  public readonly rejections = new Rejections();
  public columns: readonly string[] | undefined;

  public readonly open = (columns: readonly string[]): this => {
    this.columns = columns;
    return this;
  };

  public begin(head: RequestHead, where: Place): boolean {
    const { eventId, inferenceId, time } = head;
    this.requests.push({ head: { eventId, inferenceId, time }, where: where.toString(), rows: [] });
    return true;
  }

  public text(row: TextRow, prediction?: Cell): void {
    this.cells(textRow(row), prediction);
  }

  public cells(row: readonly Cell[], prediction?: Cell): void {
    this.rows.push([...row]);
    this.requests.at(-1)?.rows.push({ values: [...row], prediction });
  }

  public get outcome(): unknown {
    const { columns, rows, requests, rejections } = this;
    return { columns, rows, requests, rejected: rejections.counts(), samples: rejections.samples() };
  }
}
