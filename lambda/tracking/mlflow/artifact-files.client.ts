import type { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';

/** What a directory holds; paths are relative to it. */
export interface ArtifactEntry {
  readonly name: string;
  readonly isDirectory: boolean;
  /** Absent for directories. */
  readonly bytes?: number;
}

export interface ArtifactPage {
  readonly entries: readonly ArtifactEntry[];
  /** Asks for the next page; absent on the last. */
  readonly next?: string;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
}

/** How a browser is to take what a presigned URL answers. */
export interface Presentation {
  readonly contentType: string;
  readonly disposition: string;
}

/** Long enough to move a part or a file of some gigabytes to begin; a transfer that has begun may last longer. */
const PRESIGNED_SECONDS = 3600;

const DELETED_AT_ONCE = 1000;

const status = (error: unknown): number | undefined => (error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined);

/** Objects of one bucket as MLflow's artifacts: directories, sizes, uploads in parts, addresses that anyone may use for an hour. */
export class ArtifactFiles {
  constructor(
    private readonly bucket: string,
    // A checksum in the address of a part would be that of no bytes: whoever sends the part knows nothing of it.
    private readonly client: S3Client = new S3Client({ requestChecksumCalculation: 'WHEN_REQUIRED' }),
  ) {}

  /** One page (up to 1000 entries) of what stands directly in a directory, in the order of names. */
  async list(directory: string, token?: string): Promise<ArtifactPage> {
    const prefix = directory === '' || directory.endsWith('/') ? directory : `${directory}/`;
    const page = await this.client.send(
      new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, Delimiter: '/', ContinuationToken: token }),
    );
    const directories = (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => ({ name: Prefix.slice(prefix.length, -1), isDirectory: true }));
    const files = (page.Contents ?? []).map(({ Key = '', Size }) => ({ name: Key.slice(prefix.length), isDirectory: false, bytes: Size ?? 0 }));
    // Consoles mark directories with an empty object that has the directory's name; `//` in a key makes a directory without a name.
    const entries = [...directories, ...files].filter(({ name }) => name !== '');
    return { entries: entries.sort((a, b) => (a.name < b.name ? -1 : 1)), next: page.NextContinuationToken };
  }

  /** Bytes of an object; undefined where there is none. */
  async size(key: string): Promise<number | undefined> {
    try {
      return (await this.client.send(new HeadObjectCommand({ Bucket: this.bucket, Key: key }))).ContentLength ?? 0;
    } catch (error) {
      if (status(error) === 404) return undefined;
      throw error;
    }
  }

  /** Content of an object; undefined where there is none, its size alone where that is more than `most` bytes. */
  async read(key: string, most: number): Promise<Buffer | { readonly bytes: number } | undefined> {
    try {
      const { Body, ContentLength = 0 } = await this.client.send(new GetObjectCommand({ Bucket: this.bucket, Key: key }));
      const stream = Body as Readable;
      if (ContentLength > most) {
        stream.destroy();
        return { bytes: ContentLength };
      }
      const parts: Buffer[] = [];
      for await (const part of stream) parts.push(part as Buffer);
      return Buffer.concat(parts);
    } catch (error) {
      if (status(error) === 404) return undefined;
      throw error;
    }
  }

  async write(key: string, body: Buffer, contentType?: string): Promise<void> {
    await this.client.send(new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: body, ContentType: contentType }));
  }

  /** Deletes an object, and where the key is a directory's everything below it; older versions of the objects stay in the bucket. */
  async remove(key: string): Promise<void> {
    for (const prefix of [key, `${key}/`]) {
      let token: string | undefined;
      do {
        const page = await this.client.send(
          new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, MaxKeys: DELETED_AT_ONCE, ContinuationToken: token }),
        );
        const keys = (page.Contents ?? []).map(({ Key = '' }) => Key).filter((found) => found === key || found.startsWith(`${key}/`));
        if (keys.length > 0) {
          const { Errors = [] } = await this.client.send(
            new DeleteObjectsCommand({ Bucket: this.bucket, Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true } }),
          );
          if (Errors.length > 0) throw new Error(`${Errors.length} of ${keys.length} objects could not be deleted: ${Errors[0].Code}`);
        }
        // Without the slash only the object itself is meant: it is the first that the listing finds.
        token = prefix === key ? undefined : page.NextContinuationToken;
      } while (token);
    }
  }

  async presignedDownload(key: string, presentation?: Presentation, expiresIn = PRESIGNED_SECONDS): Promise<string> {
    const { contentType: ResponseContentType, disposition: ResponseContentDisposition } = presentation ?? {};
    const command = new GetObjectCommand({ Bucket: this.bucket, Key: key, ResponseContentType, ResponseContentDisposition });
    return getSignedUrl(this.client, command, { expiresIn });
  }

  async presignedUpload(key: string, expiresIn: number): Promise<string> {
    return getSignedUrl(this.client, new PutObjectCommand({ Bucket: this.bucket, Key: key }), { expiresIn });
  }

  async startUpload(key: string, contentType?: string): Promise<string> {
    const { UploadId = '' } = await this.client.send(
      new CreateMultipartUploadCommand({ Bucket: this.bucket, Key: key, ContentType: contentType }),
    );
    return UploadId;
  }

  async presignedPart(key: string, uploadId: string, number: number): Promise<string> {
    const command = new UploadPartCommand({ Bucket: this.bucket, Key: key, UploadId: uploadId, PartNumber: number });
    return getSignedUrl(this.client, command, { expiresIn: PRESIGNED_SECONDS });
  }

  async completeUpload(key: string, uploadId: string, parts: readonly Part[]): Promise<void> {
    await this.client.send(
      new CompleteMultipartUploadCommand({
        Bucket: this.bucket,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts: parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag })) },
      }),
    );
  }

  async abortUpload(key: string, uploadId: string): Promise<void> {
    await this.client.send(new AbortMultipartUploadCommand({ Bucket: this.bucket, Key: key, UploadId: uploadId }));
  }
}
