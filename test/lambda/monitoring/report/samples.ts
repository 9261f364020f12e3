import type { JudgedComparison } from '../../../../lambda/monitoring/drift/types';
import { toBlockCells } from '../../../../lambda/monitoring/profile/cells';
import { createCounter } from '../../../../lambda/monitoring/profile/counters';
import type { Counts, Shape } from '../../../../lambda/monitoring/profile/types';
import { type ReportContext, type TrendPoint, trendPointOf } from '../../../../lambda/monitoring/report/types';
import type { FeatureResult, MonitorResult, MonitorSpec, ReferenceComparison, ReferenceSpec } from '../../../../lib/monitoring/contract';
import { normal, random } from '../../../fakes/random';

/** A window of a model whose humidity drifted, with everything that a page can show. */

export const SPEC: MonitorSpec = {
  model: 'BikeDemand',
  task: { kind: 'REGRESSION', target: 'count', timeColumn: 'datetime' },
  endpointName: 'mlops-bikedemand',
  variantName: 'primary',
  servingKind: 'SERVERLESS',
  samplingPercentage: 100,
  windowSeconds: 7 * 86_400,
  delaySeconds: 3600,
  minimumRows: 100,
  references: [{ kind: 'LAST_DAYS', days: 84 }, { kind: 'SAME_SEASON' }, { kind: 'TRAINING' }],
  falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } },
  persistence: { breaches: 2, windows: 3 },
  qualitySeconds: 28 * 86_400,
  qualityRules: [
    { metric: 'rmse', higherIsBetter: false, tolerance: 10 },
    { metric: 'r2', higherIsBetter: true, worseThan: 0.7 },
  ],
  groupColumns: ['season'],
  groupRules: [{ column: 'season', metric: 'rmse', bound: 40 }],
  groupMinimum: { rows: 30, perClass: 10 },
  featureMetrics: 5,
};

const count = (shape: Shape, rows: number, value: () => number | string | null): Counts => {
  const counter = createCounter(shape);
  for (let row = 0; row < rows; row += 1) counter.addCell(value());
  return counter.toCounts();
};

export interface Sample {
  readonly name: string;
  readonly kind: 'smooth' | 'whole' | 'category';
  readonly shift?: number;
  readonly role?: 'prediction';
  readonly importance?: number;
  readonly categories?: readonly string[];
}

export interface SampleFeature {
  readonly result: FeatureResult;
  readonly shape: Shape;
  readonly reference: Counts;
  readonly window: Counts;
}

export function sampleFeature(sample: Sample, seed: number): SampleFeature {
  const { name, kind, shift = 0, role, importance, categories = ['clear', 'mist', 'rain'] } = sample;
  const next = random(seed);
  const shape: Shape =
    kind === 'category'
      ? { kind: 'categorical', categories, hasOther: false }
      : kind === 'whole'
        ? { kind: 'numeric', edges: Array.from({ length: 24 }, (_, hour) => hour), mean: 11.5, deviation: 6.9 }
        : { kind: 'numeric', edges: Array.from({ length: 999 }, (_, index) => -3 + (6 * (index + 1)) / 1000), mean: 0, deviation: 1 };
  const draw = (moved: number) => (): number | string | null => {
    if (next() < 0.01 + moved / 20) return null;
    if (kind === 'smooth') return normal(next) + moved;
    if (kind === 'whole') return Math.min(23, Math.floor(24 * next() ** (1 + moved)));
    return next() < moved / 8 ? 'fog' : categories[Math.floor(categories.length * next() ** (2 + moved))];
  };
  const [reference, window] = [count(shape, 8000, draw(0)), count(shape, 672, draw(shift))];
  const effect = Math.min(0.9, 0.03 + shift / 3);
  const drifted = effect >= 0.1;
  const share = (side: Counts): number => side.missing / side.rows;
  const quantiles = [-1.6, -0.7, 0, 0.7, 1.6];
  return {
    shape,
    reference,
    window,
    result: {
      name,
      role: role ?? 'feature',
      kind: shape.kind,
      drifted,
      score: shift * 4 + 1,
      component: 'distribution',
      effect,
      minimumEffect: 0.1,
      importance,
      referenceRows: reference.rows,
      rows: window.rows,
      missingShare: share(window),
      referenceMissingShare: share(reference),
      invalidShare: 0,
      statistics: {
        psi: shift / 2, wasserstein: shift, jensenShannon: effect * 0.8, hellinger: effect * 0.7, lInfinity: effect / 3,
        ...(shape.kind === 'numeric'
          ? { ks: { statistic: effect, pValue: drifted ? 1e-9 : 0.31 } }
          : { chiSquare: { statistic: 12.5 * (1 + shift), degreesOfFreedom: 2, pValue: drifted ? 1e-5 : 0.42 } }),
      },
      ...(shape.kind === 'numeric'
        ? { minimum: window.minimum, maximum: window.maximum, quantiles: { reference: quantiles, window: quantiles.map((one) => one + shift) } }
        : { unseenShare: shift / 8, ...(shift > 0 && { unseen: ['fog'] }) }),
      distinct: { count: 640, relativeError: 0.016 },
      reason: drifted
        ? `The values are distributed differently: a distance of ${effect.toFixed(2)}, which counts from 0.1, in 2 of the last 3 windows.`
        : `A distance of ${effect.toFixed(2)}, which counts from 0.1.`,
    },
  };
}

