import type { Episode, MonitorResult, MonitorSpec } from '../../../lib/monitoring/contract';
import { METRICS, QUALITY_METRIC_PREFIX } from '../../../lib/operations/contract';
import type {
  DataQualityViolatedDetail,
  DriftDetectedDetail,
  EventDetail,
  GroupGapDetail,
  QualityDegradedDetail,
} from '../../../lib/retraining/contract';
import { EVENTS } from '../../../lib/retraining/contract';
import { scheduledAt } from './windows';

export interface Publisher {
  readonly putEvent: <T extends EventDetail>(detailType: string, detail: T) => Promise<void>;
  /** Counts and plain values differ in unit; without a time (milliseconds) they are of now. */
  readonly count: (values: Readonly<Record<string, number>>, time?: number) => void;
  readonly measure: (values: Readonly<Record<string, number>>, time?: number) => void;
  /** Values of single features, by their names. */
  readonly measureFeatures: (metric: string, values: Readonly<Record<string, number>>, time?: number) => void;
  readonly now: () => number;
}

/** Violations that an event names; the rest stands in the result. */
const NAMED_VIOLATIONS = 20;
const HIGHEST_SCORE = 10;
/** Still above 1 where a tool rounds. */
const LEAST_ABOVE = 1.001;

/** Whether a verdict says that something is wrong, or that nothing is. */
export const isDecided = (verdict: string): boolean => ['ok', 'drift', 'degraded', 'violated'].includes(verdict);

/** CloudWatch takes values of the last two weeks; an hour is left for their way. */
const LATEST_VALUES = (14 * 24 - 1) * 3_600_000;

/**
 * The time that a window's metrics are of: undefined is now. So are those of the windows that a scheduled run looks at, since alarms look at the
 * present. What somebody had judged of the past must raise no alarm today: it is of the window's end, or nowhere where that is too long ago.
 */
function metricTime(spec: MonitorSpec, end: number, now: number): number | undefined | 'nowhere' {
  if (end > scheduledAt(spec, now).from) return undefined;
  return end < now - LATEST_VALUES ? 'nowhere' : end;
}

/** Metrics of a judged window. What has no verdict publishes none: a zero would read as "fine". */
export function publishMetrics(publisher: Publisher, spec: MonitorSpec, result: MonitorResult, featuresByImportance: readonly string[]): void {
  const time = metricTime(spec, Date.parse(result.windowEnd), publisher.now());
  if (time === 'nowhere') return;
  const { quality, groups, constraints } = result;
  const rejected = Object.values(result.rejected).reduce((sum, count) => sum + count, 0);
  const counts = {
    [METRICS.monitoredRows]: result.rows,
    ...(rejected > 0 && { [METRICS.rejectedRows]: rejected }),
    ...(isDecided(quality.verdict) && { [METRICS.qualityDegraded]: quality.exceeded.length }),
    ...(spec.groupRules.length > 0 &&
      isDecided(groups.verdict) && { [METRICS.groupGapsBreached]: groups.gaps.filter(({ breached }) => breached).length }),
    ...(isDecided(constraints.verdict) && {
      [METRICS.constraintsViolated]: constraints.violations.filter(({ severity }) => severity === 'error').length,
    }),
  };
  publisher.count(counts, time);
  const strongest = strongestComparison(result);
  const values = {
    ...(strongest && { [METRICS.driftScore]: relative(strongest.judgedScore, strongest.threshold) }),
    ...(quality.rows > 0 && { [METRICS.labelCoverage]: quality.coverage }),
    ...(quality.labelAgeSeconds !== undefined && { [METRICS.labelAge]: quality.labelAgeSeconds }),
    ...capturedShare(spec, result),
    ...Object.fromEntries(
      spec.qualityRules.flatMap(({ metric }) =>
        metric in quality.metrics ? [[`${QUALITY_METRIC_PREFIX}${metric}`, quality.metrics[metric].value]] : [],
      ),
    ),
  };
  if (Object.keys(values).length > 0) publisher.measure(values, time);
  const watched = new Set(featuresByImportance.slice(0, spec.featureMetrics));
  const scores = (strongest?.features ?? []).filter(({ name, score }) => watched.has(name) && score !== undefined);
  if (strongest !== undefined && scores.length > 0) {
    const { threshold } = strongest;
    // A distance below the least one that counts never exceeds, whatever its score.
    const byName = scores.map(({ name, score = -Infinity, effect = 0, minimumEffect = 0 }) => [
      name,
      relative(effect >= minimumEffect ? score : Math.min(score, threshold), threshold),
    ]);
    publisher.measureFeatures(METRICS.featureDriftScore, Object.fromEntries(byName), time);
  }
}

