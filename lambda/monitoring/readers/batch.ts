import type { Rejections } from '../rejections';
import type { Cell, Chunks, RequestHead, RequestSink, RowSink, TextRow } from '../rows';
import { withoutBom } from './bom';
import { parseNumber, textOf } from './bytes';
import { CsvScanner } from './csv-scanner';
import type { RecordScanner } from './feeder';
import { Feeder } from './feeder';
import { JsonLineScanner } from './json-lines';
import { PredictionScanner } from './predictions';

export interface BatchPair {
  /** Names the input, for rejections. */
  readonly where: string;
  /** Of the transform as a whole: its input is one request of many rows. */
  readonly head: RequestHead;
  readonly inputFormat: 'csv' | 'jsonl';
  readonly outputFormat: 'csv' | 'jsonl';
  /** Columns of the input in their order. */
  readonly columns: readonly string[];
  /** Whether the first line of the CSV input names columns and has no answer. @default false */
  readonly header?: boolean;
}

export interface BatchAnswer {
  readonly rows: number;
  readonly predictions: number;
  /** Whether each row has its prediction; else what was delivered may have been joined wrongly, and should be thrown away. */
  readonly aligned: boolean;
}

/**
 * Input and output of a batch transform (`x.csv` and `x.csv.out`), joined by their order: one prediction for each row. The pair is one request of
 * `sink`. Memory is bounded by the rows of one chunk.
 */
export async function readBatchPairs(
  input: Chunks,
  output: Chunks,
  pair: BatchPair,
  sink: RequestSink,
  rejections: Rejections,
): Promise<BatchAnswer> {
  if (!sink.begin(pair.head, pair.where)) {
    return { rows: 0, predictions: 0, aligned: true };
  }
  const answers = new PredictionScanner(`${pair.where} output`, pair.outputFormat, rejections);
  const predictions = new Predictions(output, answers);
  let records = (): number => 0;
  const rows: RowSink = {
    text: (row) => sink.text(row, predictions.at(records())),
    cells: (row) => sink.cells(row, predictions.at(records())),
  };
  const scanner = inputScanner(pair, rows, rejections);
  // Whoever delivers a row has counted it already, rejected ones before it included.
  records = () => scanner.records - 1;
  const feeder = new Feeder(scanner, pair.header);
  let lines = 1;
  for await (const chunk of withoutBom(input)) {
    // No more records than lines, those that wait for their end included.
    lines += newlines(chunk);
    await predictions.fill(lines);
    feeder.push(chunk);
    predictions.drop(scanner.records);
  }
  feeder.finish();
  const found = await predictions.count();
  if (found !== scanner.records) {
    rejections.add('prediction-count', pair.where, `${scanner.records} rows were sent, ${found} predictions came back`);
  } else if (predictions.isStarved) {
    rejections.add('prediction-count', pair.where, 'a line holds more than one row: a batch transform has one row a line');
  }
  return { rows: scanner.rows, predictions: found, aligned: found === scanner.records && !predictions.isStarved };
}

/** Output of a batch transform that was joined with its input: the columns, then the prediction, in CSV. The whole is one request of `sink`. */
export async function readBatchJoined(
  chunks: Chunks,
  pair: Pick<BatchPair, 'where' | 'head' | 'columns'>,
  sink: RequestSink,
  rejections: Rejections,
): Promise<{ rows: number }> {
  if (!sink.begin(pair.head, pair.where)) {
    return { rows: 0 };
  }
  const last = pair.columns.length;
  const row = (values: TextRow): void => {
    const value = parseNumber(values.bytes, values.starts[last], values.ends[last]);
    const prediction = Number.isFinite(value) ? value : textOf(values.bytes, values.starts[last], values.ends[last]);
    values.length = last;
    sink.text(values, prediction);
    values.length = last + 1;
  };
  const scanner = new CsvScanner({ columns: last + 1, place: (line) => `${pair.where} line ${line}`, rejections, row });
  const feeder = new Feeder(scanner);
  for await (const chunk of withoutBom(chunks)) {
    feeder.push(chunk);
  }
  feeder.finish();
  return { rows: scanner.rows };
}

type InputScanner = RecordScanner & { readonly records: number; readonly rows: number };

function inputScanner(pair: BatchPair, rows: RowSink, rejections: Rejections): InputScanner {
  if (pair.inputFormat === 'jsonl') {
    return new JsonLineScanner(pair.where, () => rows, rejections, pair.columns);
  }
  const first = pair.header === true ? 1 : 0;
  const place = (line: number): string => `${pair.where} line ${line + first}`;
  return new CsvScanner({ columns: pair.columns.length, place, rejections, row: (row) => rows.text(row) });
}

/** Newlines in the bytes: at most so many rows end there. */
function newlines(bytes: Uint8Array): number {
  let count = 0;
  for (let index = bytes.indexOf(10); index >= 0; index = bytes.indexOf(10, index + 1)) {
    count += 1;
  }
  return count;
}

/** Predictions in their order, read as far as they are needed. */
class Predictions {
  /** Whether one was asked for before it was read. */
  public isStarved = false;
  private readonly source: AsyncIterator<Uint8Array>;
  private readonly feeder: Feeder;
  private dropped = 0;
  private isAtEnd = false;

  constructor(
    chunks: Chunks,
    private readonly scanner: PredictionScanner,
  ) {
    this.source = withoutBom(chunks)[Symbol.asyncIterator]();
    this.feeder = new Feeder(scanner);
  }

  public at(index: number): Cell {
    this.isStarved ||= !this.isAtEnd && index - this.dropped >= this.scanner.found.length;
    return this.scanner.found[index - this.dropped];
  }

  /** Reads until there are so many since the beginning, or no more. */
  public async fill(count: number): Promise<void> {
    while (!this.isAtEnd && this.dropped + this.scanner.found.length < count) {
      const { value, done } = await this.source.next();
      if (done === true) {
        this.isAtEnd = true;
        this.feeder.finish();
      } else {
        this.feeder.push(value);
      }
    }
  }

  /** Forgets those before `index`. */
  public drop(index: number): void {
    const gone = Math.min(index - this.dropped, this.scanner.found.length);
    this.scanner.found.splice(0, gone);
    this.dropped += gone;
  }

  /** All there are. */
  public async count(): Promise<number> {
    while (!this.isAtEnd) {
      this.drop(Infinity);
      await this.fill(this.dropped + 1);
    }
    return this.dropped + this.scanner.found.length;
  }
}