export function sampleComparison(
  reference: ReferenceSpec,
  features: readonly SampleFeature[],
  change: Partial<ReferenceComparison> = {},
): JudgedComparison {
  const drift = features.some(({ result }) => result.drifted);
  const coarse = reference.kind !== 'TRAINING';
  return {
    result: {
      reference,
      sentence: 'Compared with the 84 days before the windows that are judged together: 12 blocks of 7 days (2012-05-07 to 2012-07-30).',
      promise: {
        fitBlocks: 40, nullBlocks: 41, asked: 0.0389, supported: 0.0238, episodes: 0.5, days: 90, advisory: false,
        sentence: 'At most 0.5 false alarms are expected in 90 days: 41 blocks of 7 days tell what is usual.',
      },
      verdict: drift ? 'drift' : 'ok',
      reason: drift ? 'The score was 5.1 in 2 of the last 3 windows; 3.2 is usual.' : 'The score of 1.2 is as large as usual.',
      score: drift ? 5.4 : 1.3,
      judgedScore: drift ? 5.1 : 1.2,
      threshold: 3.2,
      pValue: drift ? 0.024 : 0.6,
      features: features.map(({ result }) => result),
      ...change,
    },
    charts: new Map(
      features.map(({ result, shape, reference: counts, window }) => [
        result.name,
        { shape, reference: coarse ? toBlockCells(shape, counts) : counts, window },
      ]),
    ),
  };
}

export const BIKE_FEATURES: readonly Sample[] = [
  { name: 'temp', kind: 'smooth', importance: 0.31 },
  { name: 'humidity', kind: 'smooth', shift: 0.9, importance: 0.22 },
  { name: 'hour', kind: 'whole', shift: 0.1, importance: 0.55 },
  { name: 'weather', kind: 'category', shift: 0.6, importance: 0.05 },
  { name: 'windspeed', kind: 'smooth', importance: 0.02 },
  { name: 'holiday', kind: 'category', categories: ['0', '1'], importance: 0.01 },
  { name: 'prediction', kind: 'smooth', shift: 0.2, role: 'prediction' },
];

const SHOWN = 'shown for information, never alarms.';

export interface SamplePage {
  readonly result: MonitorResult;
  readonly context: ReportContext;
}

