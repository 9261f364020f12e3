import { isMissing, parseNumber, textOf } from '../readers/bytes';
import type { Cell } from '../rows';
import { readCategory, readNumeric } from '../values';
import { countLength, FARTHEST, stepsPerUnit } from './counts';
import { hashText, hashWords } from './hash';
import { CategoryLookup, EdgeLookup, FIRST_BITS, MISSING, SECOND_BITS, SHORT, UNLISTED } from './lookup';
import { NameCounts } from './names';
import { Sketch, sketchIndex, sketchRank } from './sketch';
import type { CategoricalShape, Counts, NumericShape, Shape } from './types';

/** Counts the values of one feature. */
export interface Counter {
  addCell(cell: Cell): void;
  toCounts(): Counts;
}

export const createCounter = (shape: Shape): Counter => (shape.kind === 'numeric' ? new NumericCounter(shape) : new CategoricalCounter(shape));

/** Values are counted a batch at a time, so that the tables of one feature stay in the processor's cache. */
export const BATCH = 512;

export class NumericCounter implements Counter {
  private missing = 0;
  private invalid = 0;
  private present = 0;
  private negative = 0;
  private fractional = 0;
  private minimum = Infinity;
  private maximum = -Infinity;
  private readonly lookup: EdgeLookup;
  /** Count and sum of offsets of each bin, side by side, as the processor's cache fetches them. */
  private readonly bins: Float64Array;
  private readonly sketch = new Sketch();
  private readonly words: Int32Array;
  private readonly singles = new Float32Array(BATCH);
  private readonly singleBits = new Int32Array(this.singles.buffer);
  private filled = 0;

  /** `batch` holds `BATCH` values; whoever hands it over may put numbers into it. */
  constructor(
    private readonly shape: NumericShape,
    private readonly batch: Float64Array = new Float64Array(BATCH),
  ) {
    this.words = new Int32Array(batch.buffer, batch.byteOffset, 2 * BATCH);
    this.lookup = new EdgeLookup(shape.edges);
    this.bins = new Float64Array(2 * countLength(shape));
  }

  /** Puts a value at a place of the batch; what is no number is counted here. */
  public putText(place: number, bytes: Uint8Array, start: number, end: number): void {
    const value = parseNumber(bytes, start, end);
    const isNumber = value - value === 0;
    // There is one zero: the negative one would count as a value of its own.
    this.batch[place] = isNumber ? value + 0 : NaN;
    if (!isNumber) {
      this.countOther(isMissing(bytes, start, end));
    }
  }

  public putCell(place: number, cell: Cell): void {
    const value = readNumeric(cell);
    this.batch[place] = typeof value === 'number' ? value : NaN;
    if (typeof value !== 'number') {
      this.countOther(value === 'missing');
    }
  }

  private countOther(isMissing: boolean): void {
    this.missing += isMissing ? 1 : 0;
    this.invalid += isMissing ? 0 : 1;
  }

  public addCell(cell: Cell): void {
    this.putCell(this.filled, cell);
    this.filled += 1;
    if (this.filled === BATCH) {
      this.count(BATCH);
      this.filled = 0;
    }
  }

  /** Counts the first values of the batch; NaN stands where there is none. */
  public count(filled: number): void {
    const { batch, words, bins, lookup } = this;
    const { edges, before, logarithmic, low, scale, last } = lookup;
    const { mean } = this.shape;
    const perUnit = stepsPerUnit(this.shape);
    const { registers } = this.sketch;
    let { present, minimum, maximum, negative, fractional } = this;
    if (logarithmic) {
      this.singles.set(batch);
    }
    for (let index = 0; index < filled; index += 1) {
      const value = batch[index];
      if (value !== value) {
        continue;
      }
      let key = value;
      if (logarithmic) {
        const bits = this.singleBits[index];
        key = bits ^ ((bits >> 31) & 0x7fffffff);
      }
      const position = (key - low) * scale;
      const cell = position >= last ? last : position > 0 ? position | 0 : 0;
      let bin = before[cell];
      // One comparison does not harm where the cell has no edge: its next edge is above the value. Few cells have more edges than one.
      bin += Number(edges[bin] < value);
      if (edges[bin] < value) {
        bin = lookup.search(value, bin, before[cell + 1]);
      }
      const place = 2 * bin;
      bins[place] += 1;
      const steps = Math.floor((value - mean) * perUnit + 0.5);
      bins[place + 1] += steps > FARTHEST ? FARTHEST : steps < -FARTHEST ? -FARTHEST : steps;
      minimum = value < minimum ? value : minimum;
      maximum = value > maximum ? value : maximum;
      negative += words[2 * index + 1] >>> 31;
      fractional += Number(Math.floor(value) !== value);
      present += 1;
      const hash = hashWords(words[2 * index], words[2 * index + 1]);
      const register = sketchIndex(hash);
      const rank = sketchRank(hash);
      if (registers[register] < rank) {
        registers[register] = rank;
      }
    }
    this.present = present;
    this.minimum = minimum;
    this.maximum = maximum;
    this.negative = negative;
    this.fractional = fractional;
  }

