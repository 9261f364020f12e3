import type { ConstraintFile } from '../../../lambda/monitoring/constraints/types';
import type { RunSource } from '../../../lambda/pipeline/configuration';
import type { PipelineSpec } from '../../../lib/pipeline/contract';
import { random as randomOf } from '../../fakes/random';

/** Data sets of every form that preparing data takes, each with what a run states about it. */
export interface PrepareCase {
  readonly files: Readonly<Record<string, Buffer>>;
  readonly spec?: Partial<PipelineSpec>;
  readonly constraints?: RunSource['constraints'];
}

export const CASE_SPEC = {
  ...{ model: 'Demand', task: { kind: 'REGRESSION', target: 'cnt', timeColumn: 'at' }, holdout: { days: 3 }, minimumTrainingRows: 10 },
  gate: {},
  hyperparameters: {},
  training: { image: 'i', entryPoint: 'train.py', instanceType: 'ml.m5.large', codeUri: 's3://assets/code.tar.gz', codeSha256: 'x' },
} as unknown as PipelineSpec;

const HEADER = ['at', 'temp', 'note', 'cnt'];
const NOTES = ['plain', '', 'a, b', 'he said "no"', 'two\nlines', 'two\r\nlines', 'Zürich 雨', ' spaced ', 'tail\r', '"', '1.50', "it's"];

const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const lineOf = (cells: readonly string[]): string => cells.map(field).join(',');
const at = (hour: number): string => new Date(Date.UTC(2012, 0, 1, hour)).toISOString();

interface Options {
  readonly rows?: number;
  readonly seed?: number;
  readonly notes?: readonly string[];
  readonly target?: (hour: number) => string;
  readonly time?: (hour: number) => string;
  readonly shuffled?: boolean;
}

/** Rows of hours in sequence, or in any order. */
const rowsOf = ({ rows = 240, seed = 1, notes = ['plain'], target = String, time = at, shuffled = false }: Options = {}): string[][] => {
  const random = randomOf(seed);
  const all = Array.from({ length: rows }, (_, hour) => [
    time(hour),
    (random() * 40 - 5).toFixed(2),
    notes[Math.floor(random() * notes.length)],
    target(hour),
  ]);
  if (!shuffled) return all;
  return all.map((row) => ({ row, place: random() })).sort((a, b) => a.place - b.place).map(({ row }) => row);
};

const text = (rows: readonly (readonly string[])[], newline = '\n', header: readonly string[] = HEADER): Buffer =>
  Buffer.from([header, ...rows].map((row) => `${lineOf(row)}${newline}`).join(''));

/** Every field between quotes, whether it needs them or not. */
const quoted = (rows: readonly (readonly string[])[]): Buffer =>
  Buffer.from([HEADER, ...rows].map((row) => `${row.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`).join(''));

/** Puts lines between those of a file: what is malformed stays a small share. */
const withLines = (file: Buffer, lines: Readonly<Record<number, string>>): Buffer => {
  const all = file.toString().split('\n');
  return Buffer.from(all.flatMap((line, index) => (lines[index] === undefined ? [line] : [lines[index], line])).join('\n'));
};

const BINARY = { kind: 'BINARY_CLASSIFICATION', target: 'cnt', timeColumn: 'at', positiveLabel: '1.0' } as const;
const classes = (names: readonly string[]) => (hour: number): string => names[(hour * 7) % names.length];
const targetFirst = { ...CASE_SPEC.training, targetFirst: true };

const CONSTRAINTS = {
  source: 's3://data/constraints/Demand.json',
  versionId: 'c1',
  file: {
    ...{ schemaVersion: 1, model: 'Demand', origin: 'edited', consistency: [], columns: { names: HEADER, severity: 'warning' } },
    features: [
      {
        name: 'temp',
        type: { is: 'fractional', allowedShare: 0.05, severity: 'error' },
        range: { atMost: 34.5, allowedShare: 0.5, severity: 'error' },
      },
      { name: 'note', domain: { values: ['plain', 'two\nlines'], allowedUnseenShare: 1, severity: 'warning' } },
    ],
  } as unknown as ConstraintFile,
};

