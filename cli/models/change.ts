import type { Command } from 'commander';
import { versionNumber } from '../arguments';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

interface Options extends PlatformOptions {
  readonly reason: string;
  readonly evidence?: string;
}

interface Verb {
  readonly name: 'promote' | 'archive';
  readonly what: string;
  readonly done: string;
}

const VERBS: readonly Verb[] = [
  {
    name: 'promote',
    what: 'make an approved version the champion of a model without a pipeline, which would move the endpoint, too',
    done: 'is the champion now',
  },
  { name: 'archive', what: 'put a version away: it stays on record and can come back by a promotion', done: 'is archived' },
];

/** Changes of what serves go through the API, which knows who asks and puts it into the history. */
export const register = (parent: Command, io: Io): void => {
  for (const { name, what, done } of VERBS) {
    platformOptions(
      parent
        .command(name)
        .description(what)
        .argument('<model>')
        .argument('<version>', 'for example 3', versionNumber)
        .requiredOption('--reason <text>', 'why; it stays in the history')
        .option('--evidence <uri>', 'what shows that it is right: a report, a ticket'),
    ).action(async (model: string, version: number, _, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const { api } = await findPlatform(options);
      const body = { name: model, version: String(version), reason: options.reason, evidence_uri: options.evidence };
      const answer = await api.call('POST', `/api/2.0/mlops/registry/${name}`, body);
      emit(io, options, answer, () => `${model} v${version} ${done}\n`);
    });
  }
};
