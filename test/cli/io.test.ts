import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { processIo, readInput } from '../../cli/io';
import { withProgress } from '../../cli/progress';
import { fakeIo } from './fake-io';

const terminal = (isTTY: boolean): void => {
  for (const stream of [process.stdout, process.stderr]) Object.defineProperty(stream, 'isTTY', { value: isTTY, configurable: true });
};
const { isTTY } = process.stdout;
const environment = { ...process.env };
afterEach(() => {
  jest.restoreAllMocks();
  terminal(isTTY);
  process.env = { ...environment };
});

describe('colours', () => {
  test.each<[boolean, boolean, NodeJS.ProcessEnv]>([
    [true, true, {}],
    [false, true, { NO_COLOR: '1' }],
    [false, true, { TERM: 'dumb' }],
    [false, false, {}],
  ])('%s in a terminal %s with %j', (colours, isTerminal, extra) => {
    terminal(isTerminal);
    delete process.env.NO_COLOR;
    Object.assign(process.env, { TERM: 'xterm' }, extra);
    expect(processIo()).toMatchObject({ colours, isTerminal });
  });
});

describe('input', () => {
  test('is a file, or standard input to its end', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'cdk-mlops-io-'));
    const file = path.join(directory, 'rows.csv');
    writeFileSync(file, '1,2\n');
    expect((await readInput(fakeIo().io, file)).toString()).toBe('1,2\n');
    rmSync(directory, { recursive: true });
    jest.spyOn(process, 'stdin', 'get').mockReturnValue(Readable.from([Buffer.from('a'), Buffer.from('b')]) as never);
    expect((await readInput(processIo(), '-')).toString()).toBe('ab');
  });
});

test('results and remarks go their own ways', () => {
  const out = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  const err = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const io = processIo();
  io.out('result');
  io.err('remark');
  expect([out.mock.calls, err.mock.calls]).toEqual([[['result']], [['remark']]]);
});

test('progress is plain lines beside the result where nobody watches', async () => {
  const { io, written } = fakeIo();
  expect(await withProgress(io, 'engine', async (tell) => (tell('starting'), 7))).toBe(7);
  expect(written).toEqual({ out: '', err: 'engine: starting\n' });
});
