import { parseNumber, textOf } from '../../monitoring/readers/bytes';
import { Feeder, type RecordScanner } from '../../monitoring/readers/feeder';
import { isBlankLine } from '../../monitoring/readers/lines';
import type { Chunks } from '../../monitoring/rows';
import { readScore } from '../../monitoring/scores.client';
import { type RuntimeTask, readPrediction } from '../../monitoring/task-metrics';

const [NEWLINE, RETURN, COMMA, SPACE, TAB, BRACKET, BRACE] = [10, 13, 44, 32, 9, 91, 123];
const FIRST_CAPACITY = 1024;

/** What a model answered to the rows of a holdout, in their order: numbers in eight bytes each, names once each. */
export class Scores {
  count = 0;
  private values = new Float64Array(FIRST_CAPACITY);
  private readonly names: string[] = [];
  private readonly codes = new Map<string, number>();
  private readonly named: boolean;

  constructor(private readonly task: RuntimeTask) {
    this.named = task.kind === 'MULTICLASS_CLASSIFICATION';
  }

  at(row: number): number | string {
    return this.named ? this.names[this.values[row]] : this.values[row];
  }

  /**
   * Adds the predictions of one output of a batch transform, one for each line that is not blank.
   *
   * @param refuse is told the number of a prediction, from 1, that is not what the task answers, and throws
   */
  async read(chunks: Chunks, refuse: (number: number) => never): Promise<void> {
    const add = (bytes: Uint8Array, from: number, to: number): void => this.add(bytes, from, to, refuse);
    const feeder = new Feeder(new LineScanner(add, () => refuse(this.count + 1)));
    for await (const chunk of chunks) feeder.push(chunk);
    feeder.finish();
  }

  /** Adds predictions that are there already. */
  addAll(predictions: readonly (number | string)[]): this {
    for (const prediction of predictions) this.push(prediction);
    return this;
  }

  private add(bytes: Uint8Array, from: number, to: number, refuse: (number: number) => never): void {
    const number = this.named ? NaN : plainNumber(bytes, from, to);
    if (Number.isFinite(number)) {
      this.push(number);
      return;
    }
    const prediction = readPrediction(this.task, readScore(textOf(bytes, from, to)));
    this.push(prediction === undefined ? refuse(this.count + 1) : prediction);
  }

  private push(prediction: number | string): void {
    if (this.count === this.values.length) {
      const larger = new Float64Array(Math.ceil(this.count * 1.5));
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.count] = typeof prediction === 'number' ? prediction : this.codeOf(prediction);
    this.count += 1;
  }

  private codeOf(name: string): number {
    const known = this.codes.get(name);
    if (known !== undefined) return known;
    this.codes.set(name, this.names.length);
    return this.names.push(name) - 1;
  }
}

/** The first field of a line that is no JSON, where it is a number; else NaN, which says nothing. */
function plainNumber(bytes: Uint8Array, from: number, to: number): number {
  let start = from;
  while (start < to && (bytes[start] === SPACE || bytes[start] === TAB)) start += 1;
  if (bytes[start] === BRACKET || bytes[start] === BRACE) return NaN;
  let end = start;
  while (end < to && bytes[end] !== COMMA && bytes[end] !== RETURN) end += 1;
  // There is one zero.
  return parseNumber(bytes, start, end) + 0;
}

class LineScanner implements RecordScanner {
  constructor(
    private readonly line: (bytes: Uint8Array, from: number, to: number) => void,
    public readonly tooLong: () => never,
  ) {}

  scan(bytes: Uint8Array, from: number, to: number): number {
    let start = from;
    for (let end = this.end(bytes, start, to); end >= 0; end = this.end(bytes, start, to)) {
      if (!isBlankLine(bytes, start, end)) this.line(bytes, start, end);
      start = end + 1;
    }
    return start;
  }

  end(bytes: Uint8Array, from: number, to: number): number {
    const newline = from < to ? bytes.indexOf(NEWLINE, from) : -1;
    return newline < to ? newline : -1;
  }

  /** A line without a newline gets one. */
  unfinished(): void {}
}
