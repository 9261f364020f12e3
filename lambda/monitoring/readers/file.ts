import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { Chunks } from '../rows';

/** Fits the cache of a core, where the bytes are as they are read. */
const CHUNK = 128 * 1024;
const CHUNKS_IN_A_ROW = 64;

/**
 * Bytes of a file from `start` on, before `end`. Each chunk is good until the next one is asked for: one piece of memory serves all. Reads wait for
 * the disk, which costs less than half of what handing them to another thread does; timers and streams get their turn in between.
 */
export async function* fileChunks(path: string, start = 0, end = Infinity): Chunks {
  const file = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(CHUNK);
    let chunks = 0;
    for (let position = start; position < end; ) {
      const length = readSync(file, bytes, 0, Math.min(CHUNK, end - position), position);
      if (length === 0) {
        return;
      }
      position += length;
      yield bytes.subarray(0, length);
      chunks += 1;
      if (chunks % CHUNKS_IN_A_ROW === 0) {
        await setImmediate();
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Any parts of an object or file. */
export interface FileParts {
  readonly byteLength: number;
  /** Bytes from `start` on, before `end`. */
  slice(start: number, end?: number): Promise<ArrayBuffer>;
  /** Bytes from `start` on into memory that is there, where asking often costs little; answers how many there were. */
  readonly read?: (into: Uint8Array, start: number) => Promise<number>;
}

/** Parts of a file on this machine. */
export function fileParts(path: string): FileParts {
  const byteLength = statSync(path).size;
  const read = async (into: Uint8Array, start: number): Promise<number> => {
    const file = openSync(path, 'r');
    try {
      return readSync(file, into, 0, into.length, start);
    } finally {
      closeSync(file);
    }
  };
  const slice = async (start: number, end = byteLength): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(end - start);
    const length = await read(bytes, start);
    return length === bytes.length ? bytes.buffer : bytes.buffer.slice(0, length);
  };
  return { byteLength, slice, read };
}
