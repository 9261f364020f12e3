/** Set of 64-bit hashes in one array, without objects. */
export class HashSet {
  /** Pairs of halves; the pair of zeros is a free slot. */
  private slots: Int32Array;
  private mask: number;
  public size = 0;

  constructor(expected = 64) {
    this.mask = 2 ** Math.ceil(Math.log2(2 * expected)) - 1;
    this.slots = new Int32Array(2 * (this.mask + 1));
  }

  /** Place of the hash, or the free one where it belongs. */
  private find(low: number, high: number): number {
    const { slots, mask } = this;
    let slot = low & mask;
    while ((slots[2 * slot] !== low || slots[2 * slot + 1] !== high) && (slots[2 * slot] !== 0 || slots[2 * slot + 1] !== 0)) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  private isFree(slot: number): boolean {
    return this.slots[2 * slot] === 0 && this.slots[2 * slot + 1] === 0;
  }

  /** Whether it was not there before. Hashes are signed 32-bit halves. */
  public add(low: number, half: number): boolean {
    const high = nonZero(low, half);
    let slot = this.find(low, high);
    if (!this.isFree(slot)) {
      return false;
    }
    if (2 * (this.size + 1) > this.mask + 1) {
      this.grow();
      slot = this.find(low, high);
    }
    this.put(slot, low, high);
    this.size += 1;
    return true;
  }

  public has(low: number, half: number): boolean {
    return !this.isFree(this.find(low, nonZero(low, half)));
  }

  /** Entries behind the freed slot move up, so that every search still finds them. */
  public delete(low: number, half: number): void {
    let free = this.find(low, nonZero(low, half));
    if (this.isFree(free)) {
      return;
    }
    this.size -= 1;
    for (let slot = (free + 1) & this.mask; !this.isFree(slot); slot = (slot + 1) & this.mask) {
      const home = this.slots[2 * slot] & this.mask;
      if (((slot - home) & this.mask) >= ((slot - free) & this.mask)) {
        this.put(free, this.slots[2 * slot], this.slots[2 * slot + 1]);
        free = slot;
      }
    }
    this.put(free, 0, 0);
  }

  private put(slot: number, low: number, high: number): void {
    this.slots[2 * slot] = low;
    this.slots[2 * slot + 1] = high;
  }

  private grow(): void {
    const { slots } = this;
    this.mask = 2 * this.mask + 1;
    this.slots = new Int32Array(2 * (this.mask + 1));
    for (let at = 0; at < slots.length; at += 2) {
      if (slots[at] !== 0 || slots[at + 1] !== 0) {
        this.put(this.find(slots[at], slots[at + 1]), slots[at], slots[at + 1]);
      }
    }
  }
}

const nonZero = (low: number, high: number): number => (low === 0 && high === 0 ? 1 : high);

/** Remembers the hashes of the last `capacity` ids: a duplicate that comes later than that is not recognised. */
export class RecentIds {
  private readonly set = new HashSet();
  private ring = new Int32Array(128);
  private count = 0;

  constructor(private readonly capacity: number) {}

  /** Whether it is not among the last ones. */
  public add(low: number, high: number): boolean {
    if (!this.set.add(low, high)) {
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
    this.count += 1;
    return true;
  }
}
