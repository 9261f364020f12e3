import { isMissing, parseNumber } from '../readers/bytes';
import type { Cell, RowSink, TextRow } from '../rows';
import { readCategory, readNumeric } from '../values';
import { Reservoir } from './reservoir';
import { Spellings } from './spellings';
import type { NumericShape, Shape } from './types';

/** A column that cannot be compared, with the reason. */
export interface SkippedColumn {
  readonly name: string;
  readonly reason: string;
}

export interface ShapedColumn {
  readonly name: string;
  readonly shape: Shape;
}

/** Numeric columns with this many values or fewer are counted by value. */
const FEW_VALUES = 20;
const MAXIMUM_EDGES = 999;
/** More names than these are an identifier where nearly every row has its own. */
const IDENTIFIER_NAMES = 1000;
const MAXIMUM_CATEGORIES = 10_000;
/** A column stays numeric while at most this share of its values is not a number; such values are counted as invalid. */
const TOLERATED_INVALID = 0.01;
/** Rows whose numbers are kept: sixteen for each quantile edge, which need not be exact, since what lies between edges is counted over all rows. */
const SAMPLE_ROWS = 2 ** 14;
/** Numbers that are kept of all columns together. */
const SAMPLE_NUMBERS = 2 ** 22;
const FEWEST_SAMPLE_ROWS = 500;

/** Letters and what else of ASCII is above the digits: no finite number begins with them. */
const startsWord = (byte: number): boolean => byte > 57 && byte < 128;

/** What is known of one column: its texts by name, its numbers by a sample. */
class ColumnSample {
  public numbers = 0;
  /** Neither a number nor missing. */
  public others = 0;
  public readonly spellings = new Spellings();
  /** Rows by number, while there are few different ones. */
  public readonly few = new Map<number, number>();
  private readonly one = new Float64Array(1);
  private sample = new Float64Array(64).fill(NaN);

  public addText(bytes: Uint8Array, start: number, end: number, place: number): void {
    const value = startsWord(bytes[start]) ? NaN : parseNumber(bytes, start, end);
    if (value - value === 0) {
      this.addNumber(value + 0, place);
      return;
    }
    this.others += isMissing(bytes, start, end) ? 0 : 1;
    this.forget(place);
    if (end > start) {
      this.spellings.add(bytes, start, end);
    }
  }

  public addCell(cell: Cell, place: number): void {
    const value = typeof cell === 'boolean' ? 'invalid' : readNumeric(cell);
    if (typeof value === 'number') {
      this.addNumber(value, place);
      return;
    }
    this.others += value === 'invalid' ? 1 : 0;
    this.forget(place);
    if (readCategory(cell) !== undefined) {
      this.spellings.addCell(cell);
    }
  }

  private addNumber(value: number, place: number): void {
    this.one[0] = value;
    this.addFrom(this.one, 0, place);
  }

  /** The finite number at an index of an array: a number as an argument would need memory of its own in each call. */
  public addFrom(numbers: Float64Array, index: number, place: number): void {
    this.numbers += 1;
    if (place >= 0) {
      this.keep(numbers[index], place);
    }
    if (this.few.size <= FEW_VALUES) {
      const value = numbers[index] + 0;
      this.few.set(value, (this.few.get(value) ?? 0) + 1);
    }
  }

  private keep(value: number, place: number): void {
    if (place >= this.sample.length) {
      const wider = new Float64Array(Math.max(2 * this.sample.length, place + 1)).fill(NaN);
      wider.set(this.sample);
      this.sample = wider;
    }
    this.sample[place] = value;
  }

  private forget(place: number): void {
    if (place >= 0 && place < this.sample.length) {
      this.sample[place] = NaN;
    }
  }

  /** Ascending. */
  public sortedNumbers(): Float64Array {
    const numbers = new Float64Array(this.sample.length);
    let count = 0;
    for (let place = 0; place < this.sample.length; place += 1) {
      if (this.sample[place] === this.sample[place]) {
        numbers[count] = this.sample[place];
        count += 1;
      }
    }
    return numbers.subarray(0, count).sort();
  }
}

/** Reads a table once and keeps, in bounded memory, what the shapes of its columns are made from. The same rows give the same shapes. */
export class Sampler implements RowSink {
  private readonly samples: readonly ColumnSample[];
  private readonly reservoir: Reservoir;
  public rows = 0;

