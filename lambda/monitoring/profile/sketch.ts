/** HyperLogLog: estimates how many distinct values were seen; sketches of any parts merge to the sketch of the whole. */

const INDEX_BITS = 11;
const REGISTERS = 1 << INDEX_BITS;
const WIDTH = 6;
const PACKED = (REGISTERS * WIDTH) / 8;

/** Standard error of an estimate, relative to it. */
export const SKETCH_ERROR = 1.04 / Math.sqrt(REGISTERS);

export class Sketch {
  /** Largest rank per register; public so that counters can fill it in their inner loop with `sketchIndex` and `sketchRank`. */
  public readonly registers = new Uint8Array(REGISTERS);

  public add(hash: number): void {
    const index = sketchIndex(hash);
    const rank = sketchRank(hash);
    if (this.registers[index] < rank) {
      this.registers[index] = rank;
    }
  }

  public merge(other: Sketch): void {
    for (let index = 0; index < REGISTERS; index += 1) {
      this.registers[index] = Math.max(this.registers[index], other.registers[index]);
    }
  }

  public get isEmpty(): boolean {
    return this.registers.every((rank) => rank === 0);
  }

  public estimate(): number {
    let sum = 0;
    let empty = 0;
    for (let register = 0; register < REGISTERS; register += 1) {
      const rank = this.registers[register];
      sum += 2 ** -rank;
      empty += rank === 0 ? 1 : 0;
    }
    const raw = ((0.7213 / (1 + 1.079 / REGISTERS)) * REGISTERS ** 2) / sum;
    if (raw <= 2.5 * REGISTERS && empty > 0) {
      return Math.round(REGISTERS * Math.log(REGISTERS / empty));
    }
    // Hashes have 32 bits: so many values that hashes collide are counted too low without this.
    return Math.round(raw <= 2 ** 32 / 30 ? raw : -(2 ** 32) * Math.log(1 - Math.min(raw / 2 ** 32, 1 - 2 ** -32)));
  }

  /** Six bits a register. */
  public pack(): Uint8Array {
    const { registers } = this;
    const packed = new Uint8Array(PACKED);
    for (let register = 0, at = 0; register < REGISTERS; register += 4, at += 3) {
      const second = registers[register + 1];
      const third = registers[register + 2];
      packed[at] = (registers[register] << 2) | (second >> 4);
      packed[at + 1] = (second << 4) | (third >> 2);
      packed[at + 2] = (third << 6) | registers[register + 3];
    }
    return packed;
  }

  public static unpack(packed: Uint8Array): Sketch {
    if (packed.length !== PACKED) {
      throw new Error(`a sketch of ${packed.length} bytes: it must have ${PACKED}`);
    }
    const sketch = new Sketch();
    const { registers } = sketch;
    for (let register = 0, at = 0; register < REGISTERS; register += 4, at += 3) {
      registers[register] = packed[at] >> 2;
      registers[register + 1] = ((packed[at] & 3) << 4) | (packed[at + 1] >> 4);
      registers[register + 2] = ((packed[at + 1] & 15) << 2) | (packed[at + 2] >> 6);
      registers[register + 3] = packed[at + 2] & 63;
    }
    return sketch;
  }

  public toText(): string {
    return Buffer.from(this.pack()).toString('base64');
  }

  public static fromText(text: string): Sketch {
    return Sketch.unpack(Buffer.from(text, 'base64'));
  }
}

export const sketchIndex = (hash: number): number => hash >>> (32 - INDEX_BITS);
export const sketchRank = (hash: number): number => Math.clz32((hash << INDEX_BITS) | (1 << (INDEX_BITS - 1))) + 1;

/** Distinct values that a base64 sketch stands for. */
export const estimateDistinct = (sketch: string): number => Sketch.fromText(sketch).estimate();
