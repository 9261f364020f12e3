import { detectFormat } from '../../../../lambda/monitoring/readers/detect';
import { bytesOf } from './samples';

test.each([
  ['PAR1…', 'x', 'parquet'],
  ['{"captureData":{"endpointInput"', 'x.jsonl', 'capture'],
  ['{ "eventMetadata": {}, "captureData":', 'x', 'capture'],
  ['{"a":1}\n', 'x.csv', 'jsonl'],
  ['\uFEFF [1,2]\n', 'x', 'jsonl'],
  ['a,b\n1,2\n', 'x.jsonl', 'csv'],
  ['\uFEFFa,b\n', 'x', 'csv'],
  ['', 'x.ndjson', 'jsonl'],
  ['', 'x', 'csv'],
])('%j in %s is %s', (text, path, format) => {
  expect(detectFormat(path, bytesOf(text))).toBe(format);
});

test.each<[string, number[]]>([
  ['gzip', [0x1f, 0x8b, 8]],
  ['save it as CSV', [0x50, 0x4b, 3, 4]],
  ['UTF-16', [0xff, 0xfe, 65, 0]],
  ['no text', [65, 0, 66]],
])('what it is instead is said: %s', (what, bytes) => {
  expect(() => detectFormat('x.csv', Uint8Array.from(bytes))).toThrow(what);
});

test('a Parquet file by name alone is refused', () => {
  expect(() => detectFormat('x.parquet', bytesOf('a,b'))).toThrow('x.parquet: it is named like a Parquet file, but is none');
});
