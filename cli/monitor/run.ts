import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Command } from 'commander';
import { moment as shortTime } from '../../lambda/monitoring/report/words';
import type { MonitorAnswer, MonitorRequest, MonitorRun } from '../../lib/monitoring/contract';
import { UsageError } from '../errors';
import { followExecution } from '../executions';
import { bad, good, metrics, table } from '../format';
import type { Io } from '../io';
import { emit, platformOptions, type PlatformOptions } from '../options';
import { findPlatform } from '../platform';
import { withProgress } from '../progress';
import { utcMoment } from './times';

interface Options extends PlatformOptions {
  readonly from?: string;
  readonly to?: string;
  readonly force?: boolean;
}

const FIX = 'docs/runbook.md says what to do; the same run again judges what is missing';

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('run')
      .description('judge windows now: the latest that changed, or those between two times')
      .argument('<model>')
      .option('--from <time>', 'every whole window that ends after this (ISO 8601, UTC)', utcMoment)
      .option('--to <time>', 'and at this or before', utcMoment)
      .option('--force', 'judge again, also where nothing changed'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    const request = requestOf(options);
    const platform = await findPlatform(options);
    const { monitorStateMachineArn } = platform.model(model);
    const machines = new SFNClient(platform.connection);
    const run = await withProgress(io, `monitor of ${model}`, async (tell) => {
      const { executionArn = '' } = await machines.send(
        new StartExecutionCommand({ stateMachineArn: monitorStateMachineArn, input: JSON.stringify(request) }),
      );
      return followExecution<MonitorRun>(machines, executionArn, { what: 'the monitor', onState: tell, nameOf: stateOf, fix: FIX });
    });
    emit(io, options, run, () => told(io, model, run));
  });
};

function requestOf({ from, to, force }: Options): MonitorRequest {
  if (from !== undefined && to !== undefined && from >= to) {
    throw new UsageError(`--from ${from} is not before --to ${to}`, 'name the earlier time with --from');
  }
  return { ...(from && { windowStart: from }), ...(to && { windowEnd: to }), ...(force && { force }) };
}

/** A state with the window that it works on. */
function stateOf(state: string, input: string): string {
  const end = /"windowEnd"\s*:\s*"([^"]+)"/.exec(input)?.[1];
  return end ? `${state}, window to ${shortTime(end)}` : state;
}

function told(io: Io, model: string, { windows, unchanged }: MonitorRun): string {
  const same = unchanged > 0 ? `${unchanged} ${unchanged === 1 ? 'window' : 'windows'} had not changed\n` : '';
  if (windows.length === 0) return `nothing to judge for ${model}\n${same}`;
  const verdict = (text: string): string => (text === 'ok' ? good(io, text) : /^(drift|degraded|violated)$/.test(text) ? bad(io, text) : text);
  const rows = windows.map((answer: MonitorAnswer) => [
    `${shortTime(answer.windowStart)} to ${shortTime(answer.windowEnd)}`,
    answer.rows.toLocaleString('en-US'),
    answer.version === undefined ? '-' : `v${answer.version}`,
    verdict(answer.driftVerdict),
    answer.driftedFeatures.slice(0, 4).join(', ') || '-',
    verdict(answer.qualityVerdict),
    metrics(answer.metrics, 2),
    verdict(answer.groupsVerdict),
    verdict(answer.constraintsVerdict),
    answer.episodes.join(', ') || '-',
  ]);
  const head = ['window (UTC)', 'rows', 'version', 'drift', 'drifted', 'quality', 'metrics', 'groups', 'data rules', 'episodes'];
  return `${table(io, head, rows)}${same}more: mlops monitor show ${model} --window ${windows[windows.length - 1].windowEnd}\n`;
}
