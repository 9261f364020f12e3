import type { Command } from 'commander';
import type { DecisionRecord, RetrainRequestedDetail } from '../../lib/retraining/contract';
import { UsageError } from '../errors';
import { localTime } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { askForRun, WAIT_MILLISECONDS } from './decision';

interface Options extends PlatformOptions {
  readonly reason: string;
  readonly occurredAt?: Date;
  readonly wait: boolean;
}

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('request')
      .description('ask for a retraining; the governor decides, and this command says what it decided')
      .argument('<model>')
      .option('--reason <text>', 'why; becomes the cause of the run', 'asked for by hand')
      .option('--occurred-at <time>', 'event time of the cause, ISO 8601, not in the future (now by default)', pastTime)
      .option('--no-wait', 'do not wait for the decision'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const platform = await findPlatform(options);
    platform.model(model);
    const occurredAt = (options.occurredAt ?? new Date()).toISOString();
    const { request: detail, decision } = await askForRun(platform, model, { occurredAt, reason: options.reason, wait: options.wait });
    emit(io, options, { request: detail, decision }, () => tell(detail, decision, options.wait));
  });
};

function pastTime(text: string): Date {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()) || !/^\d{4}-\d{2}-\d{2}/.test(text)) {
    throw new UsageError(`"${text}" is no ISO 8601 time`, 'for example 2026-03-01T10:00:00Z');
  }
  if (time.getTime() > Date.now()) throw new UsageError(`${text} is in the future`, 'a cause has happened already');
  return time;
}

function tell(detail: RetrainRequestedDetail, decision: DecisionRecord | undefined, waited: boolean): string {
  const asked = `retraining of ${detail.model} requested, cause of ${localTime(detail.occurredAt)}\n`;
  if (decision) return `${asked}${decision.decision}${decision.runId ? ` (run ${decision.runId})` : ''}: ${decision.reason}\n`;
  return waited ? `${asked}no decision within ${WAIT_MILLISECONDS / 1000} s: see \`mlops retrain status ${detail.model}\`\n` : asked;
}
