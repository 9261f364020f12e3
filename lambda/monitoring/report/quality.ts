import type {
  Estimate,
  GroupRuleSpec,
  GroupValues,
  MonitorResult,
  QualityMetric,
  QualityRuleSpec,
  QualityVerdict,
} from '../../../lib/monitoring/contract';
import { drawTrend } from './trend';
import type { ReportContext, TrendPoint } from './types';
import { drawWhiskers } from './whiskers';
import { clip, figure, interval, number, percent, type Tone } from './words';

/** Quality and groups as a page shows them. */

export interface MetricView {
  readonly name: string;
  readonly value: string;
  readonly interval: string;
  readonly baseline: string;
  readonly bound: string;
  readonly tone: Tone;
  readonly word: string;
  readonly chart: string;
}

const BEYOND: readonly [Tone, string] = ['bad', 'beyond its bound'];

const calmly = (ruled: boolean, verdict: QualityVerdict): readonly [Tone, string] =>
  !ruled ? ['idle', 'no rule'] : judgedIn(verdict) ? ['good', 'within its bound'] : ['idle', 'not judged'];

const withInterval = (estimate: Estimate, digits?: number): string =>
  `${figure(estimate.value, digits)}${estimate.low === undefined ? '' : ` (${interval(estimate)})`}`;

const judgedIn = (verdict: QualityVerdict): boolean => verdict === 'ok' || verdict === 'degraded';

/** Where a rule's bound lies, given what the baseline measured. */
const boundOf = (rule: QualityRuleSpec, metric: QualityMetric | undefined): number | undefined => {
  if (rule.worseThan !== undefined) return rule.worseThan;
  if (rule.tolerance === undefined || metric?.baseline === undefined) return undefined;
  return metric.baseline.value + (rule.higherIsBetter ? -rule.tolerance : rule.tolerance);
};

export function metricsView(result: MonitorResult, { spec }: ReportContext, trend: readonly TrendPoint[]): MetricView[] {
  const { quality } = result;
  const ruled = new Set(spec.qualityRules.map(({ metric }) => metric));
  const names = [...ruled, ...Object.keys(quality.metrics).filter((name) => !ruled.has(name))].filter((name) => quality.metrics[name] !== undefined);
  return names.map((name, index) => {
    const metric = quality.metrics[name];
    const rule = spec.qualityRules.find((one) => one.metric === name);
    const bound = rule && boundOf(rule, metric);
    const exceeded = quality.exceeded.some((breach) => breach.metric === name);
    const [tone, word] = exceeded ? BEYOND : calmly(rule !== undefined, quality.verdict);
    return {
      name: clip(name, 60),
      value: figure(metric.value),
      interval: interval(metric),
      baseline: metric.baseline ? withInterval(metric.baseline) : '–',
      bound: rule && bound !== undefined ? `${rule.higherIsBetter ? 'at least' : 'at most'} ${figure(bound)}` : '–',
      tone,
      word,
      chart: rule === undefined ? '' : metricChart(`q${index}`, name, rule, trend, judgedIn(quality.verdict)),
    };
  });
}

function metricChart(id: string, name: string, rule: QualityRuleSpec, trend: readonly TrendPoint[], judged: boolean): string {
  const points = trend.map(({ end, quality }, index) => {
    const metric = quality[name];
    const bound = boundOf(rule, metric);
    const good = rule.higherIsBetter ? metric?.high : metric?.low;
    const worse = bound !== undefined && good !== undefined && (rule.higherIsBetter ? good < bound : good > bound);
    const known = good !== undefined && (judged || index < trend.length - 1);
    const state = worse ? ('alarm' as const) : known ? ('ok' as const) : ('not judged' as const);
    return { end, value: metric?.value, low: metric?.low, high: metric?.high, bound, state };
  });
  return drawTrend({ id, title: `${name} over the last windows, with its interval`, points, kind: 'wide', bound: 'Bound' });
}

