import { createWriteStream } from 'node:fs';
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import * as tar from 'tar';
import { messageOf } from './errors';

export interface Location {
  readonly bucket: string;
  readonly key: string;
}

/** Both spellings that the service's pattern admits: s3://bucket/key and the https URL of a bucket's path. */
export function locationOf(uri: string): Location {
  const s3 = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri);
  if (s3) return { bucket: s3[1], key: s3[2] };
  const url = /^https:\/\/s3[.-][^/]+\/([^/]+)\/?(.*)$/s.exec(uri);
  if (url) return { bucket: url[1], key: url[2] };
  const host = /^https:\/\/([^/]+)\.s3[.-][^/]+\/?(.*)$/s.exec(uri);
  if (host) return { bucket: host[1], key: host[2] };
  throw new Error(`${uri} is no S3 location`);
}

export const joinUri = (uri: string, ...parts: string[]): string => [uri.replace(/\/+$/, ''), ...parts].join('/');

export async function listKeys(s3: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let token: string | undefined;
  do {
    const page = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token }));
    for (const item of page.Contents ?? []) if (item.Key && !item.Key.endsWith('/')) keys.push(item.Key);
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token);
  return keys;
}

/** The name of an object below the folder that a prefix stands for; a prefix may also be a whole key or the beginning of a name. */
export function relativeName(key: string, prefix: string): string {
  const rest = key.slice(prefix.length);
  if (rest.startsWith('/')) return rest.slice(1);
  return prefix === '' || prefix.endsWith('/') ? rest : key.slice(prefix.lastIndexOf('/') + 1);
}

export async function readObject(s3: S3Client, { bucket, key }: Location): Promise<Buffer> {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  return Buffer.from(await object.Body!.transformToByteArray());
}

export async function download(s3: S3Client, { bucket, key }: Location, file: string): Promise<void> {
  const object = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
  await mkdir(path.dirname(file), { recursive: true });
  await pipeline(object.Body as Readable, createWriteStream(file));
}

export async function upload(s3: S3Client, uri: string, body: string | Buffer, kmsKeyId?: string): Promise<void> {
  const { bucket, key } = locationOf(uri);
  const encryption = kmsKeyId ? ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: kmsKeyId } as const) : {};
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: body, ...encryption }));
}

/** A prefix becomes a directory; a name that would leave it is refused. */
export async function downloadAll(s3: S3Client, bucket: string, names: Map<string, string>, directory: string): Promise<void> {
  for (const [key, name] of names) {
    const file = path.join(directory, name);
    if (!file.startsWith(directory + path.sep)) throw new Error(`the object ${key} would be written outside its channel`);
    await download(s3, { bucket, key }, file);
  }
}

export async function extractArchive(s3: S3Client, uri: string, file: string, directory: string): Promise<void> {
  await download(s3, locationOf(uri), file);
  await mkdir(directory, { recursive: true });
  await tar.extract({ file, cwd: directory });
}

export async function archive(directory: string, file: string): Promise<Buffer> {
  const names = await readdir(directory);
  await tar.create({ gzip: true, portable: true, cwd: directory, file }, names.length > 0 ? names : ['.']);
  return readFile(file);
}

/** Removing a work directory is housekeeping: what resists must not fail the job that is over. */
export const removeDirectory = (directory: string): Promise<void> =>
  rm(directory, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 }).catch(() => undefined);

export const isEmpty = async (directory: string): Promise<boolean> => (await readdir(directory)).length === 0;

/** As the service words S3's answers in a FailureReason. */
export function storageReason(error: unknown): string {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const name = error instanceof Error ? error.name : 'Error';
  return status ? `${name} (${status}): ${messageOf(error)}` : messageOf(error);
}
