/** Labels of one piece of memory; pieces are added, never copied. */
const CHUNK = 8192;
const FIRST_SLOTS = 1024;
/** Of the slots at most this share is taken; then half as many again are made. */
const FULLEST = 0.85;

interface Chunk {
  readonly hashes: Uint32Array;
  readonly numbers: Float64Array;
  readonly marks: Uint8Array;
}

/**
 * Labels by a 64-bit hash of inference id and row: 33 bytes a label and 5 to 7 of index. That any two of n keys share a hash has a probability of
 * about n²/2^65, 2e-7 for 3 million; that any of m rows without a label meets one of another key, n·m/2^64.
 */
export class LabelStore {
  private readonly chunks: Chunk[] = [];
  /** Number of a label plus one, 0 where free. */
  private slots = new Uint32Array(FIRST_SLOTS);
  private count = 0;
  private high = 0;
  private low = 0;

  constructor(private readonly larger: (a: number, b: number) => boolean) {}

  public get size(): number {
    return this.count;
  }

  /** Keeps the label, unless the one that is known wins. */
  public put(inferenceId: string, rowIndex: number, value: number, version: number, observedAt: number): void {
    this.hash(inferenceId, rowIndex);
    const known = this.locate();
    if (known >= 0) {
      const numbers = this.chunks[Math.floor(known / CHUNK)].numbers;
      const at = (known % CHUNK) * 3;
      if (this.wins(value, version, observedAt, numbers, at)) {
        numbers.set([value, version, observedAt], at);
      }
      return;
    }
    if (this.count + 1 > this.slots.length * FULLEST) {
      this.widen();
    }
    if (this.count === this.chunks.length * CHUNK) {
      this.chunks.push({ hashes: new Uint32Array(CHUNK * 2), numbers: new Float64Array(CHUNK * 3), marks: new Uint8Array(CHUNK) });
    }
    const { hashes, numbers } = this.chunks[this.chunks.length - 1];
    const at = this.count % CHUNK;
    hashes[at * 2] = this.high;
    hashes[at * 2 + 1] = this.low;
    numbers.set([value, version, observedAt], at * 3);
    this.place(this.count, this.high, this.slots);
    this.count += 1;
  }

  /** Number of a label, -1 where there is none. */
  public find(inferenceId: string, rowIndex: number): number {
    this.hash(inferenceId, rowIndex);
    return this.locate();
  }

  public value(label: number): number {
    return this.chunks[Math.floor(label / CHUNK)].numbers[(label % CHUNK) * 3];
  }

  public observedAt(label: number): number {
    return this.chunks[Math.floor(label / CHUNK)].numbers[(label % CHUNK) * 3 + 2];
  }

  public mark(label: number): void {
    this.chunks[Math.floor(label / CHUNK)].marks[label % CHUNK] = 1;
  }

  public unmarked(): number {
    return this.count - this.chunks.reduce((sum, { marks }) => sum + marks.reduce((own, mark) => own + mark, 0), 0);
  }

  private wins(value: number, version: number, observedAt: number, numbers: Float64Array, at: number): boolean {
    if (version !== numbers[at + 1]) {
      return version > numbers[at + 1];
    }
    return observedAt === numbers[at + 2] ? this.larger(value, numbers[at]) : observedAt > numbers[at + 2];
  }

  private locate(): number {
    const { slots, high, low } = this;
    for (let slot = slotOf(high, slots.length); slots[slot] !== 0; slot = slot + 1 === slots.length ? 0 : slot + 1) {
      const label = slots[slot] - 1;
      const { hashes } = this.chunks[Math.floor(label / CHUNK)];
      const at = (label % CHUNK) * 2;
      if (hashes[at] === high && hashes[at + 1] === low) {
        return label;
      }
    }
    return -1;
  }

  private place(label: number, high: number, slots: Uint32Array): void {
    let slot = slotOf(high, slots.length);
    while (slots[slot] !== 0) {
      slot = slot + 1 === slots.length ? 0 : slot + 1;
    }
    slots[slot] = label + 1;
  }

  private widen(): void {
    const slots = new Uint32Array(Math.ceil(this.slots.length * 1.5));
    for (let label = 0; label < this.count; label += 1) {
      this.place(label, this.chunks[Math.floor(label / CHUNK)].hashes[(label % CHUNK) * 2], slots);
    }
    this.slots = slots;
  }

  /** Two lanes of 32 bits over the UTF-16 units, crossed at the end. */
  private hash(text: string, rowIndex: number): void {
    let a = 0xdeadbeef ^ Math.imul(rowIndex + 1, 0x9e3779b1);
    let b = 0x41c6ce57 ^ Math.imul(rowIndex + 0x7f4a7c15, 0x85ebca77);
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      a = Math.imul(a ^ unit, 0x9e3779b1);
      b = Math.imul(b ^ unit, 0x5f356495);
      a ^= a >>> 15;
      b ^= b >>> 13;
    }
    a = Math.imul(a ^ (a >>> 16), 0x85ebca6b) ^ Math.imul(b ^ (b >>> 13), 0xc2b2ae35);
    b = Math.imul(b ^ (b >>> 16), 0x85ebca6b) ^ Math.imul(a ^ (a >>> 13), 0xc2b2ae35);
    this.high = (a ^ (a >>> 16)) >>> 0;
    this.low = (b ^ (b >>> 16)) >>> 0;
  }
}

/** The upper part of the hash, as a share of the slots. */
const slotOf = (high: number, slots: number): number => Math.floor((high / 0x1_0000_0000) * slots);
