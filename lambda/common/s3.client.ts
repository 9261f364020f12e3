import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { parseS3Uri } from './s3-uri';
import { S3Writer } from './s3-writer.client';

export interface StoredObject {
  readonly uri: string;
  readonly etag: string;
  readonly versionId?: string;
}

export interface ListedObject {
  readonly uri: string;
  readonly key: string;
  readonly bytes: number;
  readonly etag: string;
  readonly lastModified: Date;
}

export interface ObjectHead {
  readonly bytes: number;
  readonly etag: string;
  readonly versionId?: string;
  readonly lastModified: Date;
}

export interface PutOptions {
  readonly contentType?: string;
  /** Write only where nothing stands yet; an object that is there makes the call fail with `PreconditionFailed`. */
  readonly ifAbsent?: boolean;
  /** Write only over the object with this ETag; another one, or none, makes the call fail with `PreconditionFailed` or `NoSuchKey`. */
  readonly ifUnchanged?: string;
}

export interface ListOptions {
  /** Key (not URI) after which the list begins. */
  readonly startAfter?: string;
  /** Objects per request, 1 to 1000; 1000 where left out. */
  readonly pageSize?: number;
}

const unquoted = (etag: string | undefined): string => (etag ?? '').replaceAll('"', '');

/** Objects in S3 by `s3://bucket/key`. An object that is missing answers undefined from `head` and throws everywhere else, naming the URI. */
export class S3Files {
  constructor(private readonly client: S3Client = new S3Client({})) {}

  public async readStream(uri: string, versionId?: string): Promise<Readable> {
    return this.get(uri, { VersionId: versionId });
  }

  /** The object as it was listed; one that was overwritten since makes the call fail with `PreconditionFailed`. */
  public async readUnchanged(uri: string, etag: string): Promise<Readable> {
    return this.get(uri, { IfMatch: `"${etag}"` });
  }

  public async readBytes(uri: string, versionId?: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for await (const part of await this.readStream(uri, versionId)) parts.push(part as Buffer);
    return Buffer.concat(parts);
  }

  public async readText(uri: string, versionId?: string): Promise<string> {
    return (await this.readBytes(uri, versionId)).toString('utf8');
  }

  public async readJson<T>(uri: string, versionId?: string): Promise<T> {
    const text = await this.readText(uri, versionId);
    try {
      return JSON.parse(text) as T;
    } catch (error) {
      throw new Error(`${uri} is not JSON: ${(error as Error).message}`, { cause: error });
    }
  }

  /** Lines without their ends, one after the other, so that a large object never stands in memory. */
  public async *readLines(uri: string, versionId?: string): AsyncGenerator<string> {
    yield* createInterface({ input: await this.readStream(uri, versionId), crlfDelay: Infinity });
  }

  public async put(uri: string, body: string | Uint8Array, options: PutOptions = {}): Promise<StoredObject> {
    const { bucket, key } = parseS3Uri(uri);
    try {
      const answer = await this.client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: Buffer.from(body),
          ContentType: options.contentType,
          IfNoneMatch: options.ifAbsent ? '*' : undefined,
          IfMatch: options.ifUnchanged === undefined ? undefined : `"${options.ifUnchanged}"`,
        }),
      );
      return { uri, etag: unquoted(answer.ETag), versionId: answer.VersionId };
    } catch (error) {
      throw located(error, 'write', uri);
    }
  }

  public async putText(uri: string, text: string, options: PutOptions = {}): Promise<StoredObject> {
    return this.put(uri, text, { contentType: 'text/plain; charset=utf-8', ...options });
  }

  public async putJson(uri: string, value: unknown, options: PutOptions = {}): Promise<StoredObject> {
    return this.put(uri, JSON.stringify(value), { contentType: 'application/json', ...options });
  }

  /** For an object of any size, written as its bytes come. */
  public writer(uri: string, { contentType }: Pick<PutOptions, 'contentType'> = {}): S3Writer {
    return new S3Writer(this.client, uri, contentType);
  }

  /** Copies within S3, up to 5 GB. */
  public async copy(from: string, to: string): Promise<void> {
    const source = parseS3Uri(from);
    const target = parseS3Uri(to);
    const path = [source.bucket, ...source.key.split('/')].map(encodeURIComponent).join('/');
    try {
      await this.client.send(new CopyObjectCommand({ CopySource: path, Bucket: target.bucket, Key: target.key }));
    } catch (error) {
      throw located(error, `copy to ${to}`, from);
    }
  }

  public async head(uri: string): Promise<ObjectHead | undefined> {
    const { bucket, key } = parseS3Uri(uri);
    try {
      const answer = await this.client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
      return {
        bytes: answer.ContentLength ?? 0,
        etag: unquoted(answer.ETag),
        versionId: answer.VersionId,
        lastModified: answer.LastModified ?? new Date(0),
      };
    } catch (error) {
      const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
      if (status === 404) return undefined;
      // A role that may list only below a prefix gets 403 instead of 404 for a missing object; only the listing can tell.
      if (status === 403 && !(await this.isListed(uri))) return undefined;
      throw located(error, 'head', uri);
    }
  }

  /** Every object below a prefix, in the order of keys, page after page. */
  public async *list(prefixUri: string, options: ListOptions = {}): AsyncGenerator<ListedObject> {
    const { bucket, key: prefix } = parseS3Uri(prefixUri);
    let token: string | undefined;
    do {
      const page = await this.listPage(bucket, prefix, options, token);
      for (const { Key: key = '', Size: bytes = 0, ETag: etag, LastModified: lastModified = new Date(0) } of page.Contents ?? []) {
        yield { uri: `s3://${bucket}/${key}`, key, bytes, etag: unquoted(etag), lastModified };
      }
      token = page.NextContinuationToken;
    } while (token);
  }

  /** SHA-256 (hex) and size, streamed. */
  public async sha256(uri: string, versionId?: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const part of await this.readStream(uri, versionId)) {
      hash.update(part as Buffer);
      bytes += (part as Buffer).length;
    }
    return { sha256: hash.digest('hex'), bytes };
  }

  private async get(uri: string, condition: Pick<GetObjectCommandInput, 'IfMatch' | 'VersionId'>): Promise<Readable> {
    const { bucket, key } = parseS3Uri(uri);
    try {
      const answer = await this.client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...condition }));
      return answer.Body as Readable;
    } catch (error) {
      throw located(error, 'read', uri);
    }
  }

  private async isListed(uri: string): Promise<boolean> {
    for await (const found of this.list(uri, { pageSize: 1 })) return found.uri === uri;
    return false;
  }

  private async listPage(bucket: string, prefix: string, { startAfter, pageSize }: ListOptions, token?: string) {
    try {
      return await this.client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          MaxKeys: pageSize,
          ContinuationToken: token,
          StartAfter: token ? undefined : startAfter,
        }),
      );
    } catch (error) {
      throw located(error, 'list', `s3://${bucket}/${prefix}`);
    }
  }
}

/** S3's messages name no key: the same error, its name kept, with the object in its message. */
const located = (error: unknown, verb: string, uri: string): unknown => {
  if (error instanceof Error) error.message = `cannot ${verb} ${uri}: ${error.message}`;
  return error;
};
