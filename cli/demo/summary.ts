import * as path from 'node:path';
import { shorten, state, strong, table } from '../format';
import type { Io } from '../io';
import type { DemoResult } from './result';

/** A cause and a reason share what a usual terminal leaves them. */
const CAUSE_LENGTH = 72;
const REASON_LENGTH = 72;

/** What the demo shows last: months, versions, decisions of the governor, figures, and where to look further. */
export const summarize = (io: Io, result: DemoResult, further: readonly string[]): string => {
  const months = table(
    io,
    ['month', 'served', 'RMSE', 'of v1', 'quality', 'drift (only warns)'],
    result.months.map((month) => [
      month.month,
      `v${month.servedVersion}`,
      month.rmse.toFixed(1),
      month.rmseOfFirstVersion.toFixed(1),
      month.verdict.quality,
      month.features.length > 0 ? month.features.join(', ') : month.verdict.drift,
    ]),
  );
  const versions = table(
    io,
    ['version', 'state', 'holdout RMSE', 'cause'],
    result.versions.map((version) => [`v${version.version}`, state(io, version.state), version.metrics?.rmse.toFixed(1) ?? '', version.cause ?? '']),
  );
  const decisions = table(
    io,
    ['governor', 'cause', 'because'],
    result.governor.map((decision) => [state(io, decision.decision), shorten(decision.cause, CAUSE_LENGTH), shorten(decision.reason, REASON_LENGTH)]),
  );
  const total = result.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const calls = Object.entries(result.awsCalls)
    .sort(([, a], [, b]) => b - a)
    .map(([service, count]) => `${service} ${count}`);
  return [
    '',
    months,
    versions,
    decisions,
    `${strong(io, `${result.endpointRequests} requests to the endpoint, ${result.endpointFailures} failed`)}; ${total.toFixed(0)} s in all`,
    `AWS calls served: ${calls.join(', ')}`,
    `Drift report: ${path.relative('', result.report)}`,
    '',
    ...further,
    '',
  ].join('\n');
};
