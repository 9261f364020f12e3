import { HIGHER_IS_BETTER } from '../../../lib/common/contract';
import type { GateSpec } from '../../../lib/pipeline/contract';
import { figuresOf } from '../../monitoring/quality/estimate';
import type { Figures } from '../../monitoring/quality/figures';
import { momentOf, plural } from '../../monitoring/words';
import { type Judged, largestGroups, shownAll } from '../evaluation/evaluate';
import type { ScoredHoldout } from '../evaluation/scored-holdout';
import type { GateEvidence, GroupResult, Leakage, RuleName, RuleResult, RuleVerdict } from './types';
import { bytesText, percent, shown } from './words';

/** Rules that look at the candidate alone. */

/** Groups that one rule judges; each of them has enough rows for it. */
const MOST_JUDGED_GROUPS = 1000;

export type Ruled = Omit<RuleResult, 'rule' | 'verdict' | 'passed' | 'text'>;

export const ruled = (rule: RuleName, verdict: RuleVerdict, text: string, more: Ruled = {}): RuleResult => ({
  rule,
  verdict,
  passed: verdict === 'passed' || verdict === 'warning',
  text,
  ...more,
});

const kept = (holds: boolean): RuleVerdict => (holds ? 'passed' : 'failed');

/** A value that is a number, or nothing. */
export const valueOf = (figures: Figures, metric: string): number | undefined => {
  const value = Object.hasOwn(figures, metric) ? figures[metric].value : NaN;
  return Number.isFinite(value) ? value : undefined;
};

/** 1 where larger is better, -1 where smaller is; undefined where nothing says. */
export const directionOf = (metric: string): 1 | -1 | undefined => {
  const higher = Object.hasOwn(HIGHER_IS_BETTER, metric) ? HIGHER_IS_BETTER[metric] : undefined;
  return higher === undefined ? undefined : higher ? 1 : -1;
};

/** False also where one of them is no number. */
const isKept = (value: number, bound: number, direction: 1 | -1): boolean => (direction > 0 ? value >= bound : value <= bound);

export const judgeBound = ({ metric, worseThan }: GateSpec['bounds'][number], { candidate }: Judged): RuleResult => {
  const value = valueOf(candidate.metrics, metric);
  const direction = directionOf(metric);
  const given = { metric, bound: worseThan };
  if (value === undefined || direction === undefined) return ruled('bound', 'not-computable', uncomputable(metric, 'candidate', direction), given);
  const holds = isKept(value, worseThan, direction);
  const { low, high } = shownAll({ [metric]: candidate.metrics[metric] })[metric];
  const interval = low === undefined || high === undefined ? {} : { interval: { value, low, high } };
  const text = `${metric} ${shown(value)} is ${holds ? 'within' : 'worse than'} the bound ${shown(worseThan)}`;
  return ruled('bound', kept(holds), text, { ...given, value, ...interval });
};

export const uncomputable = (metric: string, whose: string, direction: 1 | -1 | undefined): string =>
  direction === undefined ? `nothing says whether a larger ${metric} is better` : `${metric} of the ${whose} cannot be computed on this holdout`;

export const judgeGroup = (spec: GateSpec['groups'][number], { candidate: table }: ScoredHoldout): RuleResult => {
  const { column, metric, worseThan, minimumRows } = spec;
  const direction = directionOf(metric);
  const given = { metric, column, bound: worseThan };
  const place = table.groupColumns.indexOf(column);
  if (place < 0) return ruled('group', 'not-computable', `the holdout has no column ${column}`, given);
  if (direction === undefined) return ruled('group', 'not-computable', uncomputable(metric, 'candidate', direction), given);
  const { names, rows, parts, leftOut } = largestGroups(table, place, minimumRows, MOST_JUDGED_GROUPS + 1);
  if (names.length === 0) {
    return ruled('group', 'not-computable', `no group of ${column} has ${plural(minimumRows, 'row')} in the holdout`, given);
  }
  if (names.length > MOST_JUDGED_GROUPS) {
    const text = `${column} has more than ${plural(MOST_JUDGED_GROUPS, 'group')} of ${plural(minimumRows, 'row')}: group it more coarsely`;
    return ruled('group', 'not-computable', text, given);
  }
  const groups = figuresOf(table, parts).map(({ metrics }, part): GroupResult => {
    const value = valueOf(metrics, metric);
    const estimate = value === undefined ? {} : shownAll({ [metric]: metrics[metric] })[metric];
    const worse = value !== undefined && !isKept(value, worseThan, direction);
    return { group: names[part], rows: rows[part], small: false, worse, ...estimate };
  });
  const open = groups.filter(({ value }) => value === undefined);
  const worse = groups.filter((group) => group.worse);
  const named = (list: readonly GroupResult[]): string => {
    const said = list.slice(0, 3).map(({ group, value }) => `${group}${value === undefined ? '' : ` (${shown(value)})`}`);
    return said.concat(list.length > 3 ? [`${list.length - 3} more`] : []).join(', ');
  };
  const result = { ...given, groups };
  if (worse.length > 0) return ruled('group', 'failed', `${metric} of ${column} ${named(worse)} is worse than the bound ${shown(worseThan)}`, result);
  if (open.length > 0) return ruled('group', 'not-computable', `${metric} of ${column} ${named(open)} cannot be computed on this holdout`, result);
  const small = leftOut === 0 ? '' : `; ${plural(leftOut, 'group')} with fewer rows not judged`;
  const text = `${metric} of each of ${plural(groups.length, 'group')} of ${column} is within the bound ${shown(worseThan)}${small}`;
  return ruled('group', 'passed', text, result);
};

