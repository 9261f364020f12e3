/** The widest index into a dictionary that is read: its 16 million values would not fit the bound. */
const WIDEST = 24;

/**
 * Small numbers as Parquet packs levels and indexes: runs of one value, and groups of eight that take `width` bits each. Fills `output`, whatever the
 * runs say; throws where they end before.
 */
export function readRuns(bytes: Uint8Array, from: number, to: number, width: number, output: Uint8Array | Uint32Array): void {
  if (width > WIDEST) {
    throw new Error(`an index of ${width} bits is too wide`);
  }
  if (width === 0) {
    output.fill(0);
  }
  let at = from;
  for (let filled = width === 0 ? output.length : 0; filled < output.length; ) {
    let header = 0;
    for (let shift = 0, more = true; more; at += 1, shift += 7) {
      if (at >= to || shift > 28) {
        throw new Error('a page ends within its levels or indexes');
      }
      header += (bytes[at] & 127) * 2 ** shift;
      more = bytes[at] > 127;
    }
    const isPacked = header % 2 === 1;
    const length = Math.floor(header / 2) * (isPacked ? 8 : 1);
    const end = Math.min(output.length, filled + length);
    const size = isPacked ? Math.ceil(((end - filled) * width) / 8) : Math.ceil(width / 8);
    if (at + size > to) {
      throw new Error('a page ends within its levels or indexes');
    }
    if (isPacked) {
      unpack(bytes, at, width, output, filled, end);
      at += (length * width) / 8;
    } else {
      let value = 0;
      for (let byte = 0; byte < size; byte += 1) {
        value |= bytes[at + byte] << (8 * byte);
      }
      output.fill(value, filled, end);
      at += size;
    }
    filled = end;
  }
}

function unpack(bytes: Uint8Array, from: number, width: number, output: Uint8Array | Uint32Array, first: number, end: number): void {
  const mask = 2 ** width - 1;
  let at = from;
  let bits = 0;
  let held = 0;
  for (let index = first; index < end; index += 1) {
    while (held < width) {
      bits |= bytes[at] << held;
      at += 1;
      held += 8;
    }
    output[index] = bits & mask;
    bits >>>= width;
    held -= width;
  }
}
