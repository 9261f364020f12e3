/** Small whole numbers in few bytes, for what is stored of profiles. */

const SAFE = Number.MAX_SAFE_INTEGER;
const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export class ByteWriter {
  private bytes = new Uint8Array(4096);
  private length = 0;

  private reserve(more: number): void {
    if (this.length + more > this.bytes.length) {
      const grown = new Uint8Array(2 * (this.length + more));
      grown.set(this.bytes);
      this.bytes = grown;
    }
  }

  public byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length] = value;
    this.length += 1;
  }

  /** A whole number from 0 to 2^53 - 1: seven bits a byte, lowest first. */
  public whole(value: number): void {
    if (!(value >= 0 && value <= SAFE && Math.floor(value) === value)) {
      throw new Error(`${value} is no whole number that can be stored exactly`);
    }
    this.reserve(8);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length] = (rest % 128) + 128;
      this.length += 1;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length] = rest;
    this.length += 1;
  }

  /** A whole number of either sign, up to 2^52. */
  public signed(value: number): void {
    this.whole(value < 0 ? -2 * value - 1 : 2 * value);
  }

  public double(value: number): void {
    this.reserve(8);
    new DataView(this.bytes.buffer).setFloat64(this.length, value, true);
    this.length += 8;
  }

  public raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  public text(text: string): void {
    const bytes = encoder.encode(text);
    this.whole(bytes.length);
    this.raw(bytes);
  }

  public done(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Reads what a `ByteWriter` wrote; bytes that end too early are an error, not zeros. */
export class ByteReader {
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly what: string,
  ) {}

  private take(count: number): number {
    const from = this.at;
    if (!(from + count <= this.bytes.length)) {
      throw new Error(`${this.what} ends after ${this.bytes.length} bytes: it is cut off or not of this kind`);
    }
    this.at += count;
    return from;
  }

  public byte(): number {
    return this.bytes[this.take(1)];
  }

  public whole(): number {
    let value = 0;
    for (let weight = 1; weight <= SAFE; weight *= 128) {
      const byte = this.byte();
      value += (byte % 128) * weight;
      if (byte < 128) {
        return value;
      }
    }
    throw new Error(`${this.what} holds a number above 2^53: it is damaged`);
  }

  public signed(): number {
    const value = this.whole();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  public double(): number {
    const from = this.take(8);
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + from, 8).getFloat64(0, true);
  }

  public raw(count: number): Uint8Array {
    const from = this.take(count);
    return this.bytes.subarray(from, from + count);
  }

  public text(): string {
    return decoder.decode(this.raw(this.whole()));
  }

  public end(): void {
    if (this.at !== this.bytes.length) {
      throw new Error(`${this.what} has ${this.bytes.length - this.at} bytes too many: it is damaged`);
    }
  }
}
