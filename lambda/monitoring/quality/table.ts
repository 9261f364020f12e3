import { QUALITY_BLOCK_SECONDS } from '../../../lib/monitoring/contract';
import type { RuntimeTask } from '../task-metrics';

/** Names that a column of groups, or the classes of a task, may tell apart; what comes later goes by `OTHER`. */
const MOST_NAMES = 65_534;
export const OTHER = '(other)';

/** Day (UTC) of a time in milliseconds. */
export const dayOf = (time: number): number => Math.floor(time / (QUALITY_BLOCK_SECONDS * 1000));

/** Names by number, from 0 in the order of their first appearance. */
export class Names {
  readonly list: string[] = [];
  private readonly codes = new Map<string, number>();

  public code(name: string): number {
    const known = this.codes.get(name);
    if (known !== undefined) {
      return known;
    }
    if (this.list.length >= MOST_NAMES && name !== OTHER) {
      return this.code(OTHER);
    }
    this.codes.set(name, this.list.length);
    return this.list.push(name) - 1;
  }
}

const FIRST_CAPACITY = 256;
/** Rows without a value of a column. */
export const NO_GROUP = 0xffff;

/**
 * Predictions with their truth, where it is known, column by column: about 24 bytes a row. Classes are numbers of `classes`; an unknown truth is NaN.
 * Every figure made from it is the same for any order of its rows.
 */
export class QualityTable {
  readonly classes = new Names();
  readonly groups: readonly Names[];
  rows = 0;
  labelled = 0;
  prediction = new Float64Array(FIRST_CAPACITY);
  truth = new Float64Array(FIRST_CAPACITY);
  /** Position of a row's block in `blockIds`. */
  block = new Uint16Array(FIRST_CAPACITY);
  group: Uint16Array[];
  /** Ids of blocks in the order of their first appearance: days, where blocks are days. */
  readonly blockIds: number[] = [];
  private readonly blockIndex = new Map<number, number>();
  private ages = new Float32Array(0);

  constructor(
    readonly task: RuntimeTask,
    readonly groupColumns: readonly string[] = [],
  ) {
    this.groups = groupColumns.map(() => new Names());
    this.group = groupColumns.map(() => new Uint16Array(FIRST_CAPACITY));
  }

  /** `block` is any whole number; `truth` undefined where it is not known; `ageSeconds` is how long after the prediction the truth was observed. */
  public add(
    block: number,
    prediction: number | string,
    truth: number | string | undefined,
    groups: readonly (string | undefined)[] = [],
    ageSeconds?: number,
  ): void {
    const row = this.rows;
    if (row === this.prediction.length) {
      this.grow();
    }
    this.prediction[row] = typeof prediction === 'number' ? prediction : this.classes.code(prediction);
    this.truth[row] = truth === undefined ? NaN : typeof truth === 'number' ? truth : this.classes.code(truth);
    this.block[row] = this.blockOf(block);
    for (let column = 0; column < this.group.length; column += 1) {
      const name = groups[column];
      this.group[column][row] = name === undefined ? NO_GROUP : this.groups[column].code(name);
    }
    if (truth !== undefined) {
      if (ageSeconds !== undefined) {
        if (this.labelled >= this.ages.length) {
          this.ages = grown(this.ages, Math.max(FIRST_CAPACITY, Math.ceil(this.labelled * 1.5)));
        }
        this.ages[this.labelled] = ageSeconds;
      }
      this.labelled += 1;
    }
    this.rows += 1;
  }

  /** Median of the ages, in seconds; undefined where no row came with one. */
  public medianAge(): number | undefined {
    if (this.labelled === 0 || this.ages.length === 0) {
      return undefined;
    }
    const sorted = this.ages.slice(0, this.labelled).sort();
    const middle = Math.floor(this.labelled / 2);
    return this.labelled % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  /** Positions of the blocks in the order of their ids. */
  public blockOrder(): number[] {
    return this.blockIds.map((_, index) => index).sort((a, b) => this.blockIds[a] - this.blockIds[b]);
  }

  private blockOf(id: number): number {
    const known = this.blockIndex.get(id);
    if (known !== undefined) {
      return known;
    }
    if (this.blockIds.length > 0xffff) {
      throw new RangeError('a table holds at most 65,536 blocks');
    }
    this.blockIndex.set(id, this.blockIds.length);
    return this.blockIds.push(id) - 1;
  }

  private grow(): void {
    const capacity = Math.ceil(this.prediction.length * 1.5);
    this.prediction = grown(this.prediction, capacity);
    this.truth = grown(this.truth, capacity);
    this.block = grown(this.block, capacity);
    this.group = this.group.map((codes) => grown(codes, capacity));
  }
}

function grown<T extends Float64Array | Float32Array | Uint16Array>(values: T, capacity: number): T {
  const larger = new (values.constructor as new (length: number) => T)(capacity);
  larger.set(values);
  return larger;
}
