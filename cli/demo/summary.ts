import Table from 'cli-table3';
import type { DemoResult } from './result';

const number = (value: number): string => value.toFixed(1);

const table = (head: string[], rows: string[][]): string => {
  const made = new Table({ head, style: { head: process.stdout.isTTY && !process.env.NO_COLOR ? ['bold'] : [], border: [] } });
  made.push(...rows);
  return made.toString();
};

/** What the demo shows last: months, versions, decisions of the governor, figures, and where to look further. */
export const summarize = (result: DemoResult, further: readonly string[]): string => {
  const months = table(
    ['month', 'served', 'RMSE', 'RMSE of v1', 'quality', 'drift (warns only)'],
    result.months.map((month) => [
      month.month,
      `v${month.servedVersion}`,
      number(month.rmse),
      number(month.rmseOfFirstVersion),
      month.verdict.quality,
      month.features.length > 0 ? `${month.verdict.drift}: ${month.features.join(', ')}` : month.verdict.drift,
    ]),
  );
  const versions = table(
    ['version', 'state', 'holdout RMSE', 'cause'],
    result.versions.map((version) => [`v${version.version}`, version.state, number(version.metrics.rmse), version.cause]),
  );
  const decisions = table(
    ['governor', 'cause', 'why'],
    result.governor.map((decision) => [decision.decision, decision.cause, decision.reason]),
  );
  const total = result.stages.reduce((sum, stage) => sum + stage.seconds, 0);
  const calls = Object.entries(result.awsCalls).sort(([, a], [, b]) => b - a);
  return [
    '',
    months,
    versions,
    decisions,
    `${result.endpointRequests} requests to the endpoint, ${result.endpointFailures} failed; ${total.toFixed(0)} s in all`,
    `AWS calls served: ${calls.map(([service, count]) => `${service} ${count}`).join(', ')}`,
    `Drift report: ${result.report}`,
    '',
    ...further,
  ].join('\n');
};
