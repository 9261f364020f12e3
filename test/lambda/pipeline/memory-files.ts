import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NotFound,
  PutObjectCommand,
  type S3Client,
  CopyObjectCommand,
} from '@aws-sdk/client-s3';
import { S3Files } from '../../../lambda/common/s3.client';

/** S3 behind the SDK's edge: objects by `bucket/key`, and the keys that were written in order. */
export class MemoryBucket {
  readonly objects = new Map<string, string>();
  readonly written: string[] = [];

  files(): S3Files {
    return new S3Files({ send: (command: unknown) => this.send(command) } as unknown as S3Client);
  }

  private async send(command: unknown): Promise<unknown> {
    if (command instanceof GetObjectCommand) return { Body: Readable.from([Buffer.from(this.get(command.input))]) };
    if (command instanceof HeadObjectCommand)
      return { ContentLength: this.get(command.input).length, ETag: `"${this.get(command.input).length}"`, VersionId: 'v1' };
    if (command instanceof PutObjectCommand) return this.put(command.input, Buffer.from(command.input.Body as string).toString());
    if (command instanceof CopyObjectCommand) return this.put(command.input, this.objects.get(decodeURIComponent(command.input.CopySource!))!);
    if (command instanceof ListObjectsV2Command) return { Contents: this.list(command.input) };
    throw new Error(`not stubbed: ${(command as object).constructor.name}`);
  }

  private get({ Bucket, Key }: { Bucket?: string; Key?: string }): string {
    const found = this.objects.get(`${Bucket}/${Key}`);
    if (found === undefined) throw new NotFound({ message: 'NotFound', $metadata: { httpStatusCode: 404 } });
    return found;
  }

  private put({ Bucket, Key }: { Bucket?: string; Key?: string }, text: string): object {
    this.objects.set(`${Bucket}/${Key}`, text);
    this.written.push(`${Bucket}/${Key}`);
    return { ETag: createHash('md5').update(text).digest('hex') };
  }

  private list({ Bucket, Prefix }: { Bucket?: string; Prefix?: string }): object[] {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(`${Bucket}/${Prefix}`)).sort();
    return keys.map((key) => ({ Key: key.slice(`${Bucket}/`.length), Size: this.objects.get(key)!.length, ETag: '"x"' }));
  }
}
