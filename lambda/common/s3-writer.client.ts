import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompletedPart,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { parseS3Uri } from './s3-uri';

/** S3 takes parts from 5 MiB, 10,000 of them. */
const PART = 8 * 1024 * 1024;

/**
 * Writes one object as its bytes come, with two parts of it in memory. It is there once it is completed, as a whole; until then, or where it is
 * aborted, nothing is.
 */
export class S3Writer {
  bytes = 0;
  private readonly place: { readonly Bucket: string; readonly Key: string };
  private part: Buffer = Buffer.allocUnsafe(PART);
  private spare?: Buffer;
  private filled = 0;
  private upload?: string;
  private readonly parts: CompletedPart[] = [];
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: S3Client,
    readonly uri: string,
    private readonly contentType?: string,
  ) {
    const { bucket, key } = parseS3Uri(uri);
    this.place = { Bucket: bucket, Key: key };
  }

  /** Takes a copy of `bytes[from … to)`. A promise that it answers has to be waited for before anything else is written. */
  write(bytes: Uint8Array, from = 0, to = bytes.length): Promise<void> | undefined {
    if (this.filled + to - from > PART) return this.writeOver(bytes, from, to);
    this.part.set(bytes.subarray(from, to), this.filled);
    this.filled += to - from;
    this.bytes += to - from;
    return undefined;
  }

  async complete(): Promise<void> {
    const last = this.part.subarray(0, this.filled);
    if (this.upload === undefined) {
      await this.client.send(new PutObjectCommand({ ...this.place, Body: last, ContentType: this.contentType }));
      return;
    }
    await this.sending;
    if (last.length > 0) await this.send(last);
    const MultipartUpload = { Parts: this.parts };
    await this.client.send(new CompleteMultipartUploadCommand({ ...this.place, UploadId: this.upload, MultipartUpload }));
  }

  /** Gives up what is written so far; the error that led here is the one to tell. */
  async abort(): Promise<void> {
    await this.sending.catch(() => undefined);
    if (this.upload === undefined) return;
    await this.client.send(new AbortMultipartUploadCommand({ ...this.place, UploadId: this.upload })).catch(() => undefined);
  }

  private async writeOver(bytes: Uint8Array, from: number, to: number): Promise<void> {
    for (let at = from; at < to; ) {
      if (this.filled === PART) await this.swap();
      const end = Math.min(to, at + PART - this.filled);
      void this.write(bytes, at, end);
      at = end;
    }
  }

  /** Sends the full part while the next one fills; the one before has arrived by then. */
  private async swap(): Promise<void> {
    await this.sending;
    if (this.upload === undefined) {
      const { UploadId } = await this.client.send(new CreateMultipartUploadCommand({ ...this.place, ContentType: this.contentType }));
      this.upload = UploadId;
    }
    const full = this.part;
    this.sending = this.send(full);
    // Whoever waits for it next gets the error.
    this.sending.catch(() => undefined);
    this.part = this.spare ?? Buffer.allocUnsafe(PART);
    this.spare = full;
    this.filled = 0;
  }

  private async send(Body: Buffer): Promise<void> {
    const PartNumber = this.parts.length + 1;
    const { ETag } = await this.client.send(new UploadPartCommand({ ...this.place, UploadId: this.upload, PartNumber, Body }));
    this.parts.push({ PartNumber, ETag });
  }
}

/** Completes all of several objects, or none of them where one cannot be written as far as its end. */
export const completeAll = async (writers: readonly S3Writer[], write: () => Promise<void>): Promise<void> => {
  try {
    await write();
    for (const writer of writers) await writer.complete();
  } catch (error) {
    await Promise.all(writers.map((writer) => writer.abort()));
    throw error;
  }
};
