/** Sums of doubles with twice their digits, so that the order of the summands does not show in the result. */
export class ExactSums {
  private readonly high: Float64Array;
  private readonly low: Float64Array;

  constructor(length: number) {
    this.high = new Float64Array(length);
    this.low = new Float64Array(length);
  }

  public add(index: number, value: number): void {
    const before = this.high[index];
    const sum = before + value;
    const part = sum - before;
    this.high[index] = sum;
    this.low[index] += before - (sum - part) + (value - part);
  }

  public get(index: number): number {
    return this.high[index] + this.low[index];
  }

  /** Each sum on its own. */
  public values(): Float64Array {
    return this.high.map((value, index) => value + this.low[index]);
  }

  public total(): number {
    const sum = new ExactSums(1);
    for (let index = 0; index < this.high.length; index += 1) {
      sum.add(0, this.high[index]);
      sum.add(0, this.low[index]);
    }
    return sum.get(0);
  }
}
