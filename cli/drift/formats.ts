import { parquetMetadataAsync } from 'hyparquet';
import { csvHeader } from '../../lambda/monitoring/readers/csv';
import { type DataFormat, detectFormat } from '../../lambda/monitoring/readers/detect';
import { UnreadableData } from '../../lambda/monitoring/readers/feeder';
import type { FileParts } from '../../lambda/monitoring/readers/file';
import { readJsonLines } from '../../lambda/monitoring/readers/json-lines';
import { Rejections } from '../../lambda/monitoring/rejections';
import type { Chunks } from '../../lambda/monitoring/rows';
import { CliError } from '../errors';
import type { SourceFile } from './sources';

const DETECTED_BYTES = 64 * 1024;
const HEADER_BYTES = 1024 * 1024;

/** Format of a file by its first bytes, and by its name where these leave it open. */
export const formatOf = async (file: SourceFile): Promise<DataFormat> => detectFormat(file.name, await beginning(file, DETECTED_BYTES));

/** Columns of a file that names them itself. */
export async function columnsOf(file: SourceFile, format: Exclude<DataFormat, 'capture'>): Promise<readonly string[]> {
  if (format === 'parquet') return ofSchema(file);
  const bytes = await beginning(file, HEADER_BYTES);
  return format === 'csv' ? ofHeader(bytes, file.name) : ofObjects(bytes, file.name);
}

function ofHeader(bytes: Buffer, name: string): readonly string[] {
  const header = csvHeader(bytes, name);
  if (header !== undefined) return header.columns;
  throw new CliError(`${name} has no header line`, 'the first line names the columns');
}

/** Names in the first objects of the file: one that only later ones have is not compared. */
async function ofObjects(bytes: Buffer, name: string): Promise<readonly string[]> {
  let first: readonly string[] = [];
  const end = bytes.length < HEADER_BYTES ? bytes.length : bytes.lastIndexOf(10) + 1;
  const open = (columns: readonly string[]) => {
    first = columns;
    return { text: () => undefined, cells: () => undefined };
  };
  const { changes } = await readJsonLines(once(bytes.subarray(0, end)), name, open, new Rejections());
  const columns = [...first, ...Object.keys(changes.added)];
  if (columns.length > 0) return columns;
  throw new CliError(`${name} holds no JSON object`, 'each line is an object that names the columns');
}

async function ofSchema(file: SourceFile): Promise<readonly string[]> {
  try {
    const { schema } = await parquetMetadataAsync(parquetOf(file, () => undefined));
    return schema.filter(({ num_children: children }) => children === undefined).map(({ name }) => name);
  } catch (error) {
    throw new CliError(`${file.name} cannot be read as Parquet: ${(error as Error).message}`);
  }
}

/** The parts of a file, which tells how many bytes were read. */
export function parquetOf(file: SourceFile, progress: (bytes: number) => void): FileParts {
  const { byteLength, slice, read } = file.parts();
  return {
    byteLength,
    slice: async (start, end) => {
      const part = await slice(start, end);
      progress(part.byteLength);
      return part;
    },
    ...(read && {
      read: async (into: Uint8Array, start: number) => {
        const bytes = await read(into, start);
        progress(bytes);
        return bytes;
      },
    }),
  };
}

/** The same chunks, which tell how many bytes were read. */
export async function* counted(chunks: Chunks, progress: (bytes: number) => void): Chunks {
  for await (const chunk of chunks) {
    yield chunk;
    progress(chunk.length);
  }
}

async function* once(bytes: Uint8Array): Chunks {
  yield bytes;
}

/** The first bytes of a file. */
export async function beginning(file: SourceFile, most: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of file.chunks()) {
    // The memory of a chunk is used again for the next one.
    parts.push(Buffer.from(chunk));
    length += chunk.length;
    if (length >= most) break;
  }
  return Buffer.concat(parts).subarray(0, most);
}

/** A file that cannot be read as a whole, in the words of the command line. */
export const asCliError = (error: unknown): unknown => (error instanceof UnreadableData ? new CliError(error.message) : error);

const NAMED = 10;

/** A list of columns for a sentence. */
export const named = (columns: readonly string[]): string =>
  columns.length > NAMED ? `${columns.slice(0, NAMED).join(', ')} and ${columns.length - NAMED} others` : columns.join(', ');
