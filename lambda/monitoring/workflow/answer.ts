import type { MonitorAnswer, MonitorResult } from '../../../lib/monitoring/contract';
import { MONITOR_LIMITS } from '../../../lib/monitoring/workflow/contract';
import { driftedFeatures } from './publish';

/** What a run says of a window; lists are cut until it is small enough for all windows of a run to fit together. */
export function answerOf(result: MonitorResult): MonitorAnswer {
  const { model, version, windowStart, windowEnd, rows, drift, quality, groups, constraints, episodes, resultUri, reportUri } = result;
  const answer = {
    model,
    ...(version !== undefined && { version }),
    windowStart,
    windowEnd,
    rows,
    driftVerdict: drift.verdict,
    driftedFeatures: driftedFeatures(drift),
    qualityVerdict: quality.verdict,
    groupsVerdict: groups.verdict,
    constraintsVerdict: constraints.verdict,
    metrics: Object.fromEntries(Object.entries(quality.metrics).map(([name, { value }]) => [name, value])),
    episodes: episodes.map(({ rule, key }) => (rule === key ? rule : `${rule} ${key}`)),
    resultUri,
    reportUri,
  };
  let cut: MonitorAnswer = answer;
  for (let most = 16; Buffer.byteLength(JSON.stringify(cut)) > MONITOR_LIMITS.answerBytes && most > 0; most = Math.floor(most / 2)) {
    cut = {
      ...answer,
      driftedFeatures: answer.driftedFeatures.slice(0, most),
      metrics: Object.fromEntries(Object.entries(answer.metrics).slice(0, most)),
      episodes: answer.episodes.slice(0, most),
    };
  }
  return cut;
}
