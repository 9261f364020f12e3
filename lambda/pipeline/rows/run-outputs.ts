import type { RowKeysRef } from '../../../lib/artifacts/contract';
import type { PipelineSpec } from '../../../lib/pipeline/contract';
import { completeAll, type S3Writer } from '../../common/s3-writer.client';
import type { S3Files } from '../../common/s3.client';
import { readCategory } from '../../monitoring/values';
import { csvLine } from '../csv-line';
import type { PermutedRows } from '../importance/permuted-rows';
import { KeyFile } from './key-file';
import type { RunRows } from './run-rows';
import type { SortedRow } from './sorted-rows';

const COMMA = 44;
const NEWLINE = 10;
const [YES, NO] = [Buffer.from('1'), Buffer.from('0')];

export interface OutputUris {
  readonly trainUri: string;
  readonly rowKeysUri: string;
  readonly holdoutUri: string;
  readonly holdoutFeaturesUri: string;
  readonly targetFirstUri: string;
}

/** Writes what training, scoring and evaluation read of a run's rows, all of them in one go. */
export class RunOutputs {
  /** Numbers of the labels of training rows, in the order in which they come. */
  readonly labels = new Set<number>();
  private readonly train: S3Writer;
  private readonly targetFirst?: S3Writer;
  private readonly holdout: S3Writer;
  private readonly features: S3Writer;
  private readonly keyFile: S3Writer;
  private readonly positive?: number;
  private readonly scratch = new Line();

  constructor(
    files: S3Files,
    private readonly uris: OutputUris,
    private readonly rows: RunRows,
    private readonly keys: KeyFile,
    { task, training }: Pick<PipelineSpec, 'task' | 'training'>,
    private readonly permuted?: PermutedRows,
  ) {
    const csv = (uri: string): S3Writer => files.writer(uri, { contentType: 'text/csv' });
    this.train = csv(uris.trainUri);
    this.holdout = csv(uris.holdoutUri);
    this.features = csv(uris.holdoutFeaturesUri);
    this.keyFile = files.writer(uris.rowKeysUri, { contentType: 'application/octet-stream' });
    if (training.targetFirst) this.targetFirst = csv(uris.targetFirstUri);
    if (task.kind === 'BINARY_CLASSIFICATION') this.positive = rows.labels.indexOf(readCategory(task.positiveLabel ?? '') ?? '');
  }

  /**
   * @param start time of the first row of the holdout
   * @param check asked once all rows have gone by; what it throws leaves nothing behind
   */
  async write(start: number, check: () => void): Promise<RowKeysRef> {
    const { train, holdout, features, keyFile, targetFirst, keys } = this;
    const writers = [train, keyFile, holdout, features, ...(targetFirst ? [targetFirst] : [])];
    await completeAll(writers, async () => {
      const header = Buffer.from(`${csvLine(this.rows.names)}\n`);
      for (const writer of [train, holdout]) await writer.write(header);
      await this.rows.sorted.each((row) => (row.time < start ? this.inTraining(row) : this.heldOut(row)));
      check();
      for (const bytes of keys.bytes()) await keyFile.write(bytes);
    });
    return { uri: this.uris.rowKeysUri, columns: this.rows.keyColumns, rows: keys.count };
  }

  private inTraining(row: SortedRow): Promise<void> | undefined {
    this.labels.add(row.label);
    this.keys.add(row.keyLow, row.keyHigh);
    const busy = this.train.write(row.bytes, row.from, row.to + 1);
    if (!this.targetFirst) return busy;
    const { scratch } = this;
    scratch.clear();
    if (this.positive === undefined) scratch.add(row.bytes, row.targetFrom, row.targetTo);
    else scratch.add(row.label === this.positive ? YES : NO);
    scratch.addWithoutTarget(row, true);
    return both(busy, this.targetFirst.write(scratch.bytes, 0, scratch.length));
  }

  private heldOut(row: SortedRow): Promise<void> | undefined {
    const { scratch } = this;
    scratch.clear();
    scratch.addWithoutTarget(row, false);
    this.permuted?.add(() => scratch.bytes.toString('utf8', 0, scratch.length - 1));
    return both(this.holdout.write(row.bytes, row.from, row.to + 1), this.features.write(scratch.bytes, 0, scratch.length));
  }
}

const both = (a: Promise<void> | undefined, b: Promise<void> | undefined): Promise<void> | undefined =>
  a && b ? Promise.all([a, b]).then(() => undefined) : (a ?? b);

/** A line that is put together of parts of others. */
class Line {
  bytes = Buffer.allocUnsafe(1024);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  add(bytes: Buffer, from = 0, to = bytes.length): void {
    if (this.length + to - from > this.bytes.length) this.bytes = Buffer.concat([this.bytes, Buffer.allocUnsafe(this.length + to - from)]);
    bytes.copy(this.bytes, this.length, from, to);
    this.length += to - from;
  }

  /** All fields of a row but the target, and its end. */
  addWithoutTarget({ bytes, from, to, targetFrom, targetTo }: SortedRow, follows: boolean): void {
    const [isFirst, isLast] = [targetFrom === from, targetTo === to];
    if (follows && !(isFirst && isLast)) this.add(SEPARATOR);
    // One of the commas around it goes with it.
    if (!isFirst) this.add(bytes, from, targetFrom - 1);
    const rest = isFirst && !isLast ? targetTo + 1 : targetTo;
    this.add(bytes, rest, to);
    this.add(END);
  }
}

const SEPARATOR = Buffer.of(COMMA);
const END = Buffer.of(NEWLINE);