  constructor(public readonly columns: readonly string[]) {
    this.samples = columns.map(() => new ColumnSample());
    this.reservoir = new Reservoir(Math.max(FEWEST_SAMPLE_ROWS, Math.min(SAMPLE_ROWS, Math.floor(SAMPLE_NUMBERS / Math.max(1, columns.length)))));
  }

  public text(row: TextRow): void {
    const place = this.reservoir.place();
    this.rows += 1;
    const { bytes, starts, ends, length, numbers } = row;
    for (let column = 0; column < this.samples.length; column += 1) {
      if (numbers !== undefined && numbers[column] - numbers[column] === 0) {
        this.samples[column].addFrom(numbers, column, place);
      } else if (column < length) {
        this.samples[column].addText(bytes, starts[column], ends[column], place);
      } else {
        this.samples[column].addCell(undefined, place);
      }
    }
  }

  public cells(row: readonly Cell[]): void {
    const place = this.reservoir.place();
    this.rows += 1;
    for (let column = 0; column < this.samples.length; column += 1) {
      this.samples[column].addCell(row[column], place);
    }
  }

  public shapeOf(column: number): Shape | { readonly reason: string } {
    return shapeOf(this.samples[column]);
  }
}

/** Shapes of the named columns, all by default. */
export const shapesOf = (sampler: Sampler, columns: readonly string[] = sampler.columns): (ShapedColumn | SkippedColumn)[] =>
  columns.map((name) => {
    const column = sampler.columns.indexOf(name);
    const shape = column < 0 ? { reason: 'the training data has no such column' } : sampler.shapeOf(column);
    return 'reason' in shape ? { name, reason: shape.reason } : { name, shape };
  });

export const isSkipped = (column: ShapedColumn | SkippedColumn): column is SkippedColumn => 'reason' in column;

function shapeOf(sample: ColumnSample): Shape | { readonly reason: string } {
  const names = sample.spellings.names();
  const present = sample.numbers + sample.spellings.dropped + [...names.values()].reduce((sum, count) => sum + count, 0);
  if (present === 0) {
    return { reason: 'no row of the training data has a value' };
  }
  const mostlyNumbers = sample.numbers > 0 && sample.others <= TOLERATED_INVALID * (sample.numbers + sample.others);
  if (mostlyNumbers && sample.few.size > FEW_VALUES) {
    const sorted = sample.sortedNumbers();
    // Numbers may be so rare that the sampled rows hold hardly one.
    return numericShape(sorted.length > FEW_VALUES ? sorted : Float64Array.from(sample.few.keys()).sort());
  }
  numberNames(sample).forEach((count, name) => names.set(name, (names.get(name) ?? 0) + count));
  if (names.size > IDENTIFIER_NAMES && names.size + sample.spellings.dropped > present / 2) {
    return { reason: 'nearly every row has its own text: an identifier cannot be compared' };
  }
  const ranked = [...names].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1)).map(([name]) => name);
  const complete = ranked.length <= MAXIMUM_CATEGORIES && sample.spellings.dropped === 0 && sample.few.size <= FEW_VALUES;
  return { kind: 'categorical', categories: ranked.slice(0, MAXIMUM_CATEGORIES), hasOther: !complete };
}

/** Numbers of a column that is not numeric, by name: all where they are few, else those of the sample, with their share of the rows. */
function numberNames(sample: ColumnSample): Map<string, number> {
  if (sample.few.size <= FEW_VALUES) {
    return new Map([...sample.few].map(([value, count]) => [String(value), count]));
  }
  const sampled = sample.sortedNumbers();
  const names = new Map<string, number>();
  sampled.forEach((value) => names.set(String(value), (names.get(String(value)) ?? 0) + sample.numbers / sampled.length));
  return names;
}

function numericShape(sorted: Float64Array): NumericShape {
  const count = sorted.length;
  let mean = 0;
  for (let index = 0; index < count; index += 1) {
    mean += sorted[index] / count;
  }
  let variance = 0;
  for (let index = 0; index < count; index += 1) {
    variance += (sorted[index] - mean) ** 2 / count;
  }
  const edges: number[] = [];
  for (let index = 1; index <= MAXIMUM_EDGES; index += 1) {
    const edge = sorted[Math.max(0, Math.ceil((index / (MAXIMUM_EDGES + 1)) * count) - 1)];
    // Where many values are equal so are many quantiles: they are one edge.
    if (edge !== edges.at(-1)) {
      edges.push(edge);
    }
  }
  return { kind: 'numeric', edges, mean, deviation: Math.max(Number.MIN_VALUE, Math.min(Number.MAX_VALUE, Math.sqrt(variance))) };
}
