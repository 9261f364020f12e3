import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { DecisionRecord, RetrainRequestedDetail } from '../../lib/retraining/contract';
import { UsageError } from '../errors';
import { localTime } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform, type Platform } from '../platform';
import { callerOf } from './caller';
import { sendRequest } from './send-request';

interface Options extends PlatformOptions {
  readonly reason: string;
  readonly occurredAt?: Date;
  readonly wait: boolean;
}

const WAIT_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 300;

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
    const requestedBy = await callerOf(platform.connection);
    const since = new Date(Date.now() - 60_000).toISOString();
    const known = new Set((await recent(platform, model, since)).map(({ at, cause }) => `${at} ${cause.causeId}`));
    const detail = await sendRequest(platform, model, {
      occurredAt: (options.occurredAt ?? new Date()).toISOString(),
      reason: options.reason,
      requestedBy,
    });
    const decision = options.wait ? await decisionOn(platform, detail, since, known) : undefined;
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

const recent = async (platform: Platform, model: string, since: string): Promise<DecisionRecord[]> =>
  (await platform.governor.listDecisions(model, { limit: 25, newestFirst: true })).filter(({ at }) => at >= since);

async function decisionOn(
  platform: Platform,
  detail: RetrainRequestedDetail,
  since: string,
  known: ReadonlySet<string>,
): Promise<DecisionRecord | undefined> {
  const deadline = Date.now() + WAIT_MILLISECONDS;
  while (Date.now() < deadline) {
    const found = (await recent(platform, detail.model, since)).find(
      ({ at, cause }) => cause.kind === 'manual' && cause.key === detail.requestedBy && !known.has(`${at} ${cause.causeId}`),
    );
    if (found) return found;
    await sleep(POLL_MILLISECONDS);
  }
  return undefined;
}

function tell(detail: RetrainRequestedDetail, decision: DecisionRecord | undefined, waited: boolean): string {
  const asked = `retraining of ${detail.model} requested, cause of ${localTime(detail.occurredAt)}\n`;
  if (decision) return `${asked}${decision.decision}${decision.runId ? ` (run ${decision.runId})` : ''}: ${decision.reason}\n`;
  return waited ? `${asked}no decision within ${WAIT_MILLISECONDS / 1000} s: see \`mlops retrain status ${detail.model}\`\n` : asked;
}
