/** Set of 64-bit hashes in typed arrays, without objects. */
export class HashSet {
  private lows: Int32Array;
  private highs: Int32Array;
  private taken: Uint8Array;
  private mask: number;
  public size = 0;

  constructor(expected = 64) {
    this.mask = 2 ** Math.ceil(Math.log2(2 * expected)) - 1;
    this.lows = new Int32Array(this.mask + 1);
    this.highs = new Int32Array(this.mask + 1);
    this.taken = new Uint8Array(this.mask + 1);
  }

  private slotOf(low: number, high: number): number {
    let slot = low & this.mask;
    while (this.taken[slot] === 1 && (this.lows[slot] !== low || this.highs[slot] !== high)) {
      slot = (slot + 1) & this.mask;
    }
    return slot;
  }

  /** Whether it was not there before. Hashes are signed 32-bit halves. */
  public add(low: number, high: number): boolean {
    let slot = this.slotOf(low, high);
    if (this.taken[slot] === 1) {
      return false;
    }
    if (2 * (this.size + 1) > this.mask + 1) {
      this.grow();
      slot = this.slotOf(low, high);
    }
    this.put(slot, low, high);
    this.size += 1;
    return true;
  }

  public has(low: number, high: number): boolean {
    return this.taken[this.slotOf(low, high)] === 1;
  }

  /** Entries behind the freed slot move up, so that every search still finds them. */
  public delete(low: number, high: number): void {
    let free = this.slotOf(low, high);
    if (this.taken[free] === 0) {
      return;
    }
    this.size -= 1;
    for (let slot = (free + 1) & this.mask; this.taken[slot] === 1; slot = (slot + 1) & this.mask) {
      const home = this.lows[slot] & this.mask;
      if (((slot - home) & this.mask) >= ((slot - free) & this.mask)) {
        this.put(free, this.lows[slot], this.highs[slot]);
        free = slot;
      }
    }
    this.taken[free] = 0;
  }

  private put(slot: number, low: number, high: number): void {
    this.lows[slot] = low;
    this.highs[slot] = high;
    this.taken[slot] = 1;
  }

  private grow(): void {
    const { lows, highs, taken } = this;
    const length = 2 * (this.mask + 1);
    this.mask = length - 1;
    this.lows = new Int32Array(length);
    this.highs = new Int32Array(length);
    this.taken = new Uint8Array(length);
    taken.forEach((one, slot) => one === 1 && this.put(this.slotOf(lows[slot], highs[slot]), lows[slot], highs[slot]));
  }
}

/** Remembers the hashes of the last `capacity` ids: a duplicate that comes later than that is not recognised. */
export class RecentIds {
  private readonly set = new HashSet();
  private ring = new Int32Array(128);
  private count = 0;

  constructor(private readonly capacity: number) {}

  /** Whether it is not among the last ones. */
  public add(low: number, high: number): boolean {
    if (this.set.has(low, high)) {
      return false;
    }
    const at = 2 * (this.count % this.capacity);
    if (this.count >= this.capacity) {
      this.set.delete(this.ring[at], this.ring[at + 1]);
    } else if (at === this.ring.length) {
      const wider = new Int32Array(Math.min(2 * this.ring.length, 2 * this.capacity));
      wider.set(this.ring);
      this.ring = wider;
    }
    this.ring[at] = low;
    this.ring[at + 1] = high;
    this.set.add(low, high);
    this.count += 1;
    return true;
  }
}
