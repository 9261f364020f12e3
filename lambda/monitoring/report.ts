import { Eta } from 'eta';
import type { MonitorResult, MonitorSpec } from '../../lib/monitoring/contract';
import type { Baseline } from './baseline';
import { drawFeature } from './charts';
import { EFFECTS, percent } from './compare';
import type { JudgedFeature } from './judge';
import { REPORT_TEMPLATE } from './report-template';

/** What the page shows beyond the result. */
export interface ReportContext {
  readonly features: readonly JudgedFeature[];
  readonly spec: MonitorSpec;
  readonly holdout?: Baseline['holdout'];
}

type Tone = 'good' | 'bad' | 'idle';

const DRIFT: Readonly<Record<MonitorResult['drift']['verdict'], readonly [Tone, string]>> = {
  ok: ['good', 'none found'],
  drift: ['bad', 'found'],
  'insufficient-data': ['idle', 'too little data'],
  'no-traffic': ['idle', 'no traffic'],
  'no-baseline': ['idle', 'no version serves'],
};

const QUALITY: Readonly<Record<MonitorResult['quality']['verdict'], readonly [Tone, string]>> = {
  ok: ['good', 'within its bounds'],
  degraded: ['bad', 'worse than its bound'],
  'insufficient-labels': ['idle', 'too few labels'],
  'no-traffic': ['idle', 'no traffic'],
  'no-bounds': ['idle', 'measured, not judged'],
};

/** One self-contained HTML page for a person: the verdict first, then what it rests on. */
export function renderReport(result: MonitorResult, context: ReportContext): string {
  const [driftTone, driftWord] = DRIFT[result.drift.verdict];
  const [qualityTone, qualityWord] = QUALITY[result.quality.verdict];
  const alone = result.version !== undefined && result.servedBy.every(({ version }) => version === result.version);
  const name = `${result.model}${alone ? ` v${result.version}` : ''}`;
  return new Eta({ autoEscape: true }).renderString(REPORT_TEMPLATE, {
    result,
    spec: context.spec,
    effects: EFFECTS,
    headline: `${name}: drift ${driftWord}, quality ${qualityWord}`,
    answeredBy: alone ? undefined : result.servedBy.map(({ version, rows }) => `v${version} (${rows.toLocaleString('en-US')} rows)`).join(', '),
    from: readable(result.windowStart),
    to: readable(result.windowEnd),
    driftTone,
    driftWord,
    qualityTone,
    qualityWord,
    features: context.features.map((feature, index) => describeFeature(feature, index, result.drift.verdict)),
    metrics: describeMetrics(result, context),
    rejected: Object.entries(result.rejected).map(([cause, count]) => ({ cause, count, sample: result.rejectedSamples[cause] })),
    number: (value: number) => value.toLocaleString('en-US'),
    figure: (value: number | undefined) => (value === undefined ? '–' : String(Number(value.toPrecision(3)))),
    // Below its mean under no change the index tells nothing; as a negative number it would only puzzle.
    hundredths: (value: number | undefined) => (value === undefined ? '–' : Math.max(0, value).toFixed(2)),
    percent: (share: number | undefined) => (share === undefined ? '–' : percent(share)),
  });
}

const readable = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`;

function describeFeature(feature: JudgedFeature, index: number, verdict: MonitorResult['drift']['verdict']) {
  const { result, shape, reference, window } = feature;
  const judged = (verdict === 'ok' || verdict === 'drift') && reference !== undefined;
  const [tone, word] = result.drifted ? ['bad', 'drifted'] : judged ? ['good', 'no drift'] : ['idle', 'not judged'];
  return { result, tone, word, chart: drawFeature(`f${index}`, result.name, shape, reference, window) };
}

function describeMetrics(result: MonitorResult, { spec, holdout }: ReportContext) {
  const judged = result.quality.verdict === 'ok' || result.quality.verdict === 'degraded';
  return Object.entries(result.quality.metrics).map(([name, value]) => {
    const bound = spec.qualityBounds.find(({ metric }) => metric === name)?.worseThan;
    const exceeded = result.quality.exceeded.some(({ metric }) => metric === name);
    const kept = bound === undefined || !judged ? ['idle', 'not judged'] : ['good', 'within the bound'];
    const [tone, word] = exceeded ? ['bad', 'worse than the bound'] : kept;
    return { name, value, holdout: holdout?.metrics[name], bound: bound ?? '–', tone, word };
  });
}
