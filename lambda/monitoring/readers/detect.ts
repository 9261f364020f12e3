import { UnreadableData } from './feeder';

export type DataFormat = 'csv' | 'jsonl' | 'capture' | 'parquet';

const EXTENSIONS: readonly (readonly [RegExp, DataFormat])[] = [
  [/\.(parquet|pq)$/i, 'parquet'],
  [/\.(jsonl|ndjson|json)$/i, 'jsonl'],
  [/\.(csv|csv\.out|txt)$/i, 'csv'],
];

/** Beginnings of files that are no text, with what to do about them. */
const FOREIGN: readonly (readonly [readonly number[], string])[] = [
  [[0x1f, 0x8b], 'it is compressed with gzip: unpack it first'],
  [[0x50, 0x4b, 3, 4], 'it is a ZIP archive, as spreadsheets are: save it as CSV'],
  [[0x28, 0xb5, 0x2f, 0xfd], 'it is compressed with Zstandard: unpack it first'],
  [[0x42, 0x5a, 0x68], 'it is compressed with bzip2: unpack it first'],
  [[0xff, 0xfe], 'it is UTF-16: save it as UTF-8'],
  [[0xfe, 0xff], 'it is UTF-16: save it as UTF-8'],
];

const begins = (bytes: Uint8Array, with_: readonly number[]): boolean => with_.every((byte, index) => bytes[index] === byte);

/** Format of a file from its first bytes (a few thousand), and its name where these say nothing. Throws UnreadableData for what is none of them. */
export function detectFormat(path: string, firstBytes: Uint8Array): DataFormat {
  if (begins(firstBytes, [0x50, 0x41, 0x52, 0x31])) {
    return 'parquet';
  }
  const foreign = FOREIGN.find(([mark]) => begins(firstBytes, mark));
  if (foreign !== undefined || firstBytes.includes(0)) {
    throw new UnreadableData(`${path}: ${foreign?.[1] ?? 'it is no text'}`);
  }
  const text = new TextDecoder().decode(firstBytes).trimStart();
  if (text.startsWith('{') || text.startsWith('[')) {
    return /^\{\s*"(captureData|eventMetadata|eventVersion)"\s*:/.test(text) && text.includes('"captureData"') ? 'capture' : 'jsonl';
  }
  const named = EXTENSIONS.find(([pattern]) => pattern.test(path))?.[1];
  if (named === 'parquet') {
    throw new UnreadableData(`${path}: it is named like a Parquet file, but is none`);
  }
  return text === '' ? (named ?? 'csv') : 'csv';
}
