/** Share of the slots that is filled at most: more would make searches long, fewer the table large. */
const MOST_FILLED = 0.7;

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
    if (this.size + 1 > MOST_FILLED * (this.mask + 1)) {
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

/** Bits of an entry that say where its hash stands in the ring. */
const PLACE_BITS = 20;
const PLACES = 2 ** PLACE_BITS - 1;
const FIRST_SLOTS = 512;
const GROWTH = 4;
/** Ids that wait for their place in the table. */
const WAITING = 64;

/**
 * Remembers the hashes of the last `capacity` ids, up to 2^20: a duplicate that comes later than that is not recognised. The hashes stand in a ring
 * in the order in which they came. The table, where they are looked for, holds but 32 bits of each, so that more of it is in the processor's caches:
 * twelve bits of the hash, never all zero, and its place in the ring, where the rest is compared.
 *
 * Most ids are new. A filter, an eighth of the table, tells that of nearly all of them; they are put into the table many at a time, since waiting for
 * memory once for all of them takes a fraction of waiting for each.
 */
export class RecentIds {
  private ring = new Int32Array(FIRST_SLOTS);
  private table = new Int32Array(FIRST_SLOTS);
  /** Two bits for each id, in one word. */
  private filter = new Int32Array(FIRST_SLOTS / 8);
  private count = 0;
  /** Ids that stand in the table. */
  private settled = 0;
  private readonly touched = new Int32Array(WAITING);

  constructor(private readonly capacity: number) {
    if (capacity > PLACES + 1) {
      throw new RangeError(`the last ${capacity} ids cannot be remembered, ${PLACES + 1} can`);
    }
  }

  /** Whether it is not among the last ones. */
  public add(low: number, high: number): boolean {
    const { filter, count, capacity } = this;
    const word = low & (filter.length - 1);
    const bits = filterBits(high);
    if ((filter[word] & bits) === bits && this.holds(low, high)) {
      return false;
    }
    filter[word] |= bits;
    if (count >= capacity) {
      this.replace(low, high);
      return true;
    }
    this.ring[2 * count] = low;
    this.ring[2 * count + 1] = high;
    this.count += 1;
    if (2 * this.count >= this.table.length && this.count < capacity) {
      this.grow();
    } else if (this.count - this.settled === WAITING) {
      this.settle();
    }
    return true;
  }

  private holds(low: number, high: number): boolean {
    this.settle();
    const { table, ring } = this;
    const mask = table.length - 1;
    const tag = tagOf(high);
    let slot = low & mask;
    for (let entry = table[slot]; entry !== 0; entry = table[slot]) {
      if ((entry ^ tag) >>> PLACE_BITS === 0 && ring[2 * (entry & PLACES)] === low && ring[2 * (entry & PLACES) + 1] === high) {
        return true;
      }
      slot = (slot + 1) & mask;
    }
    return false;
  }

  /** Puts the ids that wait into the table. */
  private settle(): void {
    const { table, ring, count, settled } = this;
    const mask = table.length - 1;
    // Reading all of them first, with no branch that depends on what is read, has the memory bring them at the same time.
    for (let place = settled; place < count; place += 1) {
      this.touched[place - settled] = table[ring[2 * place] & mask];
    }
    this.settled = count;
    for (let place = settled; place < count; place += 1) {
      table[this.freeSlot(ring[2 * place])] = tagOf(ring[2 * place + 1]) | place;
    }
  }

  /** Takes the place of the oldest one. */
  private replace(low: number, high: number): void {
    this.settle();
    const { ring } = this;
    const place = this.count % this.capacity;
    this.forget(place);
    this.table[this.freeSlot(low)] = tagOf(high) | place;
    ring[2 * place] = low;
    ring[2 * place + 1] = high;
    this.count += 1;
    this.settled = this.count;
    if (place === this.capacity - 1) {
      this.fillFilter(this.capacity);
    }
  }

  /** Ids that were forgotten leave the filter only when it is made anew. */
  private fillFilter(ids: number): void {
    const { filter, ring } = this;
    filter.fill(0);
    for (let place = 0; place < ids; place += 1) {
      filter[ring[2 * place] & (filter.length - 1)] |= filterBits(ring[2 * place + 1]);
    }
  }

  private freeSlot(low: number): number {
    const mask = this.table.length - 1;
    let slot = low & mask;
    while (this.table[slot] !== 0) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** Entries behind the freed slot move up, so that every search still finds them. */
  private forget(place: number): void {
    const { table, ring } = this;
    const mask = table.length - 1;
    let free = ring[2 * place] & mask;
    while ((table[free] & PLACES) !== place) {
      free = (free + 1) & mask;
    }
    for (let slot = (free + 1) & mask; table[slot] !== 0; slot = (slot + 1) & mask) {
      const home = ring[2 * (table[slot] & PLACES)] & mask;
      if (((slot - home) & mask) >= ((slot - free) & mask)) {
        table[free] = table[slot];
        free = slot;
      }
    }
    table[free] = 0;
  }

  private grow(): void {
    const ring = new Int32Array(GROWTH * this.ring.length);
    ring.set(this.ring);
    this.ring = ring;
    this.table = new Int32Array(GROWTH * this.table.length);
    this.filter = new Int32Array(GROWTH * this.filter.length);
    const { count } = this;
    this.fillFilter(count);
    this.settled = 0;
    for (let settled = WAITING; settled < count; settled += WAITING) {
      this.count = settled;
      this.settle();
    }
    this.count = count;
    this.settle();
  }
}

const filterBits = (high: number): number => (1 << high) | (1 << (high >>> 5));

const tagOf = (high: number): number => (high >>> PLACE_BITS === 0 ? 1 << PLACE_BITS : high & ~PLACES);