interface Compared {
  readonly judgedScore: number;
  readonly threshold: number;
  readonly features: MonitorResult['drift']['comparisons'][number]['features'];
}

/**
 * Of the references that were judged by the one whose threshold is nearest, or passed farthest. One whose blocks show no difference that counts has
 * no score for a threshold: any that counts exceeds it.
 */
function strongestComparison({ drift }: MonitorResult): Compared | undefined {
  return drift.comparisons
    .filter(({ verdict }) => isDecided(verdict))
    .map(({ judgedScore = -Infinity, threshold = -Infinity, features }): Compared => ({ judgedScore, threshold, features }))
    .sort((a, b) => relative(b.judgedScore, b.threshold) - relative(a.judgedScore, a.threshold))[0];
}

/** The score in units of its threshold, above 1 exactly where it exceeds it. */
function relative(score: number, threshold: number): number {
  const above = score > threshold;
  const ratio = threshold > 0 ? score / threshold : above ? HIGHEST_SCORE : 0;
  const bounded = Math.min(HIGHEST_SCORE, Math.max(0, ratio));
  return above ? Math.max(bounded, LEAST_ABOVE) : Math.min(bounded, 1);
}

function capturedShare(spec: MonitorSpec, { requests, invocations }: MonitorResult): Record<string, number> {
  const wanted = ((invocations ?? 0) * spec.samplingPercentage) / 100;
  return wanted > 0 && requests < wanted ? { [METRICS.capturedShare]: requests / wanted } : {};
}

/** That the window was judged, and each episode that it begins. */
export async function announce(publisher: Publisher, result: MonitorResult, begun: readonly Episode[]): Promise<void> {
  const { platform, model, version, windowStart, windowEnd, resultUri, drift, quality, groups, constraints } = result;
  const detail: EventDetail = { platform, model, occurredAt: new Date(Math.min(Date.parse(windowEnd), publisher.now())).toISOString() };
  const evidence = { ...detail, windowStart, windowEnd, evidenceUri: result.reportUri };
  for (const { rule, key } of begun) {
    if (rule === 'constraints') {
      const names = constraints.violations.map(({ feature, constraint }) => (feature === undefined ? constraint : `${feature}: ${constraint}`));
      const violated = { ...evidence, ...(version !== undefined && { version }), violations: names.slice(0, NAMED_VIOLATIONS) };
      await publisher.putEvent<DataQualityViolatedDetail>(EVENTS.dataQualityViolated, violated);
    } else if (version !== undefined) {
      await announceStatistical(publisher, { ...evidence, version }, result, rule, key);
    }
  }
  await publisher.putEvent<EventDetail & { windowEnd: string; verdicts: object; resultUri: string }>(EVENTS.monitorCompleted, {
    ...detail,
    windowEnd,
    verdicts: { drift: drift.verdict, quality: quality.verdict, groups: groups.verdict, constraints: constraints.verdict },
    resultUri,
  });
}

async function announceStatistical(
  publisher: Publisher,
  evidence: Omit<DriftDetectedDetail, 'features'>,
  { drift, quality, groups }: MonitorResult,
  rule: Episode['rule'],
  key: string,
): Promise<void> {
  const gap = groups.gaps.find(({ column, metric }) => `${column}:${metric}` === key);
  const breach = quality.exceeded.find(({ metric }) => metric === key);
  if (rule === 'drift') {
    await publisher.putEvent<DriftDetectedDetail>(EVENTS.driftDetected, { ...evidence, features: causesOf(drift) });
  } else if (rule === 'quality' && breach !== undefined) {
    const { metric, value, bound } = breach;
    await publisher.putEvent<QualityDegradedDetail>(EVENTS.qualityDegraded, { ...evidence, metric, value, bound });
  } else if (rule === 'groups' && gap?.bound !== undefined) {
    const { column, metric, value, bound, between } = gap;
    await publisher.putEvent<GroupGapDetail>(EVENTS.groupGapDetected, { ...evidence, column, metric, value, bound, between });
  }
}

/** A window may alarm by the windows before it alone: then its strongest feature stands for them, since a cause without a feature is none. */
function causesOf(drift: MonitorResult['drift']): string[] {
  const drifted = driftedFeatures(drift);
  const alarming = drift.comparisons.filter(({ verdict }) => verdict === 'drift');
  return drifted.length > 0 ? drifted : alarming.flatMap(({ features: [first] }) => first?.name ?? []);
}

/** Features that drifted against a reference that alarms, each once, strongest first. */
export const driftedFeatures = ({ comparisons }: MonitorResult['drift']): string[] => [
  ...new Set(
    comparisons
      .filter(({ verdict }) => verdict === 'drift')
      .flatMap(({ features }) => features.filter(({ drifted }) => drifted).map(({ name }) => name)),
  ),
];
