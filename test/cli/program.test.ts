import type { Command } from 'commander';
import { createProgram, main, withoutAmbiguity } from '../../cli/program';
import { fakeIo } from './fake-io';

const run = async (...args: string[]) => {
  const { io, written } = fakeIo();
  return { code: await main(args, io), ...written };
};

const every = (command: Command, words: readonly string[] = []): string[][] => [
  [...words],
  ...command.commands.flatMap((child) => every(child, [...words, child.name()])),
];

describe('mlops', () => {
  const commands = every(createProgram(fakeIo().io)).map((words) => [words.join(' '), words] as const);
  test.each(commands)('"%s" explains itself with --help', async (_, words) => {
    const { code, out, err } = await run(...words, '--help');
    expect(code).toBe(0);
    expect(out).toContain('Usage: mlops');
    expect(err).toBe('');
  });

  test.each([
    ['no command', []],
    ['a group without command', ['models']],
    ['an unknown command', ['fly']],
    ['a missing argument', ['models', 'show']],
    ['an unknown option', ['models', 'list', '--fast']],
    ['a missing option', ['predict', 'm']],
    ['an odd port', ['local', 'start', '--port', 'many']],
    ['an odd version', ['models', 'show', 'm', '--version', 'x']],
    ['an odd limit', ['runs', 'list', 'm', '--limit', '0']],
    ['a time in the future', ['retrain', 'request', 'm', '--occurred-at', '2999-01-01T00:00:00Z']],
    ['a file that is not there', ['labels', 'put', 'm', '/no/such/file']],
  ])('answers %s with exit code 2 and a message', async (_, args) => {
    const { code, err } = await run(...args);
    expect(code).toBe(2);
    expect(err).not.toBe('');
    expect(err).not.toMatch(/^\s+at /m);
  });

  test('answers a missing engine with exit code 1 and the way to start one', async () => {
    const { code, err } = await run('models', 'list', '--local=no-such-engine');
    expect(code).toBe(1);
    expect(err).toMatch(/^error: there is no running local engine/);
  });

  test('shows a stack trace to those who debug', async () => {
    const { io, written } = fakeIo({ environment: { DEBUG: '1' } });
    await main(['labels', 'put', 'm', '/no/such/file'], io);
    expect(written.err).toMatch(/^\s+at /m);
  });
});

describe('--local', () => {
  const engines = () => ['mine'];
  test.each([
    [['models', 'show', '--local', 'bikes'], ['models', 'show', '--local=', 'bikes']],
    [['models', 'show', '--local', 'mine', 'bikes'], ['models', 'show', '--local', 'mine', 'bikes']],
    [['models', 'list', '--local'], ['models', 'list', '--local']],
    [['models', 'list', '--local', '--json'], ['models', 'list', '--local', '--json']],
    [['local', 'exec', '--', 'x', '--local', 'y'], ['local', 'exec', '--', 'x', '--local', 'y']],
  ])('takes a name only where an engine has it: %j', (args, expected) => expect(withoutAmbiguity(args, engines)).toEqual(expected));
});
