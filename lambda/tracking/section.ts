import { inPieces, pack, Packed, packedBytes, unpack } from '../common/packed';

/** Where the part of a section that its row has no room for stands: bucket to revision of the row, number of pieces, bytes. */
export interface Outside {
  /** Nothing stands in the row any more. */
  moved?: boolean;
  buckets: Record<string, readonly [revision: number, pieces: number, bytes: number]>;
}

/** A piece of a bucket, to be written under the revision of the row that names it. */
export interface Piece {
  readonly n: number;
  readonly revision: number;
  readonly packed: Packed;
}

export const BUCKETS = 16;
const PIECES_PER_BUCKET = 1_000;
const PIECE_BYTES = 350 * 1_024;
const VALUE_CHARACTERS = 2_048;

/** FNV-1a: which bucket a key belongs to. Items are found by it, so it never changes. */
export const bucketOf = (key: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % BUCKETS;
};

export const bucketOfPiece = (n: number): number => Math.floor(n / PIECES_PER_BUCKET);

/**
 * Values by key that belong to a row. Small ones stand in the row while they fit into its share; the others in buckets by key, so that a change
 * rewrites one bucket and not all of them. Whoever reads a key has its bucket loaded before.
 */
export class Section<V> {
  private readonly inRow: Map<string, V>;
  private readonly loaded = new Map<number, Map<string, V>>();
  private readonly dirty = new Set<number>();
  private rowChanged = false;

  /** @param share bytes that the section may take in its row */
  constructor(
    private readonly share: number,
    private packed: Packed | undefined,
    public readonly outside: Outside = { buckets: {} },
  ) {
    this.inRow = new Map(packed === undefined ? [] : Object.entries(unpack<Record<string, V>>(packed)));
  }

  public get changed(): boolean {
    return this.rowChanged || this.dirty.size > 0;
  }

  /** Compressed bytes outside of the row, as of the last `write`. */
  public get bytesOutside(): number {
    return Object.values(this.outside.buckets).reduce((sum, [, , bytes]) => sum + bytes, 0);
  }

  /** Buckets to load before these keys (all, where left out) can be read or set. */
  public missing(keys?: Iterable<string>): number[] {
    const wanted = keys === undefined ? Object.keys(this.outside.buckets).map(Number) : [...keys].map(bucketOf);
    return [...new Set(wanted)].filter((bucket) => this.outside.buckets[bucket] !== undefined && !this.loaded.has(bucket));
  }

  public load(bucket: number, packed: Packed): void {
    this.loaded.set(bucket, new Map(Object.entries(unpack<Record<string, V>>(packed))));
  }

  public get(key: string): V | undefined {
    return this.inRow.get(key) ?? this.loaded.get(bucketOf(key))?.get(key);
  }

  public set(key: string, value: V): void {
    if (!this.outside.moved && JSON.stringify(value).length <= VALUE_CHARACTERS) {
      if (this.loaded.get(bucketOf(key))?.delete(key)) this.dirty.add(bucketOf(key));
      this.inRow.set(key, value);
      this.rowChanged = true;
    } else {
      if (this.inRow.delete(key)) this.rowChanged = true;
      this.put(key, value);
    }
  }

  public delete(key: string): boolean {
    if (this.inRow.delete(key)) return (this.rowChanged = true);
    const found = this.loaded.get(bucketOf(key))?.delete(key) ?? false;
    if (found) this.dirty.add(bucketOf(key));
    return found;
  }

  /** Every value; all buckets are loaded before. */
  public all(): Record<string, V> {
    return Object.fromEntries([...this.inRow, ...[...this.loaded.values()].flatMap((values) => [...values])]);
  }

  /** Whether the row's share is exceeded, so that everything has to move out; all buckets are loaded before. */
  public overflows(): boolean {
    if (!this.rowChanged) return false;
    this.packed = this.inRow.size === 0 ? undefined : pack(Object.fromEntries(this.inRow));
    return this.packed !== undefined && packedBytes(this.packed) > this.share;
  }

  public moveOut(): void {
    for (const [key, value] of this.inRow) this.put(key, value);
    this.inRow.clear();
    this.packed = undefined;
    this.outside.moved = true;
  }

  /** What stands in the row, and the pieces of the buckets that changed. */
  public write(revision: number): { readonly packed?: Packed; readonly pieces: readonly Piece[] } {
    const pieces = [...this.dirty].flatMap((bucket) => {
      const packed = pack(Object.fromEntries(this.loaded.get(bucket) ?? []));
      const parts = inPieces(packed, PIECE_BYTES);
      this.outside.buckets[bucket] = [revision, parts.length, packedBytes(packed)];
      return parts.map((part, index) => ({ n: bucket * PIECES_PER_BUCKET + index, revision, packed: part }));
    });
    return { packed: this.packed, pieces };
  }

  private put(key: string, value: V): void {
    const bucket = bucketOf(key);
    if (!this.loaded.has(bucket)) this.loaded.set(bucket, new Map());
    this.loaded.get(bucket)!.set(key, value);
    this.dirty.add(bucket);
  }
}
