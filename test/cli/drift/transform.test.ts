import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { SourceFile } from '../../../cli/drift/sources';
import { pairsOf } from '../../../cli/drift/transform';
import { main } from '../../../cli/program';
import type { MonitorResult } from '../../../lib/monitoring/contract';
import { random } from '../../fakes/random';
import { fakeIo } from '../fake-io';

process.env.AWS_REGION = 'eu-west-1';
jest.setTimeout(60_000);

/** Rows of two features with a score that follows one of them; `shift` moves the score alone, as a wrong model does. */
const rows = (count: number, seed: number, shift = 0): { cells: string; score: string }[] => {
  const next = random(seed);
  return Array.from({ length: count }, () => {
    const x = next();
    return { cells: `${x.toFixed(4)},${next() < 0.5 ? 'Oslo' : 'Bergen'}`, score: (x / 2 + 0.2 * next() + shift).toFixed(4) };
  });
};

let home: string;
const file = (name: string, lines: readonly string[]): string => {
  const place = path.join(home, name);
  mkdirSync(path.dirname(place), { recursive: true });
  writeFileSync(place, `${lines.join('\n')}\n`);
  return place;
};

beforeAll(() => {
  home = mkdtempSync(path.join(os.tmpdir(), 'mlops-transform-'));
  file('train.csv', ['x,city,y,p', ...rows(20_000, 1).map(({ cells, score }) => `${cells},0,${score}`)]);
  for (const [name, shift] of [['same', 0], ['moved', 0.2]] as const) {
    for (const part of ['a', 'b/c']) {
      const made = rows(1000, part.length + 10 * name.length, shift);
      file(`${name}/${part}.csv`, made.map(({ cells }) => cells));
      file(`${name}/${part}.csv.out`, made.map(({ score }) => score));
      file(`${name}-in/${part}.csv`, made.map(({ cells }) => cells));
      file(`${name}-out/${part}.csv.out`, made.map(({ score }) => JSON.stringify({ predictions: [{ score: Number(score) }] })));
    }
  }
});
afterAll(() => rmSync(home, { recursive: true }));
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
});

const at = (name: string): string => path.join(home, name);

const drift = async (...args: string[]) => {
  const { io, written } = fakeIo();
  const code = await main(['drift', ...args, '--json'], io);
  const windows = written.out === '' ? [] : (JSON.parse(written.out) as { windows: MonitorResult[] }).windows;
  const drifted = windows.flatMap((one) => one.drift.comparisons[0]?.features.filter((each) => each.drifted).map(({ name }) => name) ?? []);
  return { code, err: written.err, rows: windows[0]?.rows, rejected: windows[0]?.rejected, drifted, windows };
};

const named = (name: string): SourceFile => ({ name, bytes: 1 }) as SourceFile;

test('objects below two prefixes go together by what is behind them', () => {
  const inputs = ['s3://b/in/2026/a.csv', 's3://b/in/2026/b.csv'].map(named);
  const outputs = ['s3://b/job/out/2026/a.csv.out', 's3://b/job/out/2026/b.csv.out'].map(named);
  const pairs = (input: string, output: string): unknown[] =>
    pairsOf(input, inputs, output, outputs).map(({ name, answers }) => [name, answers?.name]);
  const expected = inputs.map(({ name }, index) => [name, outputs[index].name]);
  expect(pairs('s3://b/in/', 's3://b/job/out/')).toEqual(expected);
  expect(pairs('s3://b/in', 's3://b/job/out')).toEqual(expected);
  expect(() => pairs('s3://b/in/', 's3://b/job/out/2026/')).toThrow('2 of 2 inputs below s3://b/in/ have no output: s3://b/in/2026/a.csv');
});

const TRAINING = ['--target', 'y', '--prediction', 'p'];

test('outputs beside their inputs are told by their names, and a change of the predictions alone is found', async () => {
  expect(await drift(at('train.csv'), at('same'), ...TRAINING)).toMatchObject({ code: 0, rows: 2000, rejected: {} });
  expect(await drift(at('train.csv'), at('moved'), ...TRAINING)).toMatchObject({ code: 3, drifted: ['p'] });
});

test('outputs below a prefix of their own, in JSON, are found by the names of their inputs', async () => {
  const found = await drift(at('train.csv'), at('moved-in'), '--output', at('moved-out'), ...TRAINING);
  expect(found).toMatchObject({ code: 3, rows: 2000, drifted: ['p'] });
});

test('one input and its output, and a transform as the reference', async () => {
  const one = await drift(at('train.csv'), at('moved/a.csv'), '--format', 'transform', ...TRAINING);
  expect(one).toMatchObject({ code: 3, rows: 1000, drifted: ['p'] });
  const made = rows(20_000, 9);
  const [input] = [file('old/x.csv', made.map(({ cells }) => cells)), file('old/x.csv.out', made.map(({ score }) => score))];
  const both = await drift(path.dirname(input), at('moved'), '--columns', 'x,city');
  expect(both).toMatchObject({ code: 3, drifted: ['prediction'] });
});

test('inputs with a header, in another order, and outputs that hold their inputs', async () => {
  const made = rows(1000, 5, 0.2);
  file('header/a.csv', ['city,x', ...made.map(({ cells }) => cells.split(',').reverse().join(','))]);
  file('header/a.csv.out', made.map(({ score }) => score));
  expect(await drift(at('train.csv'), at('header'), ...TRAINING)).toMatchObject({ code: 3, rows: 1000, rejected: {}, drifted: ['p'] });
  const joined = file('joined/a.csv.out', made.map(({ cells, score }) => `${cells},${score}`));
  expect(await drift(at('train.csv'), joined, '--format', 'transform', ...TRAINING)).toMatchObject({ code: 3, rows: 1000, drifted: ['p'] });
});

test('an input without an output is an error, another number of predictions is counted', async () => {
  const lacking = await drift(at('train.csv'), at('moved-in'), '--output', at('same/b'), ...TRAINING);
  expect(lacking).toMatchObject({ code: 1, err: expect.stringMatching(/2 of 2 inputs below .* have no output: [^]*--output/) });
  const made = rows(1000, 7);
  file('fewer/a.csv', made.map(({ cells }) => cells));
  file('fewer/a.csv.out', made.slice(1).map(({ score }) => score));
  expect(await drift(at('train.csv'), at('fewer'), ...TRAINING)).toMatchObject({ rows: 1000, rejected: { 'prediction-count': 1 } });
  file('nameless/a.csv', made.map(({ cells }) => cells));
  file('nameless/a.csv.out', made.map(({ score }) => score));
  expect(await drift(at('nameless'), at('same'))).toMatchObject({ code: 2, err: expect.stringContaining('--columns a,b,c') });
});
