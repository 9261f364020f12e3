import type { Encoding } from './capture-body';

type ByEncoding = Record<Encoding, number>;

/** What was seen of capture records; those of parts of the data add up in any order. */
export class CaptureStats {
  /** Well-formed records. */
  public records = 0;
  /** Records that the sink did not want. */
  public unwanted = 0;
  /** Rows that were delivered. */
  public rows = 0;
  public withoutInput = 0;
  public withoutOutput = 0;
  /** Records by the encoding of each side. */
  public readonly input: ByEncoding = { CSV: 0, JSON: 0, BASE64: 0 };
  public readonly output: ByEncoding = { CSV: 0, JSON: 0, BASE64: 0 };

  public merge(other: Readonly<Pick<CaptureStats, 'records' | 'unwanted' | 'rows' | 'withoutInput' | 'withoutOutput' | 'input' | 'output'>>): void {
    this.records += other.records;
    this.unwanted += other.unwanted;
    this.rows += other.rows;
    this.withoutInput += other.withoutInput;
    this.withoutOutput += other.withoutOutput;
    for (const encoding of ['CSV', 'JSON', 'BASE64'] as const) {
      this.input[encoding] += other.input[encoding];
      this.output[encoding] += other.output[encoding];
    }
  }

  /** Records whose side has another encoding than most records; 0 where all agree. */
  public get inMinorityEncoding(): number {
    const minority = (counts: ByEncoding): number => {
      const all = Object.values(counts);
      return all.reduce((sum, count) => sum + count, 0) - Math.max(...all);
    };
    return Math.max(minority(this.input), minority(this.output));
  }
}
