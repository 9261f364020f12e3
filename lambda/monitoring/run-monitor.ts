import { monitoringPrefix } from '../../lib/artifacts/contract';
import type { MonitorAnswer, MonitorResult, MonitorSpec } from '../../lib/monitoring/contract';
import { METRICS, QUALITY_METRIC_PREFIX } from '../../lib/operations/contract';
import type { EventDetail } from '../../lib/retraining/contract';
import { DriftDetectedDetail, EVENTS, QualityDegradedDetail } from '../../lib/retraining/contract';
import { DriftJudgement, judgeDrift } from './judge';
import { judgeQuality } from './judge-quality';
import type { MonitorClient } from './monitor.client';
import { Rejections } from './rejections';
import { renderReport } from './report';
import { readWindow, WindowContent } from './window';

export interface MonitorPorts {
  readonly platform: string;
  readonly spec: MonitorSpec;
  readonly client: MonitorClient;
  readonly putEvent: <T extends EventDetail>(detailType: string, detail: T) => Promise<void>;
  /** Counts and plain values are published apart, since they differ in unit. */
  readonly publish: (counts: Readonly<Record<string, number>>, values: Readonly<Record<string, number>>) => void;
  readonly now: () => number;
}

/** A window of event time in milliseconds; its end is not part of it. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** Judges one window: reads, writes result and report, publishes metrics, then puts the events. The same window again gives the same result. */
export async function runMonitor(ports: MonitorPorts, window: Window): Promise<MonitorAnswer> {
  const { client, spec } = ports;
  const rejections = new Rejections();
  const champion = await client.champion(spec.model);
  const baseline = champion && (await client.baseline(champion));
  const content = baseline
    ? await readWindow(
        spec,
        baseline,
        window,
        {
          captures: client.captureLines(spec, window.start, window.end),
          labels: client.labelLines(spec, window.start),
          promotions: await client.promotions(spec.model),
        },
        rejections,
      )
    : NOTHING;
  const drift = baseline ? judgeDrift(baseline, spec, { ...window, rows: content.rows, counts: content.counts }) : NO_CHAMPION;
  const key = `${monitoringPrefix(spec.model)}${compact(window.end)}-${compact(window.start)}`;
  const result: MonitorResult = {
    schemaVersion: 1,
    platform: ports.platform,
    model: spec.model,
    ...(champion && { version: champion.version }),
    windowStart: new Date(window.start).toISOString(),
    windowEnd: new Date(window.end).toISOString(),
    requests: content.requests,
    rows: content.rows,
    servedBy: content.servedBy,
    rejected: rejections.counts(),
    rejectedSamples: rejections.samples(),
    drift: {
      verdict: drift.verdict,
      reason: drift.reason,
      reference: drift.reference,
      features: drift.features.map((feature) => feature.result),
      skipped: baseline?.skipped ?? [],
    },
    quality: judgeQuality(spec, content.rows, content.labelled),
    resultUri: client.reportsUri(`${key}/result.json`),
    reportUri: client.reportsUri(`${key}/report.html`),
  };
  await client.putResult(result, result, renderReport(result, { features: drift.features, spec, holdout: baseline?.holdout }));
  publish(ports, result, rejections.total);
  await announce(ports, result, window);
  return answerOf(result);
}

const NOTHING: WindowContent = { requests: 0, rows: 0, counts: new Map(), labelled: [], servedBy: [] };

const NO_CHAMPION: DriftJudgement = {
  verdict: 'no-baseline',
  reason: 'No version serves yet: there is no baseline to compare with.',
  reference: 'nothing',
  features: [],
};

const driftedOf = (result: MonitorResult): string[] => result.drift.features.filter(({ drifted }) => drifted).map(({ name }) => name);

/** A run without a verdict publishes no verdict: a zero would read as "fine". */
function publish({ publish: emit }: MonitorPorts, result: MonitorResult, rejected: number): void {
  const { drift, quality } = result;
  const judgedDrift = drift.verdict === 'drift' || drift.verdict === 'ok';
  const judgedQuality = quality.verdict === 'degraded' || quality.verdict === 'ok';
  emit(
    {
      [METRICS.monitorRuns]: 1,
      [METRICS.monitoredRows]: result.rows,
      [METRICS.rejectedRows]: rejected,
      ...(judgedDrift && { [METRICS.driftDetected]: Number(drift.verdict === 'drift'), [METRICS.driftedFeatures]: driftedOf(result).length }),
      ...(judgedQuality && { [METRICS.qualityDegraded]: Number(quality.verdict === 'degraded') }),
    },
    {
      ...(result.rows > 0 && { [METRICS.labelCoverage]: quality.coverage }),
      ...(judgedQuality &&
        Object.fromEntries(Object.entries(quality.metrics).map(([name, value]) => [`${QUALITY_METRIC_PREFIX}${name}`, value]))),
    },
  );
}

async function announce({ platform, putEvent, now }: MonitorPorts, result: MonitorResult, window: Window): Promise<void> {
  const { model, version, windowStart, windowEnd, reportUri, resultUri, drift, quality } = result;
  const detail = { platform, model, occurredAt: new Date(Math.min(window.end, now())).toISOString() };
  const verdicts = { drift: drift.verdict, quality: quality.verdict };
  await putEvent<EventDetail & { windowEnd: string; verdicts: object; resultUri: string }>(EVENTS.monitorCompleted, {
    ...detail,
    windowEnd,
    verdicts,
    resultUri,
  });
  if (version === undefined) {
    return;
  }
  const evidence = { ...detail, version, windowStart, windowEnd, evidenceUri: reportUri };
  // Right after a promotion most of a window's predictions are still those of the version before.
  const judgedVersion = result.servedBy[0]?.version ?? version;
  for (const { metric, value, bound } of quality.exceeded) {
    await putEvent<QualityDegradedDetail>(EVENTS.qualityDegraded, { ...evidence, version: judgedVersion, metric, value, bound });
  }
  if (drift.verdict === 'drift') {
    await putEvent<DriftDetectedDetail>(EVENTS.driftDetected, { ...evidence, features: driftedOf(result) });
  }
}

const answerOf = (result: MonitorResult): MonitorAnswer => ({
  model: result.model,
  ...(result.version !== undefined && { version: result.version }),
  windowStart: result.windowStart,
  windowEnd: result.windowEnd,
  rows: result.rows,
  resultUri: result.resultUri,
  reportUri: result.reportUri,
  driftVerdict: result.drift.verdict,
  driftedFeatures: driftedOf(result),
  qualityVerdict: result.quality.verdict,
  metrics: result.quality.metrics,
});

/** `20120401T000000Z`: keys without colons sort by time. */
const compact = (time: number): string => new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
