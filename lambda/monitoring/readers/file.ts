import { open } from 'node:fs/promises';
import type { Chunks } from '../rows';

const CHUNK = 256 * 1024;

/** Bytes of a file from `start` on, before `end`. Each chunk is good until the next one is asked for: one piece of memory serves all. */
export async function* fileChunks(path: string, start = 0, end = Infinity): Chunks {
  const file = await open(path, 'r');
  try {
    const bytes = new Uint8Array(CHUNK);
    for (let position = start; position < end; ) {
      const { bytesRead } = await file.read(bytes, 0, Math.min(CHUNK, end - position), position);
      if (bytesRead === 0) {
        return;
      }
      position += bytesRead;
      yield bytes.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