  private everySecond(first: number): number[] {
    return Array.from({ length: this.bins.length / 2 }, (_, bin) => this.bins[2 * bin + first]);
  }

  public toCounts(): Counts {
    this.count(this.filled);
    this.filled = 0;
    return {
      rows: this.present + this.missing + this.invalid,
      missing: this.missing,
      invalid: this.invalid,
      counts: this.everySecond(0),
      // A sum of zeros may be the negative zero.
      offsets: this.everySecond(1).map((offset) => offset + 0),
      ...(this.present > 0 && { minimum: this.minimum, maximum: this.maximum }),
      negative: this.negative,
      fractional: this.fractional,
      ...(this.present > 0 && { sketch: this.sketch.toText() }),
    };
  }
}

export class CategoricalCounter implements Counter {
  private missing = 0;
  private readonly lookup: CategoryLookup;
  private readonly counts: Float64Array;
  private readonly unlisted = new NameCounts();
  private readonly sketch = new Sketch();
  // Short texts, counted a batch at a time as numbers are: bytes and lengths.
  private readonly texts = new Int32Array(2 * BATCH);
  private readonly textBytes = new Uint8Array(this.texts.buffer);
  private readonly lengths = new Uint8Array(BATCH);
  private filled = 0;

  constructor(private readonly shape: CategoricalShape) {
    this.lookup = new CategoryLookup(shape.categories);
    this.counts = new Float64Array(countLength(shape));
  }

  /** `view` shows the same bytes. */
  public addText(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    const length = end - start;
    if (length > SHORT || start + SHORT > view.byteLength) {
      this.addPosition(this.lookup.ofText(bytes, start, end), bytes, start, end);
      return;
    }
    // Taking bytes behind a text and masking them off costs less than to stop at its end.
    const { texts, filled } = this;
    texts[2 * filled] = view.getInt32(start, true) & FIRST_BITS[length];
    texts[2 * filled + 1] = view.getInt32(start + 4, true) & SECOND_BITS[length];
    this.lengths[filled] = length;
    this.filled = filled + 1;
    if (filled + 1 === BATCH) {
      this.flush();
    }
  }

  private flush(): void {
    const { texts, lengths, lookup, counts, filled } = this;
    for (let index = 0; index < filled; index += 1) {
      const position = lookup.ofShort(texts[2 * index], texts[2 * index + 1], lengths[index]);
      if (position >= 0) {
        counts[position] += 1;
      } else {
        this.addPosition(position, this.textBytes, 8 * index, 8 * index + lengths[index]);
      }
    }
    this.filled = 0;
  }

  private addPosition(position: number, bytes: Uint8Array, start: number, end: number): void {
    if (position >= 0) {
      this.counts[position] += 1;
    } else if (position === MISSING) {
      this.missing += 1;
    } else {
      this.addUnlisted(textOf(bytes, start, end));
    }
  }

  public addCell(cell: Cell): void {
    const position = this.lookup.ofCell(cell);
    if (position >= 0) {
      this.counts[position] += 1;
    } else if (position === UNLISTED) {
      this.addUnlisted(cell);
    } else {
      this.missing += 1;
    }
  }

  private addUnlisted(cell: Cell): void {
    const name = readCategory(cell) as string;
    this.counts[this.counts.length - 1] += 1;
    this.unlisted.add(name);
    this.sketch.add(hashText(name));
  }

  public toCounts(): Counts {
    this.flush();
    const { categories } = this.shape;
    const present = this.counts.reduce((sum, count) => sum + count, 0);
    const unlisted = this.unlisted.toRecord();
    // Listed names need not be sketched row by row: whether they were seen is known.
    categories.forEach((name, position) => this.counts[position] > 0 && this.sketch.add(hashText(name)));
    return {
      rows: present + this.missing,
      missing: this.missing,
      invalid: 0,
      counts: Array.from(this.counts),
      ...(unlisted && { unlisted }),
      ...(present > 0 && { sketch: this.sketch.toText() }),
    };
  }
}
