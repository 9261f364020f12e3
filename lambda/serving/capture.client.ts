import { FirehoseClient, PutRecordCommand } from '@aws-sdk/client-firehose';
import { capturePrefix, hourPath } from '../../lib/artifacts/contract';
import { type CaptureRecord, VARIANT_NAME } from '../../lib/serving/contract';
import { S3Files } from '../common/s3.client';

/** Firehose takes no record above 1,000 KiB. */
const LARGEST_RECORD = 1_024_000;

/** Writes capture records: through Firehose, which gathers many of them in one object, or alone where one is too large for that. */
export class CaptureClient {
  constructor(
    private readonly target: { readonly deliveryStream: string; readonly bucket: string; readonly endpointName: string },
    private readonly firehose: FirehoseClient = new FirehoseClient({}),
    private readonly files: S3Files = new S3Files(),
  ) {}

  async put(record: CaptureRecord): Promise<void> {
    const line = Buffer.from(`${JSON.stringify(record)}\n`);
    if (line.length > LARGEST_RECORD) {
      await this.files.put(this.uriOf(record), line, { contentType: 'application/jsonlines' });
      return;
    }
    await this.firehose.send(new PutRecordCommand({ DeliveryStreamName: this.target.deliveryStream, Record: { Data: line } }));
  }

  private uriOf({ eventMetadata }: CaptureRecord): string {
    const hour = hourPath(new Date(eventMetadata.inferenceTime));
    return `s3://${this.target.bucket}/${capturePrefix(this.target.endpointName, VARIANT_NAME)}${hour}/${eventMetadata.eventId}.jsonl`;
  }
}
