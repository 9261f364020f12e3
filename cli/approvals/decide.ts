import type { Command } from 'commander';
import type { ApprovalOutcome } from '../../lib/pipeline/approval/contract';
import { versionNumber } from '../arguments';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { ApprovalsApi } from './client';

interface Options extends PlatformOptions {
  readonly reason: string;
}

const VERBS = [
  { name: 'approve', what: 'approve a version that waits; its run goes on' },
  { name: 'reject', what: 'reject a version that waits; its run fails' },
] as const;

/** Decisions carry the signature of whoever runs the command: the history names the session that AWS knows. */
export const register = (parent: Command, io: Io): void => {
  for (const { name, what } of VERBS) {
    platformOptions(
      parent
        .command(name)
        .description(what)
        .argument('<model>')
        .argument('<version>', 'for example 3', versionNumber)
        .requiredOption('--reason <text>', 'why; it stays in the history'),
    ).action(async (model: string, version: number, _, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const api = new ApprovalsApi(await findPlatform(options));
      const outcome = await api.decide(model, version, { decision: name, reason: options.reason });
      emit(io, options, outcome, () => `${tell(outcome)}\n`);
    });
  }
};

const tell = ({ model, version, outcome, by, approvedBy }: ApprovalOutcome): string => {
  if (outcome === 'waiting') return `${model} v${version} is approved by ${approvedBy.join(', ')} and waits for another person`;
  return outcome === 'approved' ? `${model} v${version} is approved by ${approvedBy.join(' and ')}` : `${model} v${version} is rejected by ${by}`;
};
