import { parse } from 'csv-parse/sync';
import type { PermutedRowsRef } from '../../../lib/artifacts/contract';
import type { ImportanceSpec } from '../../../lib/pipeline/contract';
import { completeAll } from '../../common/s3-writer.client';
import type { S3Files } from '../../common/s3.client';
import { csvLine } from '../csv-line';
import { seeded, shuffle } from '../seeded';
import { FEWEST_SAMPLES } from './fewest-samples';

/** One seed for all runs: the same holdout gives the same rows, whichever run scores them. */
const SEED = 1;
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Samples a holdout as it comes by, and writes the sample once for each feature and repeat with that feature's values shuffled. Beside the sample it
 * keeps nothing.
 */
export class PermutedRows {
  private readonly sample: { readonly row: number; readonly line: string }[] = [];
  private readonly random = seeded(SEED);
  private rows = 0;

  /** @param features columns of a request row, in order */
  constructor(
    private readonly features: readonly string[],
    private readonly spec: ImportanceSpec,
  ) {}

  /** Takes the next row of the holdout. `line`: its line of CSV without the target, asked for where the row comes into the sample. */
  public add(line: () => string): void {
    const { sample, spec, rows } = this;
    this.rows += 1;
    if (sample.length < spec.maxSamples) {
      sample.push({ row: rows, line: line() });
      return;
    }
    // Each row so far is in the sample with the same chance (Vitter's algorithm R).
    const place = Math.floor(this.random() * this.rows);
    if (place < sample.length) sample[place] = { row: rows, line: line() };
  }

  /** Writes the rows; undefined where there are too many features for rows enough of each, and nothing is written. */
  public async keep(files: Pick<S3Files, 'writer'>, uri: string): Promise<PermutedRowsRef | undefined> {
    const planned = this.plan();
    if (!planned) return undefined;
    const { sample, repeats } = planned;
    const writer = files.writer(uri, { contentType: 'text/csv' });
    await completeAll([writer], async () => {
      for (const bytes of this.text(sample.map(({ line }) => line), repeats)) await writer.write(bytes);
    });
    return { uri, features: this.features, repeats, sample: sample.map(({ row }) => row) };
  }

  /** As many rows as may be scored; once only where repeats would leave too few. */
  private plan(): { readonly sample: PermutedRows['sample']; readonly repeats: number } | undefined {
    const { sample, features, spec } = this;
    const bytes = sample.reduce((sum, { line }) => sum + Buffer.byteLength(line) + 1, 0) / sample.length;
    const most = Math.min(spec.maximumRows, MOST_BYTES / bytes) / features.length;
    const fewest = Math.min(FEWEST_SAMPLES, sample.length);
    const repeats = Math.floor(most / spec.repeats) >= fewest ? spec.repeats : 1;
    const count = Math.min(sample.length, Math.floor(most / repeats));
    // None of no rows, or of no features, either.
    if (!(count >= Math.max(2, fewest))) return undefined;
    const kept = count === sample.length ? sample : shuffle([...sample], this.random).slice(0, count);
    return { sample: [...kept].sort((a, b) => a.row - b.row), repeats };
  }

  private *text(lines: readonly string[], repeats: number): Generator<Buffer> {
    const rows = lines.map((line) => (line.includes('"') ? (parse(line) as string[][])[0] : line.split(',')));
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (let feature = 0; feature < this.features.length; feature += 1) {
        const values = shuffle(rows.map((cells) => cells[feature]), this.random);
        yield Buffer.from(rows.map((cells, index) => `${csvLine(cells.with(feature, values[index]))}\n`).join(''));
      }
    }
  }
}
