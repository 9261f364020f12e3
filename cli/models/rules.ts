import { type Command, Option } from 'commander';
import { ALLOWED_TRANSITIONS } from '../../lib/registry/contract';
import { UsageError } from '../errors';
import { table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

interface Options extends PlatformOptions {
  readonly twoPersons: readonly string[];
  readonly evidence: readonly string[];
  readonly none?: boolean;
  readonly reason?: string;
}

const STATES = Object.keys(ALLOWED_TRANSITIONS);

const asks = (whether: boolean | undefined): string => (whether ? 'yes' : '-');

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('rules')
      .description('what each step of a version takes; with options: states all rules anew, for a model without a pipeline')
      .argument('<model>')
      .addOption(new Option('--two-persons <states...>', 'states that another person must give than gave the one before').choices(STATES).default([]))
      .addOption(new Option('--evidence <states...>', 'states that take the URI of evidence').choices(STATES).default([]))
      .option('--none', 'no rules any more')
      .option('--reason <text>', 'why; it stays in the history'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const states = [...new Set([...options.twoPersons, ...options.evidence])];
    const { api, registry } = await findPlatform(options);
    if (states.length > 0 || options.none) {
      if (!options.reason) throw new UsageError('a change of rules needs --reason', 'it stays in the history');
      const rules = states.map((state) => ({
        state,
        two_person: options.twoPersons.includes(state),
        evidence: options.evidence.includes(state),
      }));
      await api.call('POST', '/api/2.0/mlops/registry/rules', { name: model, rules, reason: options.reason });
    }
    const { rules = [] } = await registry.getModel(model);
    emit(io, options, rules, () =>
      rules.length === 0
        ? `${model} has no rules\n`
        : table(
            io,
            ['step to', 'a person', 'two persons', 'evidence'],
            rules.map(({ state, person, twoPerson, evidence }) => [state, asks(person || twoPerson), asks(twoPerson), asks(evidence)]),
          ),
    );
  });
};
