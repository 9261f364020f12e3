// S3 behind the SDK's edge, on disk: what a handler asks for is counted, and each answer takes as long as one of S3's.
import { createReadStream, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Milliseconds to the first byte within a region: what AWS calls typical is 10 to 30. */
const LATENCY = 20;

export class DiskBucket {
  requests = { list: 0, get: 0, put: 0 };
  bytesPut = 0;
  #objects = new Map();
  #sorted;

  constructor(directory, errorOf) {
    this.directory = directory;
    this.errorOf = errorOf;
  }

  /** Puts an object there without a request. */
  put(address, body) {
    const file = path.join(this.directory, address);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, body);
    const version = (this.#objects.get(address)?.version ?? 0) + 1;
    if (version === 1) this.#sorted = undefined;
    this.#objects.set(address, { etag: `"${version}"`, version, size: body.length, file });
  }

  /** Counts a file that is there already as an object. */
  adopt(address, size) {
    this.#sorted = undefined;
    this.#objects.set(address, { etag: '"1"', version: 1, size, file: path.join(this.directory, address) });
  }

  async send(command) {
    const { Bucket, Key, Body, IfMatch, ...rest } = command.input;
    const kind = command.constructor.name.replace(/Command$/, '');
    this.requests[{ ListObjectsV2: 'list', PutObject: 'put' }[kind] ?? 'get'] += 1;
    await setTimeout(LATENCY);
    if (kind === 'ListObjectsV2') return this.#list(Bucket, rest);
    const address = `${Bucket}/${Key}`;
    if (kind === 'PutObject') {
      this.bytesPut += Body.length;
      this.put(address, Body);
      return { ETag: this.#objects.get(address).etag };
    }
    const object = this.#objects.get(address);
    if (!object) throw this.errorOf('NoSuchKey', 404);
    if (IfMatch && IfMatch !== object.etag) throw this.errorOf('PreconditionFailed', 412);
    const head = { ETag: object.etag, ContentLength: object.size, LastModified: new Date(0) };
    return kind === 'HeadObject' ? head : { ...head, Body: createReadStream(object.file) };
  }

  #list(bucket, { Prefix = '', StartAfter = '', ContinuationToken, MaxKeys = 1000 }) {
    this.#sorted ??= [...this.#objects.keys()].sort();
    const after = `${bucket}/${ContinuationToken ?? (StartAfter > Prefix ? StartAfter : '')}`;
    const first = this.#firstAfter(after > `${bucket}/${Prefix}` ? after : `${bucket}/${Prefix}`);
    const page = [];
    let index = first;
    while (page.length < MaxKeys && this.#sorted[index]?.startsWith(`${bucket}/${Prefix}`)) page.push(this.#sorted[index++]);
    const more = this.#sorted[index]?.startsWith(`${bucket}/${Prefix}`) ?? false;
    const Contents = page.map((address) => {
      const { etag: ETag, size: Size } = this.#objects.get(address);
      return { Key: address.slice(bucket.length + 1), ETag, Size, LastModified: new Date(0) };
    });
    return { Contents, IsTruncated: more, ...(more && { NextContinuationToken: Contents.at(-1).Key }) };
  }

  #firstAfter(address) {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#sorted[middle] > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
