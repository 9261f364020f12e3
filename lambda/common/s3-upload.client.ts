import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { parseS3Uri } from './s3-uri';

/** S3 takes parts from 5 MiB, 10,000 of them. */
const PART = 8 * 1024 * 1024;

/** Writes objects of any size to S3, with no more than a part of one in memory. */
export class S3Uploads {
  constructor(private readonly client: S3Client = new S3Client({})) {}

  async put(uri: string, content: AsyncIterable<Buffer>): Promise<void> {
    const { bucket: Bucket, key: Key } = parseS3Uri(uri);
    const parts = inParts(content);
    const first = await parts.next();
    const second = await parts.next();
    if (second.done) {
      await this.client.send(new PutObjectCommand({ Bucket, Key, Body: first.value ?? Buffer.alloc(0) }));
      return;
    }
    const { UploadId } = await this.client.send(new CreateMultipartUploadCommand({ Bucket, Key }));
    try {
      const Parts: CompletedPart[] = [];
      const send = async (Body: Buffer): Promise<void> => {
        const PartNumber = Parts.length + 1;
        const { ETag } = await this.client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
        Parts.push({ PartNumber, ETag });
      };
      await send(first.value as Buffer);
      await send(second.value);
      for await (const part of parts) await send(part);
      await this.client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
    } catch (error) {
      await this.client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId })).catch(() => undefined);
      throw error;
    }
  }
}

async function* inParts(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    chunks.push(chunk);
    bytes += chunk.length;
    while (bytes >= PART) {
      const all = Buffer.concat(chunks);
      yield all.subarray(0, PART);
      chunks = [all.subarray(PART)];
      bytes -= PART;
    }
  }
  if (bytes > 0) yield Buffer.concat(chunks);
}
