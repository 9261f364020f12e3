import {
  FEWEST_BLOCKS,
  type GroupGap,
  type GroupRuleSpec,
  type GroupValues,
  type MonitorResult,
  type MonitorSpec,
} from '../../../lib/monitoring/contract';
import { estimateOf } from './block-value';
import { verdictError } from './budget';
import { figuresOf } from './estimate';
import type { Figures, PartFigures } from './figures';
import { FAIRNESS_GAPS, type Gap, gapOf, type GroupFigure, worseOf } from './gaps';
import { groupParts } from './group-parts';
import { estimateShown } from './judge';
import { OTHER, type QualityTable } from './table';
import { figure, interval, listed, rowsText } from './words';

export type GroupsSpec = Pick<MonitorSpec, 'task' | 'falseAlarms' | 'groupColumns' | 'groupRules' | 'groupMinimum'>;

export interface GroupsInput {
  readonly spec: GroupsSpec;
  /** The table that quality is judged on, with the spec's group columns. */
  readonly table: QualityTable;
}

type Groups = MonitorResult['groups'];

interface Column {
  readonly column: string;
  readonly names: readonly string[];
  readonly figures: readonly PartFigures[];
  readonly without: number;
}

/** Gaps between the groups of each column against the rules, at the error that the false-alarm budget leaves to each rule, pair and rate. */
export function judgeGroups({ spec, table }: GroupsInput): Groups {
  const rules = spec.groupRules;
  const oneSided = verdictError(spec, spec.falseAlarms.shares.groups) / Math.max(1, rules.length);
  const columns = spec.groupColumns.map((column): Column => {
    const { names, parts, without } = groupParts(table, table.groupColumns.indexOf(column));
    return { column, names, figures: figuresOf(table, parts), without };
  });
  const values = columns.flatMap((column) => valuesOf(column, spec, oneSided));
  const gaps = columns.flatMap((column) => gapsOf(column, spec, oneSided));
  const base = { values, gaps: gaps.map(({ gap }) => gap) };
  if (table.rows === 0) {
    return { ...base, verdict: 'no-traffic', reason: 'No recorded request falls into the days that groups are judged on.' };
  }
  if (rules.length === 0) {
    const reason = spec.groupColumns.length === 0 ? 'No column tells groups apart.' : 'No rule is stated for groups: they are measured, not judged.';
    return { ...base, verdict: 'no-rules', reason };
  }
  const unnamed = columns.filter(({ without }) => without > 0).map(({ column, without }) => `${rowsText(without)} without ${column} left out`);
  const sentence = (parts: readonly string[]): string => `${listed([...parts, ...unnamed])}.`;
  const ruled = gaps.filter(({ gap }) => gap.bound !== undefined);
  const beyond = ({ gap }: JudgedGap, how: string): string =>
    `${gap.metric} by ${gap.column} ${interval(gap)} between ${gap.between.join(' and ')} is ${how} ${figure(gap.bound ?? NaN)}`;
  const breached = ruled.filter(({ gap }) => gap.breached);
  if (breached.length > 0) {
    return { ...base, verdict: 'degraded', reason: sentence(breached.map((one) => beyond(one, 'beyond'))) };
  }
  const judged = ({ column, metric }: GroupRuleSpec): boolean =>
    ruled.some((one) => one.judged && one.gap.column === column && one.gap.metric === metric);
  const unknown = rules.filter((rule) => !judged(rule));
  if (unknown.length > 0) {
    return { ...base, verdict: 'insufficient-labels', reason: sentence(unknown.map((rule) => unjudged(rule, spec))) };
  }
  return { ...base, verdict: 'ok', reason: sentence(ruled.map((one) => beyond(one, 'not shown to be beyond'))) };
}