export const judgeTime = (limit: number, rows: number, { scoringMilliseconds, permutedRows = 0 }: GateEvidence): RuleResult => {
  const given = { bound: limit, unit: 'milliseconds' as const };
  if (scoringMilliseconds === undefined || !Number.isFinite(scoringMilliseconds) || scoringMilliseconds < 0) {
    return ruled('time-per-row', 'not-computable', 'the job that scored the holdout told no times', given);
  }
  const value = scoringMilliseconds / (rows + permutedRows);
  const text = `a row took ${shown(value)} ms, ${value <= limit ? 'within' : 'more than'} the bound ${shown(limit)} ms`;
  return ruled('time-per-row', kept(value <= limit), text, { ...given, value });
};

export const judgeSize = (limit: number, { modelBytes }: GateEvidence): RuleResult => {
  const given = { bound: limit, unit: 'bytes' as const };
  if (modelBytes === undefined || !Number.isFinite(modelBytes)) {
    return ruled('model-size', 'not-computable', 'the size of model.tar.gz is not known', given);
  }
  const text = `model.tar.gz has ${bytesText(modelBytes)}, ${modelBytes <= limit ? 'within' : 'more than'} the bound ${bytesText(limit)}`;
  return ruled('model-size', kept(modelBytes <= limit), text, { ...given, value: modelBytes });
};

/** A row that is as old as a training row was not yet to come. */
export const judgeTimeOrder = (leakage: Leakage, from: number | undefined): RuleResult => {
  const to = leakage.status === 'checked' && leakage.trainTo !== undefined ? Date.parse(leakage.trainTo) : NaN;
  if (from === undefined || Number.isNaN(to)) {
    return ruled('time-order', 'not-computable', 'whether the holdout is newer than the training data cannot be told: a time is missing');
  }
  const [first, last] = [momentOf(from), momentOf(to)];
  return from > to
    ? ruled('time-order', 'passed', `the holdout begins at ${first}, after the last training row of ${last}`)
    : ruled('time-order', 'failed', `the holdout begins at ${first}, not after the last training row of ${last}`);
};

export const judgeDuplicates = (whose: 'candidate' | 'champion', leakage: Leakage, allowed: number): RuleResult => {
  const rule = `duplicates-${whose}` as const;
  const given = { bound: allowed, unit: 'share' as const };
  if (leakage.status === 'checked' && Number.isFinite(leakage.share)) {
    const { share, sharedRows } = leakage;
    const said = `${percent(share)} of the holdout (${plural(sharedRows, 'row')}) was in the training data of the ${whose} too`;
    const text = share <= allowed ? `${said}, within the allowed ${percent(allowed)}` : `${said}, more than the allowed ${percent(allowed)}`;
    return ruled(rule, kept(share <= allowed), text, { ...given, value: share });
  }
  const reason = 'reason' in leakage ? leakage.reason : 'nothing was found out';
  const text = `whether the ${whose} was trained on rows of the holdout cannot be checked: ${reason}`;
  if (whose === 'candidate' || leakage.status !== 'not-checkable') return ruled(rule, 'not-computable', text, given);
  return ruled(rule, 'warning', `${text}; if it was, the comparison only was harder for the candidate`, given);
};

