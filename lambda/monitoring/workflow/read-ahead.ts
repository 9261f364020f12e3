import { type MonitorClient, SOURCE_CHANGED } from '../monitor.client';
import type { Chunks } from '../rows';
import type { SourceObject } from './sources';

const OBJECTS_IN_FLIGHT = 16;
const BYTES_IN_FLIGHT = 32 * 1024 * 1024;
/** Larger objects are streamed when their turn comes: fetching them takes longer than waiting for the first byte. */
const LARGEST_AHEAD = 4 * 1024 * 1024;

/** Fetches small objects before their turn, bounded by number and bytes: waiting for one after the other would take longer than all the rest. */
export class ReadAhead<T extends Pick<SourceObject, 'bytes'> = SourceObject> {
  private readonly fetched = new Map<number, Promise<Uint8Array[]>>();
  private next = 0;
  private bytes = 0;

  constructor(
    private readonly objects: readonly T[],
    private readonly open: (object: T) => Chunks,
  ) {}

  /** The bytes of the object in this place; places are asked for in their order. */
  public async *chunks(index: number): Chunks {
    this.fill(index);
    const fetching = this.fetched.get(index);
    if (fetching === undefined) {
      yield* this.open(this.objects[index]);
      return;
    }
    try {
      yield* await fetching;
    } finally {
      this.fetched.delete(index);
      this.bytes -= this.objects[index].bytes;
    }
  }

  private fill(index: number): void {
    this.next = Math.max(this.next, index);
    while (this.next < this.objects.length && this.fetched.size < OBJECTS_IN_FLIGHT) {
      const object = this.objects[this.next];
      if (object.bytes <= LARGEST_AHEAD) {
        if (this.bytes + object.bytes > BYTES_IN_FLIGHT) return;
        const fetching = collect(this.open(object));
        // The error is thrown where the bytes are asked for; until then it must not count as unhandled.
        fetching.catch(() => undefined);
        this.fetched.set(this.next, fetching);
        this.bytes += object.bytes;
      }
      this.next += 1;
    }
  }
}

async function collect(chunks: Chunks): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return parts;
}

const TRIES = 3;

/** Reads an object that may be overwritten meanwhile: then in its new version, and not at all where it was deleted. Nothing was delivered before. */
export async function readAsItIs(
  client: Pick<MonitorClient, 'current'>,
  listed: SourceObject,
  read: (object: SourceObject) => Promise<void>,
): Promise<SourceObject | undefined> {
  let object: SourceObject | undefined = listed;
  for (let attempt = 1; object !== undefined; attempt += 1) {
    try {
      await read(object);
      return object;
    } catch (error) {
      if ((error as Error).name !== SOURCE_CHANGED || attempt === TRIES) throw error;
      object = await client.current(object);
    }
  }
  return undefined;
}
