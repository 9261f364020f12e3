import type { Command } from 'commander';
import type { PendingApproval } from '../../lib/pipeline/approval/contract';
import { fields, localTime, strong } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { ApprovalsApi } from './client';

export const register = (parent: Command, io: Io): void => {
  platformOptions(parent.command('approvals').description('versions that wait for a person to approve them').argument('[model]')).action(
    async (model: string | undefined, _, command: Command) => {
      const options = command.optsWithGlobals<PlatformOptions>();
      const found = await new ApprovalsApi(await findPlatform(options)).pending(model);
      emit(io, options, found, () => (found.length === 0 ? 'nothing waits for approval\n' : found.map((one) => tell(io, one)).join('\n')));
    },
  );
};

const tell = (io: Io, one: PendingApproval): string => {
  const { model, version, policy, startedBy, approvedBy } = one;
  const about = fields(io, {
    policy: policy === 'manual' ? 'one person approves' : startedBy ? 'who started the run, and another person' : 'two persons',
    'run started by': startedBy ?? `nobody: ${one.cause}`,
    'approved so far': approvedBy.join(', ') || 'by nobody',
    until: localTime(one.expiresAt),
    gate: one.reason,
    report: one.reportUri,
    run: one.runId,
    decide: `mlops approve ${model} ${version} --reason TEXT, or mlops reject ${model} ${version} --reason TEXT`,
  });
  return `${strong(io, `${model} v${version}`)}\n${about}`;
};
