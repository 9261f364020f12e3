import type { DriftVerdict, Estimate, MonitorResult, MonitorSpec, QualityMetric, ReferenceSpec } from '../../../lib/monitoring/contract';
import type { Baseline } from '../baseline/types';
import type { JudgedComparison } from '../drift/types';

/** What a page shows of an earlier window. */
export interface TrendPoint {
  readonly start: string;
  readonly end: string;
  readonly rows: number;
  readonly version?: number;
  /** By reference (`referenceKey`). */
  readonly drift: Readonly<Record<string, { readonly verdict: DriftVerdict; readonly judgedScore?: number; readonly threshold?: number }>>;
  /** By reference, then feature: how far the window was from the reference, on a scale from 0 to 1 that does not depend on sample sizes. */
  readonly features: Readonly<Record<string, Readonly<Record<string, FeaturePoint>>>>;
  readonly quality: Readonly<Record<string, QualityMetric>>;
  readonly coverage: number;
  /** By `column:metric`. */
  readonly gaps: Readonly<Record<string, Estimate>>;
}

export interface FeaturePoint {
  readonly distance?: number;
  readonly missingShare: number;
  readonly drifted: boolean;
}

/** What a page shows beyond the result. */
export interface ReportContext {
  readonly spec: MonitorSpec;
  readonly baseline?: Baseline;
  /** One for each of the result's comparisons, with what the charts draw. */
  readonly comparisons: readonly JudgedComparison[];
  /** Earlier windows in any order; the result's own is added to them. */
  readonly trend: readonly TrendPoint[];
  /** What was compared, where it was no window of requests, but files; and what the reference is called. */
  readonly files?: { readonly title: string; readonly reference: string };
}

/** Names a reference within a result. */
export function referenceKey(reference: ReferenceSpec): string {
  if (reference.kind === 'LAST_DAYS') return `${reference.kind}:${reference.days}`;
  return reference.kind === 'FIXED' ? `${reference.kind}:${reference.from}/${reference.to}` : reference.kind;
}

/** What later reports show of a result. */
export function trendPointOf(result: MonitorResult): TrendPoint {
  const { comparisons } = result.drift;
  return {
    start: result.windowStart,
    end: result.windowEnd,
    rows: result.rows,
    version: result.version,
    drift: Object.fromEntries(
      comparisons.map(({ reference, verdict, judgedScore, threshold }) => [referenceKey(reference), { verdict, judgedScore, threshold }]),
    ),
    features: Object.fromEntries(
      comparisons.map(({ reference, features }) => [
        referenceKey(reference),
        Object.fromEntries(
          features.map((feature) => [
            feature.name,
            { distance: distanceOf(feature), missingShare: feature.missingShare, drifted: feature.drifted },
          ]),
        ),
      ]),
    ),
    quality: result.quality.metrics,
    coverage: result.quality.coverage,
    gaps: Object.fromEntries(
      result.groups.gaps.map(({ column, metric, value, low, high }) => [`${column}:${metric}`, { value, low, high }]),
    ),
  };
}

/** One measure for all windows of a feature, whichever of its components was the largest in each. */
const distanceOf = ({ kind, statistics }: MonitorResult['drift']['comparisons'][number]['features'][number]): number | undefined =>
  kind === 'numeric' ? statistics.ks?.statistic ?? statistics.jensenShannon : statistics.jensenShannon;
