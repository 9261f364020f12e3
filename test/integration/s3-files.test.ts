import { createHash, randomUUID } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { S3Files } from '../../lambda/common/s3.client';
import { client } from './harness';

const root = `s3://files-${randomUUID()}`;
const files = new S3Files(client(S3Client));

beforeAll(async () => {
  await client(S3Client).send(new CreateBucketCommand({ Bucket: root.slice('s3://'.length) }));
});

test('text, JSON and lines come back as they were put, with keys of any letters', async () => {
  const uri = `${root}/a b/ü+%&=.json`;
  await files.putJson(uri, { line: 'one\ntwo' });
  expect(await files.readJson(uri)).toEqual({ line: 'one\ntwo' });
  await files.copy(uri, `${root}/copies/ü +.json`);
  expect(await files.readJson(`${root}/copies/ü +.json`)).toEqual({ line: 'one\ntwo' });
  await files.putText(`${root}/lines`, 'first\r\nsecond\n');
  const lines: string[] = [];
  for await (const line of files.readLines(`${root}/lines`)) lines.push(line);
  expect(lines).toEqual(['first', 'second']);
});

test('lists every page in the order of keys', async () => {
  const keys = Array.from({ length: 12 }, (_, index) => `many/${String(index).padStart(2, '0')}`);
  await Promise.all(keys.map((key) => files.putText(`${root}/${key}`, key)));
  const listed: string[] = [];
  for await (const { key } of files.list(`${root}/many/`, { startAfter: 'many/02', pageSize: 4 })) listed.push(key);
  expect(listed).toEqual(keys.slice(3));
});

test('hashes what it streams', async () => {
  const body = Buffer.alloc(3_000_000, 'x');
  await files.put(`${root}/large`, body);
  expect(await files.sha256(`${root}/large`)).toEqual({ sha256: createHash('sha256').update(body).digest('hex'), bytes: body.length });
});

test('writes once where that is asked for', async () => {
  await files.putText(`${root}/once`, 'first', { ifAbsent: true });
  await expect(files.putText(`${root}/once`, 'second', { ifAbsent: true })).rejects.toMatchObject({ name: 'PreconditionFailed' });
  expect(await files.readText(`${root}/once`)).toBe('first');
});

test('an object that is missing is undefined for head and named by everything else', async () => {
  expect(await files.head(`${root}/missing`)).toBeUndefined();
  await expect(files.readText(`${root}/missing`)).rejects.toMatchObject({
    name: 'NoSuchKey',
    message: expect.stringContaining(`cannot read ${root}/missing`),
  });
  await files.putText(`${root}/text`, 'no JSON');
  await expect(files.readJson(`${root}/text`)).rejects.toThrow(`${root}/text is not JSON`);
});
