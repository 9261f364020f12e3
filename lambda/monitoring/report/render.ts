import { createHash } from 'node:crypto';
import { Eta } from 'eta';
import type { MonitorResult, MonitorSpec } from '../../../lib/monitoring/contract';
import { type Detail, featuresView } from './features';
import { coverageChart, groupsView, metricsView } from './quality';
import { STYLES } from './styles';
import { FEATURES, INPUT, PAGE, QUALITY } from './templates';
import { drawTrend } from './trend';
import { referenceKey, type ReportContext, type TrendPoint, trendPointOf } from './types';
import {
  clip,
  headline,
  hundredths,
  moment,
  number,
  partsOf,
  percent,
  probability,
  referenceName,
  span,
  STATES,
  thresholdOf,
  type Tone,
} from './words';

/** Where a page would be larger, fewer features are drawn and listed; it says so. */
const LARGEST = 1_000_000;
const DETAILS: readonly Detail[] = [
  { charts: 400, features: 1000 },
  { charts: 150, features: 400 },
  { charts: 100, features: 200 },
  { charts: 40, features: 100 },
  { charts: 15, features: 40 },
];
/** What a feature takes at least, and what its charts do. */
const FEATURE_BYTES = 1200;
const CHARTS_BYTES = 1000;
const WINDOWS = 30;

/** One self-contained HTML page for a person: the verdict first, then what it rests on. */
export function renderReport(result: MonitorResult, context: ReportContext): string {
  const features = Math.max(0, ...result.drift.comparisons.map((comparison) => comparison.features.length));
  const hopeless = ({ charts, features: listed }: Detail): boolean =>
    Math.min(charts, features) * CHARTS_BYTES + Math.min(listed, features) * FEATURE_BYTES > LARGEST;
  let page = '';
  for (const detail of DETAILS.filter((one, index) => index === DETAILS.length - 1 || !hopeless(one))) {
    page = render(result, context, detail);
    if (Buffer.byteLength(page) <= LARGEST) return page;
  }
  return page;
}

const SHARES = ['drift', 'quality', 'groups'] as const;

function render(result: MonitorResult, context: ReportContext, detail: Detail): string {
  const { spec } = context;
  const trend = [...context.trend.filter(({ end }) => end < result.windowEnd), trendPointOf(result)]
    .sort((a, b) => (a.end < b.end ? -1 : 1))
    .slice(-WINDOWS);
  // What nobody asked for is not told of files.
  const parts = partsOf(result).filter(({ phrase }) => context.files === undefined || phrase !== '');
  const known = context.files !== undefined && trend.length < 2 ? [] : trend;
  const eta = new Eta({ autoEscape: true, autoTrim: false });
  eta.loadTemplate('@features', FEATURES);
  eta.loadTemplate('@quality', QUALITY);
  eta.loadTemplate('@input', INPUT);
  return eta.renderString(PAGE, {
    styles: STYLES,
    // Nothing but this one style sheet may be used by the page, whatever stands in the data.
    policy: `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLES).digest('base64')}'; base-uri 'none'; form-action 'none'`,
    result,
    spec,
    parts,
    headline: headline(result, parts),
    from: moment(result.windowStart),
    to: moment(result.windowEnd),
    input: context.files?.title,
    servedBy: result.servedBy.map(({ version, rows }) => `v${version} (${number(rows)})`).join(', '),
    budget: context.files ? '' : budgetOf(spec),
    comparisons: comparisonsView(result, known, context.files?.reference),
    features: featuresView(result, context, known, detail),
    skipped: result.drift.skipped.map(({ name, reason }) => `${clip(name, 60)} (${clip(reason, 120)})`).join('; '),
    metrics: metricsView(result, context, trend),
    coverage: coverageChart(trend),
    groups: groupsView(result, context),
    violations: result.constraints.violations.slice(0, 200),
    states: result.states.map(({ state, count, sentence }) => ({ name: STATES[state] ?? state, count, sentence })),
    rejected: Object.entries(result.rejected).map(([cause, count]) => ({ cause, count, sample: result.rejectedSamples[cause] })),
    number,
    percent,
    moment,
    span,
    clip,
  });
}

function budgetOf({ falseAlarms: { shares, episodes, days } }: MonitorSpec): string {
  const used = SHARES.filter((name) => shares[name] > 0).map((name) => `${name} ${percent(shares[name])}`);
  return (
    `All statistical rules of this model together should raise at most ${episodes} false ${episodes === 1 ? 'alarm' : 'alarms'} in ${days} days` +
    ` (${used.join(', ')}). Broken data rules and failures are outside of this.`
  );
}

function comparisonsView(result: MonitorResult, trend: readonly TrendPoint[], training: string | undefined) {
  const tones: Readonly<Record<string, readonly [Tone, string]>> = {
    ok: ['good', 'no drift'],
    drift: ['bad', 'drift'],
    advisory: ['idle', 'for information'],
    'insufficient-data': ['idle', 'too little data'],
    'no-traffic': ['idle', 'no traffic'],
    'no-baseline': ['idle', 'nothing to compare with'],
  };
  return result.drift.comparisons.map((comparison, index) => {
    const { reference, promise, verdict, judgedScore, pValue } = comparison;
    const name = referenceName(reference, training);
    const key = referenceKey(reference);
    const points = trend.map(({ end, drift }) => {
      const at = drift[key];
      const state = at?.verdict === 'drift' ? ('alarm' as const) : at?.verdict === 'ok' ? ('ok' as const) : ('not judged' as const);
      return { end, value: at?.judgedScore, bound: at?.threshold, state };
    });
    const [tone, word] = tones[verdict];
    return {
      name,
      sentence: comparison.sentence,
      reason: comparison.reason,
      tone,
      word,
      judged: judgedScore === undefined ? 'below every least effect' : hundredths(judgedScore),
      threshold: thresholdOf(comparison),
      p: probability(pValue),
      promise: promise.sentence,
      blocks: `${promise.fitBlocks} + ${promise.nullBlocks}`,
      chart: drawTrend({ id: `r${index}`, title: `Drift score against ${name} over the last windows`, points, kind: 'wide', bound: 'Drift above' }),
    };
  });
}