const malformed = {
  5: '2012-01-01T05:30:00Z,1',
  40: '',
  41: '   ',
  60: '2012-01-03T05:30:00Z,1"1,plain,4',
  80: '2012-01-03T05:30:00Z,"1"1,plain","4',
  120: 'yesterday,1,plain,4',
  121: '2012-01-03T05:30:00Z,1,plain,many',
  200: '2012-01-03T05:30:00Z,1,"a ""b"" "c,4",x,y,z',
};

export const CASES: Readonly<Record<string, PrepareCase>> = {
  'several objects in no order, the last days held out': {
    files: {
      'b.csv': text(rowsOf({ shuffled: true })),
      'a/part-2.csv': text(rowsOf({ rows: 100, seed: 2, shuffled: true, target: (hour) => (hour / 8).toFixed(3) })),
      'a/part-10.csv': text(rowsOf({ rows: 30, seed: 3 })),
    },
  },
  'quotes, newlines and commas within fields': {
    files: { 'a.csv': text(rowsOf({ notes: NOTES, shuffled: true })), 'b.csv': quoted(rowsOf({ notes: NOTES, seed: 4 })) },
    spec: { holdout: { share: 0.25 } },
  },
  'lines that end with carriage returns, behind a byte order mark': {
    files: { 'a.csv': Buffer.concat([Buffer.from('\ufeff'), text(rowsOf({ notes: NOTES }), '\r\n')]), 'b.csv': text(rowsOf({ seed: 5 }), '\r\n') },
    spec: { gate: { ...CASE_SPEC.gate, rowKey: ['at', 'note'] } },
  },
  'lines that end in ways that are mixed': {
    files: {
      'a.csv': Buffer.concat([text(rowsOf()), Buffer.from('2012-01-02T00:00:00Z,1,"x\r\ny",4\r\n\r\n2012-01-02,2,z\r,4\n')]),
      'b.csv': Buffer.concat([text(rowsOf({ seed: 6 }), '\r\n'), Buffer.from('2012-01-02T00:00:00Z,1,x\ny,4\r\n2012-01-02T00:00:00Z,1,x,4')]),
      'c.csv': text(rowsOf({ seed: 7 }), '\r'),
    },
    spec: { holdout: { share: 0.1 } },
  },
  'no time: a hash of the row decides': {
    files: { 'a.csv': text(rowsOf({ notes: NOTES, time: String, target: classes(['a', 'b, c', 'd "e"']) })) },
    spec: { task: { kind: 'MULTICLASS_CLASSIFICATION', target: 'cnt' }, holdout: { share: 0.3 }, training: targetFirst },
  },
  'the target first, two classes as 1 and 0': {
    files: { 'a.csv': text(rowsOf({ notes: NOTES, shuffled: true, target: classes(['0', '1', '1.00', ' 1']) })) },
    spec: { task: BINARY, training: targetFirst },
  },
  'the target in the first of two columns': {
    files: { 'a.csv': text(rowsOf().map(([, temp, , count]) => [count, temp]), '\n', ['cnt', 'temp']) },
    spec: { task: { kind: 'REGRESSION', target: 'cnt' }, holdout: { share: 0.2 }, training: targetFirst },
  },
  'malformed rows among many, and bytes that are no UTF-8': {
    files: {
      'a.csv': withLines(text(rowsOf({ rows: 2000, notes: NOTES.slice(0, 4) })), malformed),
      'b.csv': Buffer.from(text(rowsOf({ seed: 8, notes: ['Z\u00fcrich', 'plain'] })).toString(), 'latin1'),
    },
  },
  'rows that break constraints': {
    files: { 'a.csv': withLines(text(rowsOf({ rows: 1000, notes: NOTES })), { 7: malformed[5] }), 'b.csv': quoted(rowsOf({ seed: 9 })) },
    constraints: CONSTRAINTS,
  },
  'many rows of one time where the share is cut': {
    files: { 'a.csv': text(rowsOf({ shuffled: true, time: (hour) => at(24 * Math.floor(hour / 24)), notes: ['x', 'y'] })).subarray(0, -1) },
    spec: { holdout: { share: 0.15 } },
  },
  'UTF-16 behind its byte order mark': {
    files: { 'a.csv': Buffer.from(`\ufeff${text(rowsOf({ notes: NOTES })).toString()}`, 'utf16le') },
    spec: { holdout: { share: 0.2 } },
  },
};
