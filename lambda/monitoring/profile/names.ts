import { hashText } from './hash';

/** Names that a profile keeps of what a shape does not list. */
export const UNLISTED_NAMES = 1000;
/** Longer names are cut: a field of megabytes is no category. */
const LONGEST_NAME = 128;

/**
 * Counts names in bounded space, with the same result for any order and any parts: up to `limit` names all are kept; of more, those whose hash is
 * lowest. A name that is kept was never dropped before, so its count is exact; which ones are kept has nothing to do with their order.
 */
export class NameCounts {
  private readonly counts = new Map<string, number>();
  private bound = Infinity;

  constructor(private readonly limit = UNLISTED_NAMES) {}

  public add(name: string, count = 1): void {
    const kept = name.length > LONGEST_NAME ? name.slice(0, LONGEST_NAME) : name;
    const known = this.counts.get(kept);
    if (known !== undefined) {
      this.counts.set(kept, known + count);
    } else if (this.bound === Infinity || hashText(kept) <= this.bound) {
      this.counts.set(kept, count);
      if (this.counts.size >= 2 * this.limit) {
        this.prune();
      }
    }
  }

  private prune(): void {
    if (this.counts.size <= this.limit) {
      return;
    }
    const hashed = [...this.counts.keys()].map((name) => ({ name, hash: hashText(name) }));
    const ordered = hashed.sort((a, b) => a.hash - b.hash || (a.name < b.name ? -1 : 1));
    this.bound = ordered[this.limit - 1].hash;
    ordered.slice(this.limit).forEach(({ name }) => this.counts.delete(name));
  }

  /** Sorted by name; undefined where there is none. */
  public toRecord(): Record<string, number> | undefined {
    this.prune();
    return this.counts.size === 0 ? undefined : Object.fromEntries([...this.counts].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** Commonest first. */
export const ranked = (names: Readonly<Record<string, number>> | undefined): string[] =>
  Object.entries(names ?? {})
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([name]) => name);