function unjudged({ column, metric }: GroupRuleSpec, { groupMinimum: { rows, perClass } }: GroupsSpec): string {
  const classes = new Set((FAIRNESS_GAPS[metric]?.rates ?? []).map(({ needs }) => needs).filter((needs) => needs !== 'rows'));
  const each = classes.size === 0 || perClass === 0 ? '' : ` and ${perClass} ${[...classes].join(' and ')}`;
  return `${metric} by ${column} needs two groups of at least ${rows} rows${each}, and ${FEWEST_BLOCKS} days of each`;
}

/** What a figure is made of. */
type Needs = 'rows' | 'labelled' | 'positives' | 'negatives';

/** Whether a group is too small for figures over its rows, its labelled rows, or those of one class. */
function isSmall(name: string, part: PartFigures, { rows, perClass }: MonitorSpec['groupMinimum'], needs: Needs): boolean {
  return (
    name === OTHER ||
    part[needs === 'rows' ? 'rows' : 'labelled'] < rows ||
    (needs === 'positives' && part.positives < perClass) ||
    (needs === 'negatives' && part.negatives < perClass)
  );
}

function valuesOf({ column, names, figures }: Column, spec: GroupsSpec, oneSided: number): GroupValues[] {
  const ruled = spec.groupRules.filter((rule) => rule.column === column);
  const needs: Needs[] = ruled.length === 0 ? ['labelled'] : ruled.flatMap(({ metric }) => needsOf(metric));
  return figures.map((part, index) => ({
    column,
    group: names[index],
    rows: part.rows,
    labelled: part.labelled,
    small: needs.some((need) => isSmall(names[index], part, spec.groupMinimum, need)),
    metrics: shownAll(part.metrics, oneSided),
    rates: shownAll(part.rates, oneSided),
  }));
}

const needsOf = (metric: string): Needs[] => FAIRNESS_GAPS[metric]?.rates.map(({ needs }) => needs) ?? ['labelled'];

const shownAll = (figures: Figures, oneSided: number): GroupValues['metrics'] =>
  Object.fromEntries(Object.entries(figures).map(([name, one]) => [name, estimateShown(name, one.value, estimateOf(one), oneSided)]));

interface JudgedGap {
  readonly gap: GroupGap;
  /** Whether every pair of its groups has an interval. */
  readonly judged: boolean;
}

/** The gaps that rules name, with their bounds; and for information all others that the task has. */
function gapsOf(column: Column, spec: GroupsSpec, oneSided: number): JudgedGap[] {
  const fairness = spec.task.kind === 'BINARY_CLASSIFICATION' ? Object.keys(FAIRNESS_GAPS) : [];
  const own = [...new Set(column.figures.flatMap(({ metrics }) => Object.keys(metrics)))].sort();
  return [...fairness, ...own].flatMap((metric) => {
    const bound = spec.groupRules.find((rule) => rule.column === column.column && rule.metric === metric)?.bound;
    const found = gapOfMetric(column, spec, metric, oneSided, bound);
    if (found === undefined) {
      return [];
    }
    const { judged, ...gap } = found;
    return [{ judged, gap: { column: column.column, metric, ...(bound === undefined ? {} : { bound }), ...gap } }];
  });
}

function gapOfMetric({ names, figures }: Column, spec: GroupsSpec, metric: string, oneSided: number, bound: number | undefined): Gap | undefined {
  const large = (of: (part: PartFigures) => Figures, name: string, needs: Needs): GroupFigure[] =>
    figures.flatMap((part, index) => {
      const own = of(part)[name];
      return own === undefined || isSmall(names[index], part, spec.groupMinimum, needs) ? [] : [{ group: names[index], figure: own }];
    });
  const kind = Object.hasOwn(FAIRNESS_GAPS, metric) ? FAIRNESS_GAPS[metric] : undefined;
  if (kind === undefined) {
    const groups = large(({ metrics }) => metrics, metric, 'labelled');
    return gapOf(metric, groups, 'difference', oneSided, bound);
  }
  const { rates, compare } = kind;
  return worseOf(rates.map(({ name, needs }) => gapOf(metric, large((part) => part.rates, name, needs), compare, oneSided / rates.length, bound)));
}
