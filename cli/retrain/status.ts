import type { Command } from 'commander';
import type { GovernorState } from '../../lambda/retraining/governor';
import type { DecisionRecord } from '../../lib/retraining/contract';
import { fields, localTime, shorten, state as painted, strong, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';

const LISTED = 15;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent.command('status').description('whether a run is under way, paused or cooling down, and the last decisions').argument('<model>'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<PlatformOptions>();
    const platform = await findPlatform(options);
    platform.model(model);
    const [state, decisions] = await Promise.all([
      platform.governor.state(model),
      platform.governor.listDecisions(model, { limit: LISTED, newestFirst: true }),
    ]);
    emit(io, options, { ...state, decisions }, () => show(io, state, decisions));
  });
};

function show(io: Io, state: GovernorState, decisions: readonly DecisionRecord[]): string {
  const { lock, paused } = state;
  const rejected = Object.entries(state.rejectedCauses).map(([rule, at]) => `${rule} ${localTime(at)}`);
  const about = fields(io, {
    model: state.model,
    run: lock ? `${lock.runId} since ${localTime(lock.acquiredAt)}` : 'none under way',
    paused: paused ? `by ${paused.by} since ${localTime(paused.at)}: ${paused.reason}` : 'no',
    'last promoted cause': state.promotedCause && localTime(state.promotedCause),
    'last rejected causes': rejected.length ? rejected.join(', ') : undefined,
  });
  if (decisions.length === 0) return `${about}\nno cause has come yet\n`;
  const rows = decisions.map((one) => [
    localTime(one.at),
    painted(io, one.decision),
    localTime(one.cause.occurredAt),
    shorten(one.cause.summary, 60),
    shorten(one.reason, 60),
  ]);
  return `${about}\n${strong(io, 'last decisions')}\n${table(io, ['decided', 'decision', 'cause of', 'cause', 'because'], rows)}`;
}
