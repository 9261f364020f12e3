interface Cause {
  count: number;
  sample: string;
}

/** Causes that are kept apart; what comes beyond them is counted together. */
const MOST_CAUSES = 100;
const OTHER_CAUSES = 'other';
/** Characters of a sample, which may name a place by a long key. */
const LONGEST_SAMPLE = 500;

/** Lines and rows that could not be used, counted by cause, each with the place of the first one; no content, which may be personal data. */
export class Rejections {
  private readonly byCause = new Map<string, Cause>();

  /** `count` lines or rows at once, the first of them at `where`. */
  public add(cause: string, where: string, why: string, count = 1): void {
    const entry = this.byCause.get(cause);
    if (entry !== undefined) {
      entry.count += count;
    } else if (this.byCause.size < MOST_CAUSES || cause === OTHER_CAUSES) {
      this.byCause.set(cause, { count, sample: `${where}: ${why}`.slice(0, LONGEST_SAMPLE) });
    } else {
      this.add(OTHER_CAUSES, where, why, count);
    }
  }

  /** Adds those of another part of the data; a cause keeps the sample that sorts first, so that the order of merges does not matter. */
  public merge(counts: Readonly<Record<string, number>>, samples: Readonly<Record<string, string>>): void {
    for (const [cause, count] of Object.entries(counts)) {
      const sample = samples[cause] ?? '';
      const entry = this.byCause.get(cause);
      this.byCause.set(cause, { count: count + (entry?.count ?? 0), sample: entry === undefined || sample < entry.sample ? sample : entry.sample });
    }
  }

  public get total(): number {
    return [...this.byCause.values()].reduce((sum, { count }) => sum + count, 0);
  }

  public counts(): Record<string, number> {
    return Object.fromEntries([...this.byCause].map(([cause, { count }]) => [cause, count]));
  }

  public samples(): Record<string, string> {
    return Object.fromEntries([...this.byCause].map(([cause, { sample }]) => [cause, sample]));
  }
}