export function coverageChart(trend: readonly TrendPoint[]): string {
  const points = trend.map(({ end, coverage }) => ({ end, value: coverage, state: 'ok' as const }));
  return trend.length < 2 ? '' : drawTrend({ id: 'coverage', title: 'Share of rows with a label', points, kind: 'wide', bound: '', include: [0, 1] });
}

export interface GapView {
  readonly column: string;
  readonly metric: string;
  readonly between: string;
  readonly value: string;
  readonly interval: string;
  readonly bound: string;
  readonly tone: Tone;
  readonly word: string;
}

export interface GroupView {
  readonly group: string;
  readonly rows: string;
  readonly labelled: string;
  readonly small: boolean;
  readonly cells: readonly string[];
}

export interface GroupsView {
  readonly gaps: readonly GapView[];
  readonly columns: readonly {
    readonly column: string;
    readonly charts: readonly string[];
    readonly heads: readonly string[];
    readonly rows: readonly GroupView[];
  }[];
}

const RATES: Readonly<Record<string, readonly string[]>> = {
  demographicParityDifference: ['selectionRate'],
  demographicParityRatio: ['selectionRate'],
  equalOpportunityDifference: ['truePositiveRate'],
  equalizedOddsDifference: ['truePositiveRate', 'falsePositiveRate'],
};

const LISTED_GROUPS = 60;
const DRAWN_GROUPS = 25;
const DRAWN_METRICS = 3;

export function groupsView({ groups, quality }: MonitorResult, { spec }: ReportContext): GroupsView {
  const columns = [...new Set(groups.values.map(({ column }) => column))];
  return {
    gaps: groups.gaps.map((gap) => {
      const [tone, word] = gap.breached ? BEYOND : calmly(gap.bound !== undefined, groups.verdict);
      const least = gap.metric === 'demographicParityRatio';
      return {
        column: clip(gap.column, 60),
        metric: gap.metric,
        between: gap.between.map((name) => clip(name, 40)).join(' and '),
        value: figure(gap.value, 3),
        interval: interval(gap),
        bound: gap.bound === undefined ? '–' : `${least ? 'at least' : 'at most'} ${figure(gap.bound)}`,
        tone,
        word,
      };
    }),
    columns: columns.map((column, index) => {
      const values = groups.values.filter((one) => one.column === column);
      const shown = measures(column, values, spec.groupRules);
      return {
        column: clip(column, 60),
        charts: shown.slice(0, DRAWN_METRICS).map((name, place) =>
          drawWhiskers(
            `g${index}m${place}`,
            `${name} by ${clip(column, 40)}`,
            values.slice(0, DRAWN_GROUPS).flatMap((one) => {
              const estimate = one.rates[name] ?? one.metrics[name];
              return estimate ? [{ name: one.group, small: one.small, ...estimate }] : [];
            }),
            quality.metrics[name]?.value,
          ),
        ),
        heads: shown,
        rows: values.slice(0, LISTED_GROUPS).map((one) => ({
          group: clip(one.group, 60),
          rows: number(one.rows),
          labelled: `${number(one.labelled)} (${percent(one.rows === 0 ? undefined : one.labelled / one.rows)})`,
          small: one.small,
          cells: shown.map((name) => {
            const estimate = one.rates[name] ?? one.metrics[name];
            return estimate ? withInterval(estimate, 3) : '–';
          }),
        })),
      };
    }),
  };
}

/** What the rules are about first, then whatever else was measured. */
function measures(column: string, values: readonly GroupValues[], rules: readonly GroupRuleSpec[]): string[] {
  const ruled = rules.filter((rule) => rule.column === column).flatMap(({ metric }) => RATES[metric] ?? [metric]);
  const measured = values.flatMap(({ rates, metrics }) => [...Object.keys(rates), ...Object.keys(metrics)]);
  const known = new Set(measured);
  return [...new Set([...ruled.filter((name) => known.has(name)), ...measured])].slice(0, 8);
}
