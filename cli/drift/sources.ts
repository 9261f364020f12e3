import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { parseS3Uri } from '../../lambda/common/s3-uri';
import { S3Files } from '../../lambda/common/s3.client';
import { fileChunks, fileParts, type FileParts } from '../../lambda/monitoring/readers/file';
import type { Chunks } from '../../lambda/monitoring/rows';
import { UsageError } from '../errors';
import type { Connection } from '../platform';

/** One file of a side of the comparison. */
export interface SourceFile {
  /** As people know it: the path, or the URI. */
  readonly name: string;
  readonly bytes: number;
  /** Where it lies on this machine; absent for objects in S3. */
  readonly path?: string;
  chunks(): Chunks;
  /** For formats that are not read from the beginning to the end. */
  parts(): FileParts;
}

const DATA = /\.(csv|jsonl|ndjson|json|parquet|out|txt)$/i;

/** Files of a path: itself, all data files of a directory, or all objects below an S3 prefix, in the order of their names. */
export async function filesOf(place: string, connect: () => Connection): Promise<SourceFile[]> {
  const files = place.startsWith('s3://') ? await objectsBelow(place, connect()) : localFiles(place);
  const filled = files.filter(({ bytes }) => bytes > 0);
  if (filled.length > 0) return filled.sort((a, b) => (a.name < b.name ? -1 : 1));
  throw new UsageError(`${place} holds no data`, 'name a file, a directory of data files, or an S3 prefix that holds some');
}

function localFiles(place: string): SourceFile[] {
  if (!existsSync(place)) throw new UsageError(`${place} does not exist`, 'name a file, a directory, or an S3 prefix (s3://bucket/prefix)');
  if (!statSync(place).isDirectory()) return [localFile(place)];
  const entries = readdirSync(place, { recursive: true, withFileTypes: true }) as { name: string; parentPath: string; isFile(): boolean }[];
  return entries.filter((entry) => entry.isFile() && isData(entry.name)).map((entry) => localFile(path.join(entry.parentPath, entry.name)));
}

function localFile(file: string): SourceFile {
  return { name: file, path: file, bytes: statSync(file).size, chunks: () => fileChunks(file), parts: () => fileParts(file) };
}

/** What other programs leave beside the data begins with a dot or an underscore. */
const isData = (name: string): boolean => DATA.test(name) && !/^[._]/.test(path.basename(name));

async function objectsBelow(uri: string, connection: Connection): Promise<SourceFile[]> {
  const client = new S3Client({ ...connection, forcePathStyle: connection.endpoint !== undefined });
  const files = new S3Files(client);
  const found: SourceFile[] = [];
  for await (const object of files.list(uri)) {
    const exact = object.uri === uri;
    if (!exact && !isData(object.key)) continue;
    const chunks = async function* (): Chunks {
      for await (const chunk of await files.readStream(object.uri)) yield chunk as Uint8Array;
    };
    const { bucket, key } = parseS3Uri(object.uri);
    const slice = async (start: number, end = object.bytes): Promise<ArrayBuffer> => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: `bytes=${start}-${end - 1}` }));
      const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    };
    found.push({ name: object.uri, bytes: object.bytes, chunks, parts: () => ({ byteLength: object.bytes, slice }) });
    // A prefix of other names is no reason to read them, too.
    if (exact) return [found[found.length - 1]];
  }
  return found;
}
