import { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { S3Files } from '../../../lambda/common/s3.client';
import { MemoryBucket } from '../../fakes/memory-s3';

const denied = (status: number): S3ServiceException =>
  new S3ServiceException({ name: 'AccessDenied', message: 'Access Denied', $fault: 'client', $metadata: { httpStatusCode: status } });

const bucketWith = (objects: Record<string, string> = {}) => {
  const bucket = new MemoryBucket();
  for (const [key, text] of Object.entries(objects)) bucket.objects.set(`b/${key}`, text);
  return { bucket, files: bucket.files() };
};

/** HeadObject answers 403, as for a role that may list only below a prefix. */
const withoutHead = (bucket: MemoryBucket): void => {
  bucket.before = (command) => {
    if (command.constructor.name === 'HeadObjectCommand') throw denied(403);
  };
};

const keysOf = async (files: S3Files, options?: Parameters<S3Files['list']>[1]): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of files.list('s3://b/many/', options)) keys.push(key);
  return keys;
};

test('a missing object that a role may not see is missing, one that is there is an error', async () => {
  const { bucket, files } = bucketWith({ 'runs/a': 'x', 'runs/ab': 'x' });
  withoutHead(bucket);
  expect(await files.head('s3://b/runs/missing')).toBeUndefined();
  await expect(files.head('s3://b/runs/a')).rejects.toMatchObject({ name: 'AccessDenied', message: 'cannot head s3://b/runs/a: Access Denied' });
  bucket.objects.delete('b/runs/a');
  // The listing by prefix finds runs/ab, which is another object.
  expect(await files.head('s3://b/runs/a')).toBeUndefined();
});

test('a bucket that cannot be listed is no missing object', async () => {
  const { bucket, files } = bucketWith();
  bucket.before = () => {
    throw denied(403);
  };
  await expect(files.head('s3://b/runs/a')).rejects.toMatchObject({ message: expect.stringContaining('cannot list s3://b/runs/a') });
});

test.each<[string, (files: S3Files) => Promise<unknown>]>([
  ['cannot read s3://b/key', (files) => files.readText('s3://b/key')],
  ['cannot write s3://b/key', (files) => files.putText('s3://b/key', 'x')],
  ['cannot copy to s3://b/to s3://b/key', (files) => files.copy('s3://b/key', 's3://b/to')],
  ['cannot head s3://b/key', (files) => files.head('s3://b/key')],
  ['cannot list s3://b/many/', (files) => keysOf(files)],
])('"%s": a refusal names what it refused and keeps its own name', async (message, call) => {
  const files = new S3Files({ send: () => Promise.reject(denied(400)) } as unknown as S3Client);
  await expect(call(files)).rejects.toMatchObject({ name: 'AccessDenied', message: `${message}: Access Denied` });
});

test('lists every page in the order of keys, from a key on', async () => {
  const { bucket, files } = bucketWith(Object.fromEntries(['b', 'a', 'd', 'c', 'e'].map((name) => [`many/${name}`, name])));
  bucket.pageSize = 2;
  expect(await keysOf(files)).toEqual(['many/a', 'many/b', 'many/c', 'many/d', 'many/e']);
  expect(await keysOf(files, { startAfter: 'many/b' })).toEqual(['many/c', 'many/d', 'many/e']);
});

test('text that is no JSON is named, lines come one by one', async () => {
  const { files } = bucketWith({ text: 'one\r\ntwo\n' });
  await expect(files.readJson('s3://b/text')).rejects.toThrow(/^s3:\/\/b\/text is not JSON: /);
  const lines: string[] = [];
  for await (const line of files.readLines('s3://b/text')) lines.push(line);
  expect(lines).toEqual(['one', 'two']);
});

test('writes once where that is asked for', async () => {
  const { files } = bucketWith();
  expect(await files.putJson('s3://b/once', { a: 1 }, { ifAbsent: true })).toMatchObject({ uri: 's3://b/once', etag: expect.any(String) });
  await expect(files.putJson('s3://b/once', { a: 2 }, { ifAbsent: true })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  expect(await files.readJson('s3://b/once')).toEqual({ a: 1 });
});

test('writes over an unchanged object alone where that is asked for', async () => {
  const { files } = bucketWith();
  const { etag } = await files.putJson('s3://b/turn', { a: 1 });
  await files.putJson('s3://b/turn', { a: 2 }, { ifUnchanged: etag });
  await expect(files.putJson('s3://b/turn', { a: 3 }, { ifUnchanged: etag })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  expect(await files.readJson('s3://b/turn')).toEqual({ a: 2 });
});

test('what is no URI of S3 is refused', async () => {
  await expect(bucketWith().files.readText('https://b/key')).rejects.toThrow('not an S3 URI: https://b/key');
});
