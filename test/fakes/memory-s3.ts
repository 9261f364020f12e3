import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NotFound,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { S3Files } from '../../lambda/common/s3.client';

const etagOf = (text: string): string => createHash('md5').update(text).digest('hex');

const preconditionFailed = (message: string): S3ServiceException =>
  new S3ServiceException({ name: 'PreconditionFailed', message, $fault: 'client', $metadata: { httpStatusCode: 412 } });

interface Place {
  readonly Bucket?: string;
  readonly Key?: string;
}

/** S3 behind the SDK's edge: objects by `bucket/key`, and the keys that were written in order. */
export class MemoryBucket {
  readonly objects = new Map<string, string>();
  readonly written: string[] = [];
  private readonly binary = new Map<string, Buffer>();
  /** Parts of uploads that are neither completed nor aborted, by upload. */
  readonly uploads = new Map<string, Buffer[]>();
  private begun = 0;
  /** Called before each command; what it throws, the command fails with. */
  before: (command: object) => void = () => undefined;
  /** The largest page of a list. */
  pageSize = Infinity;

  files(): S3Files {
    return new S3Files({ send: (command: object) => this.send(command) } as unknown as S3Client);
  }

  /** Every S3 client of the test file talks to this instance. */
  install(): jest.SpyInstance {
    return jest.spyOn(S3Client.prototype, 'send').mockImplementation(((command: object) => this.send(command)) as never);
  }

  /** The text of an object by its URI. */
  text(uri: string): string {
    const found = this.objects.get(uri.replace('s3://', ''));
    if (found === undefined) throw new Error(`nothing at ${uri}`);
    return found;
  }

  async send(command: object): Promise<unknown> {
    this.before(command);
    if (command instanceof GetObjectCommand) {
      const bytes = this.bytes(command.input);
      const { IfMatch } = command.input;
      if (IfMatch !== undefined && IfMatch.replaceAll('"', '') !== etagOf(bytes.toString())) throw preconditionFailed('changed');
      return { Body: Readable.from([bytes]), ContentLength: bytes.length };
    }
    if (command instanceof HeadObjectCommand)
      return { ContentLength: this.bytes(command.input).length, ETag: `"${etagOf(this.get(command.input))}"`, VersionId: 'v1' };
    if (command instanceof PutObjectCommand) {
      return this.putBytes(command.input, Buffer.from(command.input.Body as string));
    }
    if (command instanceof CopyObjectCommand) {
      const [Bucket, ...Key] = decodeURIComponent(command.input.CopySource!).split('/');
      const bytes = this.bytes({ Bucket, Key: Key.join('/') });
      const answer = this.put(command.input, bytes.toString());
      this.binary.set(`${command.input.Bucket}/${command.input.Key}`, bytes);
      return answer;
    }
    if (command instanceof ListObjectsV2Command) return this.list(command.input);
    if (command instanceof DeleteObjectsCommand) {
      for (const { Key } of command.input.Delete?.Objects ?? []) this.objects.delete(`${command.input.Bucket}/${Key}`);
      return {};
    }
    if (command instanceof CreateMultipartUploadCommand) {
      this.begun += 1;
      this.uploads.set(`upload-${this.begun}`, []);
      return { UploadId: `upload-${this.begun}` };
    }
    if (command instanceof UploadPartCommand) {
      const { UploadId, PartNumber, Body } = command.input;
      this.upload(UploadId)[PartNumber! - 1] = Buffer.from(Body as Buffer);
      return { ETag: `part-${PartNumber}` };
    }
    if (command instanceof CompleteMultipartUploadCommand) {
      const parts = this.upload(command.input.UploadId);
      this.uploads.delete(command.input.UploadId!);
      return this.putBytes(command.input, Buffer.concat(parts));
    }
    if (command instanceof AbortMultipartUploadCommand) {
      this.upload(command.input.UploadId);
      this.uploads.delete(command.input.UploadId!);
      return {};
    }
    throw new Error(`not stubbed: ${command.constructor.name}`);
  }

  private upload(id: string | undefined): Buffer[] {
    const found = this.uploads.get(id ?? '');
    if (found === undefined) throw new NotFound({ message: 'NoSuchUpload', $metadata: { httpStatusCode: 404 } });
    return found;
  }

  private putBytes(place: Parameters<MemoryBucket['put']>[0], bytes: Buffer): object {
    const answer = this.put(place, bytes.toString());
    this.binary.set(`${place.Bucket}/${place.Key}`, bytes);
    return answer;
  }

  private get({ Bucket, Key }: Place): string {
    const found = this.objects.get(`${Bucket}/${Key}`);
    if (found === undefined) throw new NotFound({ message: 'NotFound', $metadata: { httpStatusCode: 404 } });
    return found;
  }

  /** What was put, to the byte; of objects that tests set themselves their text. */
  private bytes(place: Place): Buffer {
    const text = this.get(place);
    const bytes = this.binary.get(`${place.Bucket}/${place.Key}`);
    return bytes?.toString() === text ? bytes : Buffer.from(text);
  }

  private put({ Bucket, Key, IfNoneMatch, IfMatch }: Place & { readonly IfNoneMatch?: string; readonly IfMatch?: string }, text: string): object {
    if (IfNoneMatch === '*' && this.objects.has(`${Bucket}/${Key}`)) {
      throw preconditionFailed('exists');
    }
    if (IfMatch !== undefined && IfMatch.replaceAll('"', '') !== etagOf(this.get({ Bucket, Key }))) throw preconditionFailed('changed');
    this.objects.set(`${Bucket}/${Key}`, text);
    this.written.push(`${Bucket}/${Key}`);
    return { ETag: etagOf(text) };
  }

  private list({ Bucket, Prefix = '', StartAfter, ContinuationToken, MaxKeys = Infinity, Delimiter }: ListObjectsV2Command['input']): object {
    const after = ContinuationToken ?? StartAfter ?? '';
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(`${Bucket}/${Prefix}`)).map((key) => key.slice(`${Bucket}/`.length));
    // With a delimiter everything of one directory counts once, by its prefix.
    const directory = (key: string): string | undefined => {
      const end = Delimiter ? key.indexOf(Delimiter, Prefix.length) : -1;
      return end < 0 ? undefined : key.slice(0, end + 1);
    };
    const found = [...new Set(keys.map((key) => directory(key) ?? key))].filter((key) => key > after).sort();
    const page = found.slice(0, Math.min(MaxKeys, this.pageSize));
    const isDirectory = (key: string): boolean => directory(key) === key;
    return {
      Contents: page.filter((key) => !isDirectory(key)).map((key) => {
        const bytes = this.bytes({ Bucket, Key: key });
        return { Key: key, Size: bytes.length, ETag: `"${etagOf(bytes.toString())}"` };
      }),
      CommonPrefixes: page.filter(isDirectory).map((Prefix) => ({ Prefix })),
      NextContinuationToken: page.length < found.length ? page.at(-1) : undefined,
    };
  }
}
