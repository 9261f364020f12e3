/** Chooses rows of a stream evenly and in the same way each time: the first `capacity` rows, then later ones in the place of earlier ones. */
export class Reservoir {
  private seen = 0;
  private next: number;
  private weight = 1;
  private state = 0x2545f491;

  constructor(public readonly capacity: number) {
    this.next = capacity;
    this.skip();
  }

  /** Place of the next row, -1 where it is not chosen. */
  public place(): number {
    const row = this.seen;
    this.seen += 1;
    if (row < this.capacity) {
      return row;
    }
    if (row < this.next) {
      return -1;
    }
    this.skip();
    return Math.floor(this.random() * this.capacity);
  }

  /** Rows that are held. */
  public get size(): number {
    return Math.min(this.seen, this.capacity);
  }

  /** Algorithm L (Li 1994): how many rows pass until the next one is chosen. */
  private skip(): void {
    this.weight *= Math.exp(Math.log(this.random()) / this.capacity);
    this.next += Math.floor(Math.log(this.random()) / Math.log1p(-this.weight)) + (this.seen > this.capacity ? 1 : 0);
  }

  /** Above 0, below 1. */
  private random(): number {
    this.state ^= this.state << 13;
    this.state ^= this.state >>> 17;
    this.state ^= this.state << 5;
    return ((this.state >>> 0) + 0.5) / 2 ** 32;
  }
}
