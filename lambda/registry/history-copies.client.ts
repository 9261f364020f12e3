import { HistoryEntry, LOCK_KEYS } from '../../lib/registry/contract';
import { S3Files } from '../common/s3.client';
import { HistoryCopies } from './registry-audit';

const READ_AT_ONCE = 16;

/** Locked copies of the history in their bucket. */
export class HistoryCopiesClient implements HistoryCopies {
  constructor(
    private readonly bucket: string,
    private readonly files: S3Files = new S3Files(),
  ) {}

  public async *entries(modelId: string): AsyncGenerator<HistoryEntry> {
    let reading: Promise<HistoryEntry>[] = [];
    for await (const { uri } of this.files.list(`s3://${this.bucket}/${LOCK_KEYS.model(modelId)}`)) {
      reading.push(this.files.readJson<HistoryEntry>(uri));
      if (reading.length < READ_AT_ONCE) continue;
      yield* await Promise.all(reading);
      reading = [];
    }
    yield* await Promise.all(reading);
  }
}
