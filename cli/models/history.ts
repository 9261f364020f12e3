import type { Command } from 'commander';
import type { HistoryVerdict } from '../../lambda/registry/history';
import type { HistoryEntry } from '../../lib/registry/contract';
import { bad, good, localTime, shorten, state, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

interface Options extends PlatformOptions {
  readonly verify?: boolean;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('history')
      .description('every change of a model, oldest first')
      .argument('<model>')
      .option('--verify', 'check that no entry was changed, removed or slipped in; exit code 1 where one was'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { registry, historyCopies } = await findPlatform(options);
    if (options.verify) {
      const verdict = await registry.verifyHistory(model, historyCopies);
      emit(io, options, verdict, () =>
        verdict.intact
          ? `${good(io, 'intact')}: ${verdict.entries} entries, each follows the one before${copied(verdict, historyCopies !== undefined)}\n`
          : `${bad(io, 'not intact')}: ${verdict.problem}\n`,
      );
      if (!verdict.intact) process.exitCode = 1;
      return;
    }
    const entries = await registry.history(model);
    emit(io, options, entries, () =>
      table(
        io,
        ['no.', 'when', 'version', 'change', 'from', 'to', 'by', 'reason'],
        entries.map((entry) => [
          String(entry.sequence),
          localTime(entry.at),
          ...changed(io, entry),
          shorten(entry.actor, 40),
          shorten(entry.reason, 60),
        ]),
      ),
    );
  });
};

const copied = ({ uncopied }: HistoryVerdict, compared: boolean): string => {
  if (!compared) return '';
  return uncopied === undefined ? ', and each is its locked copy' : `; ${uncopied} have no locked copy`;
};

const changed = (io: Io, { version, action, fromState, toState, change }: HistoryEntry): string[] => [
  version === undefined ? '-' : `v${version}`,
  change ? `${action} ${change.what}` : action,
  change?.from ?? fromState ?? '-',
  change?.to ?? (toState === undefined ? '-' : state(io, toState)),
];
