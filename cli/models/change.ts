import { Argument, type Command } from 'commander';
import { ALLOWED_TRANSITIONS } from '../../lib/registry/contract';
import { versionNumber } from '../arguments';
import { state } from '../format';
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

/** What serves is changed by a promotion alone. */
const STATES = Object.keys(ALLOWED_TRANSITIONS).filter((name) => name !== 'Production' && name !== 'Incomplete');

/** Decisions about versions go through the API, which knows who asks and puts it into the history. */
export const register = (parent: Command, io: Io): void => {
  for (const { name, what, done } of VERBS) {
    decision(parent, name, what).action((model: string, version: number, _, command: Command) => decide(io, command, name, { model, version }, done));
  }
  decision(parent, 'transition', 'move a version to another state: submit it for approval, approve or reject it')
    .addArgument(new Argument('<state>').choices(STATES))
    .action((model: string, version: number, to: string, _, command: Command) =>
      decide(io, command, 'transition', { model, version, to }, `is ${state(io, to)}`),
    );
};

const decision = (parent: Command, name: string, what: string): Command =>
  platformOptions(
    parent
      .command(name)
      .description(what)
      .argument('<model>')
      .argument('<version>', 'for example 3', versionNumber)
      .requiredOption('--reason <text>', 'why; it stays in the history')
      .option('--evidence <uri>', 'what shows that it is right: a report, a ticket'),
  );

interface Decided {
  readonly model: string;
  readonly version: number;
  readonly to?: string;
}

const decide = async (io: Io, command: Command, name: string, { model, version, to }: Decided, done: string): Promise<void> => {
  const options = command.optsWithGlobals<Options>();
  const { api } = await findPlatform(options);
  const body = { name: model, version: String(version), to, reason: options.reason, evidence_uri: options.evidence };
  const answer = await api.call('POST', `/api/2.0/mlops/registry/${name}`, body);
  // The first of two persons leaves the version where it is.
  const left = (answer as { model_version?: { state?: string } }).model_version?.state;
  const waits = to === 'Approved' && left === 'PendingApproval';
  emit(io, options, answer, () => `${model} v${version} ${waits ? 'has your approval and waits for another person' : done}\n`);
};
