import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NotFound,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { S3Files } from '../../lambda/common/s3.client';

interface Place {
  readonly Bucket?: string;
  readonly Key?: string;
}

/** S3 behind the SDK's edge: objects by `bucket/key`, and the keys that were written in order. */
export class MemoryBucket {
  readonly objects = new Map<string, string>();
  readonly written: string[] = [];
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
    if (command instanceof GetObjectCommand) return { Body: Readable.from([Buffer.from(this.get(command.input))]) };
    if (command instanceof HeadObjectCommand)
      return { ContentLength: this.get(command.input).length, ETag: `"${this.get(command.input).length}"`, VersionId: 'v1' };
    if (command instanceof PutObjectCommand) return this.put(command.input, Buffer.from(command.input.Body as string).toString());
    if (command instanceof CopyObjectCommand) return this.put(command.input, this.objects.get(decodeURIComponent(command.input.CopySource!))!);
    if (command instanceof ListObjectsV2Command) return this.list(command.input);
    throw new Error(`not stubbed: ${command.constructor.name}`);
  }

  private get({ Bucket, Key }: Place): string {
    const found = this.objects.get(`${Bucket}/${Key}`);
    if (found === undefined) throw new NotFound({ message: 'NotFound', $metadata: { httpStatusCode: 404 } });
    return found;
  }

  private put({ Bucket, Key, IfNoneMatch }: Place & { readonly IfNoneMatch?: string }, text: string): object {
    if (IfNoneMatch === '*' && this.objects.has(`${Bucket}/${Key}`)) {
      throw new S3ServiceException({ name: 'PreconditionFailed', message: 'exists', $fault: 'client', $metadata: { httpStatusCode: 412 } });
    }
    this.objects.set(`${Bucket}/${Key}`, text);
    this.written.push(`${Bucket}/${Key}`);
    return { ETag: createHash('md5').update(text).digest('hex') };
  }

  private list({ Bucket, Prefix, StartAfter, ContinuationToken, MaxKeys = Infinity }: ListObjectsV2Command['input']): object {
    const after = ContinuationToken ?? StartAfter ?? '';
    const found = [...this.objects.keys()]
      .filter((key) => key.startsWith(`${Bucket}/${Prefix}`))
      .map((key) => key.slice(`${Bucket}/`.length))
      .filter((key) => key > after)
      .sort();
    const page = found.slice(0, Math.min(MaxKeys, this.pageSize));
    return {
      Contents: page.map((key) => ({ Key: key, Size: this.objects.get(`${Bucket}/${key}`)!.length, ETag: '"x"' })),
      NextContinuationToken: page.length < found.length ? page.at(-1) : undefined,
    };
  }
}
