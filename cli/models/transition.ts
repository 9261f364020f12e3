import { Argument, type Command } from 'commander';
import { ALLOWED_TRANSITIONS } from '../../lib/registry/contract';
import { versionNumber } from '../arguments';
import { state as coloured } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

interface Options extends PlatformOptions {
  readonly reason: string;
  readonly evidence?: string;
}

/** What serves is changed by a promotion alone. */
const STATES = Object.keys(ALLOWED_TRANSITIONS).filter((state) => state !== 'Production' && state !== 'Incomplete');

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('transition')
      .description('move a version to another state: submit it for approval, approve or reject it')
      .argument('<model>')
      .argument('<version>', 'for example 3', versionNumber)
      .addArgument(new Argument('<state>').choices(STATES))
      .requiredOption('--reason <text>', 'why; it stays in the history')
      .option('--evidence <uri>', 'what shows that it is right: a report, a ticket'),
  ).action(async (model: string, version: number, to: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const { api } = await findPlatform(options);
    const body = { name: model, version: String(version), to, reason: options.reason, evidence_uri: options.evidence };
    const answer = await api.call('POST', '/api/2.0/mlops/registry/transition', body);
    emit(io, options, answer, () => `${model} v${version} is ${coloured(io, to)}\n`);
  });
};