export function samplePage(samples: readonly Sample[] = BIKE_FEATURES, change: Partial<MonitorResult> = {}): SamplePage {
  const features = samples.map((sample, index) => sampleFeature(sample, index + 1));
  const calm = samples.map((sample, index) => sampleFeature({ ...sample, shift: 0 }, index + 101));
  const comparisons = [
    sampleComparison(SPEC.references[0], features),
    sampleComparison(SPEC.references[1], features, {
      verdict: 'advisory',
      pValue: undefined,
      threshold: undefined,
      sentence: 'Compared with August of earlier years: 4 blocks of 7 days (August 2011).',
      reason: 'Shown for information: the score is 4.4.',
      promise: {
        fitBlocks: 2, nullBlocks: 2, asked: 0.04, supported: 0.33, episodes: 0, days: 90, advisory: true,
        sentence: `The season's 4 blocks of 7 days (August 2011) cannot support a promise (10 are needed beyond those that fit it): ${SHOWN}`,
      },
    }),
    sampleComparison(SPEC.references[2], calm, { sentence: 'Compared with all of the baseline: 82 blocks of 7 days (2011-01-01 to 2012-07-30).' }),
  ];
  const estimate = (value: number, half: number) => ({ value, low: value - half, high: value + half });
  const result: MonitorResult = {
    schemaVersion: 2, platform: 'demo', model: 'BikeDemand', version: 2,
    windowStart: '2012-08-13T00:00:00.000Z', windowEnd: '2012-08-20T00:00:00.000Z',
    sources: 'sha256:4f1c', requests: 168, rows: 672, servedBy: [{ version: 2, rows: 600 }, { version: 1, rows: 72 }],
    states: [{ state: 'duplicate-records', count: 12, sentence: '12 requests were recorded twice and are counted once.' }],
    rejected: { 'column-count': 1234, 'not-json': 1 }, rejectedSamples: { 'column-count': 'capture/a.jsonl:17', 'not-json': 'capture/b.jsonl:3' },
    drift: {
      verdict: 'drift', reason: 'humidity and weather differ from the last 84 days in 2 of the last 3 windows.',
      comparisons: comparisons.map((one) => one.result), skipped: [{ name: 'datetime', reason: 'time of the row' }],
    },
    quality: {
      verdict: 'ok', reason: 'No metric is worse than its bound.', rows: 2688, labelled: 2500,
      from: '2012-07-23T00:00:00.000Z', to: '2012-08-20T00:00:00.000Z',
      coverage: 0.93, labelAgeSeconds: 5400, blocks: 28, confidence: 0.98,
      metrics: {
        rmse: { ...estimate(66, 6), baseline: estimate(64.2, 5) }, r2: { ...estimate(0.85, 0.03), baseline: estimate(0.86, 0.02) },
        mae: { ...estimate(44, 4), baseline: { value: 41 } },
      },
      exceeded: [],
    },
    groups: {
      verdict: 'degraded', reason: 'The rmse of summer and winter differs by more than 40.',
      values: ['spring', 'summer', 'autumn', 'winter'].map((group, index) => ({
        column: 'season', group, rows: index === 3 ? 20 : 800, labelled: index === 3 ? 18 : 700, small: index === 3,
        metrics: { rmse: index === 3 ? { value: 91 } : estimate(50 + index * 25, 8), mae: estimate(30 + index * 9, 5) }, rates: {},
      })),
      gaps: [{ column: 'season', metric: 'rmse', ...estimate(52, 9), bound: 40, between: ['autumn', 'spring'], breached: true }],
    },
    constraints: {
      verdict: 'violated', reason: '1 of 14 rules is broken.', source: 'constraints/BikeDemand.json, version 3',
      violations: [{
        feature: 'weather', constraint: 'domain', severity: 'error', observed: '7.4 % of the rows', allowed: '1 % of the rows',
        description: 'Values that are not among clear, mist, rain.',
      }],
    },
    episodes: [{ id: 'drift-2012-08-06', rule: 'drift', key: 'drift', version: 2, since: '2012-08-06T00:00:00.000Z', windows: 2, quiet: 0 }],
    resultUri: 's3://reports/monitoring/BikeDemand/windows/1/result.json', reportUri: 's3://reports/monitoring/BikeDemand/windows/1/report.html',
    ...change,
  };
  const context: ReportContext = { spec: SPEC, comparisons, trend: trendBefore(result) };
  return { result, context };
}

/** Thirteen quieter weeks. */
function trendBefore(result: MonitorResult): TrendPoint[] {
  const last = trendPointOf(result);
  const next = random(77);
  return Array.from({ length: 13 }, (_, index) => {
    const shift = (time: string): string => new Date(Date.parse(time) - (13 - index) * 7 * 86_400_000).toISOString();
    const near = (value: number | undefined): number | undefined => (value === undefined ? undefined : value * (0.35 + 0.35 * next()));
    const around = <T extends { value: number; low?: number; high?: number }>(metric: T): T => {
      const by = metric.value * 0.1 * (next() - 0.5);
      const moved = (bound: number | undefined): number | undefined => (bound === undefined ? undefined : bound + by);
      return { ...metric, value: metric.value + by, low: moved(metric.low), high: moved(metric.high) };
    };
    return {
      ...last,
      start: shift(last.start),
      end: shift(last.end),
      coverage: 0.9 + 0.05 * next(),
      drift: Object.fromEntries(
        Object.entries(last.drift).map(([key, value]) => [
          key,
          {
            ...value,
            verdict: value.verdict === 'drift' ? ('ok' as const) : value.verdict,
            judgedScore: index === 4 ? undefined : near(value.judgedScore),
          },
        ]),
      ),
      features: Object.fromEntries(
        Object.entries(last.features).map(([key, features]) => [
          key,
          Object.fromEntries(Object.entries(features).map(([name, point]) => [name, { ...point, drifted: false, distance: near(point.distance) }])),
        ]),
      ),
      quality: Object.fromEntries(Object.entries(last.quality).map(([name, metric]) => [name, around(metric)])),
    };
  });
}
