import { S3Client } from '@aws-sdk/client-s3';
import { completeAll, S3Writer } from './s3-writer.client';

/** Writes objects of any size to S3, with no more than two parts of one in memory. */
export class S3Uploads {
  constructor(private readonly client: S3Client = new S3Client({})) {}

  async put(uri: string, content: AsyncIterable<Buffer>): Promise<void> {
    const writer = new S3Writer(this.client, uri);
    await completeAll([writer], async () => {
      for await (const chunk of content) await writer.write(chunk);
    });
  }
}
