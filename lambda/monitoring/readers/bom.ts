import type { Chunks } from '../rows';

const BOM = [0xef, 0xbb, 0xbf];

/** The bytes without the byte order mark of UTF-8, should they begin with one. */
export async function* withoutBom(chunks: Chunks): Chunks {
  let held: number[] | undefined = [];
  for await (const chunk of chunks) {
    if (held === undefined) {
      yield chunk;
      continue;
    }
    let index = 0;
    while (index < chunk.length && held.length < BOM.length && chunk[index] === BOM[held.length]) {
      held.push(chunk[index]);
      index += 1;
    }
    const isMark = held.length === BOM.length;
    if (isMark || index < chunk.length) {
      if (!isMark && held.length > index) {
        yield Uint8Array.from(held.slice(0, held.length - index));
      }
      held = undefined;
      yield isMark ? chunk.subarray(index) : chunk;
    }
  }
  if (held !== undefined && held.length > 0) {
    yield Uint8Array.from(held);
  }
}
