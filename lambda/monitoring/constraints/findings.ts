import type { ConstraintViolation } from '../../../lib/monitoring/contract';
import type { Counts } from '../profile/types';
import { number, percent } from '../words';
import type { PairCount } from './pairs';
import { allowedShare, type Broken, type CellRule, severityOf } from './rules';
import { exceeds, shareText } from './shares';
import type { ConsistencyConstraint, ConstraintFile, FeatureConstraints, FreshnessConstraint, RowCountConstraint } from './types';

/** An estimate is below the bound only where so many of its standard errors do not reach it. */
const STANDARD_ERRORS = 5;

/**
 * A rule of a column, where more values break it than may; undefined where not.
 *
 * @param extremes of counters, which know of a range only that at least so many values lie outside
 */
export function ruleViolation(
  constraints: FeatureConstraints,
  rule: CellRule,
  { broken, of }: Broken,
  extremes?: Pick<Counts, 'minimum' | 'maximum'>,
): ConstraintViolation | undefined {
  const allowed = allowedShare(constraints, rule);
  if (!exceeds(broken, of, allowed)) return undefined;
  const { name: feature } = constraints;
  const { is, within } = wordsOf(constraints, rule);
  const ends = rule === 'range' || rule === 'nonNegative' ? [extremes?.minimum, extremes?.maximum] : [];
  const spread = ends.filter((value) => value !== undefined).map(rounded).join(' to ');
  const share = `${rule === 'range' && extremes ? 'at least ' : ''}${shareText(broken, of, rule === 'presence' ? 'rows' : 'values')}`;
  return {
    feature,
    constraint: rule,
    severity: severityOf(constraints, rule),
    observed: `${share}${spread === '' ? '' : `, values from ${spread}`}`,
    allowed: `${allowed === 0 ? 'none' : `at most ${percent(allowed)}`}${within}`,
    description: `'${feature}': ${share} ${is}, ${allowed === 0 ? 'none' : `at most ${percent(allowed)}`} may be.`,
  };
}

/** What breaks a rule, in words; the raw values of the data do not appear. */
export function wordsOf({ type, domain, range }: FeatureConstraints, rule: CellRule): { readonly is: string; readonly within: string } {
  if (rule === 'presence') return { is: 'missing', within: ' of the rows' };
  if (rule === 'type') return { is: `not ${TYPE_WORDS[type?.is ?? 'string']}`, within: ` not ${TYPE_WORDS[type?.is ?? 'string']}` };
  if (rule === 'domain') return { is: `none of the ${domain?.values.length} known values`, within: ` beyond ${domain?.values.length} known values` };
  if (rule === 'nonNegative') return { is: 'below zero', within: ' below zero' };
  const { from, to } = range ?? {};
  const bounds = to === undefined ? `from ${from} up` : from === undefined ? `up to ${to}` : `${from} to ${to}`;
  return { is: `outside ${bounds}`, within: ` outside ${bounds}` };
}

const TYPE_WORDS = { integral: 'a whole number', fractional: 'a number', string: 'text', boolean: 'true or false' };

/** @param distinct of the values that are present */
export function uniqueViolation(
  { name: feature, unique }: FeatureConstraints,
  distinct: { readonly count: number; readonly relativeError: number },
  present: number,
): ConstraintViolation | undefined {
  const { count, relativeError } = distinct;
  if (!unique || present === 0 || (count * (1 + STANDARD_ERRORS * relativeError)) / present >= unique.atLeast) return undefined;
  const about = relativeError > 0 ? `about ${number(Math.round(count))}` : number(count);
  return {
    feature,
    constraint: 'unique',
    severity: unique.severity,
    observed: `${about} distinct of ${number(present)} values`,
    allowed: `at least ${percent(unique.atLeast)} distinct`,
    description: `'${feature}': ${about} of ${number(present)} values are distinct, at least ${percent(unique.atLeast)} must be.`,
  };
}

export function relationViolation(rule: ConsistencyConstraint, { broken, of }: PairCount): ConstraintViolation | undefined {
  if (!exceeds(broken, of, rule.allowedShare)) return undefined;
  const allowed = rule.allowedShare === 0 ? 'none' : `at most ${percent(rule.allowedShare)}`;
  return {
    feature: rule.left,
    constraint: 'consistency',
    severity: rule.severity,
    observed: shareText(broken, of, 'rows'),
    allowed: `${allowed} against ${relationText(rule)}`,
    description: `${shareText(broken, of, 'rows')} break ${relationText(rule)}, ${allowed} may.`,
  };
}

export const relationText = ({ left, relation, right }: Pick<ConsistencyConstraint, 'left' | 'relation' | 'right'>): string =>
  relation === 'present-with' ? `'${right}' is there where '${left}' is` : `'${left}' ${relation} '${right}'`;

/** @param tolerated columns that may be there without being listed, such as the target in training data */
export function columnViolations({ columns }: ConstraintFile, seen: readonly string[], tolerated: readonly string[] = []): ConstraintViolation[] {
  if (!columns) return [];
  const missing = columns.names.filter((name) => !seen.includes(name));
  const added = seen.filter((name) => !columns.names.includes(name) && !tolerated.includes(name));
  return [
    ...missing.map((feature): ConstraintViolation => ({
      feature,
      constraint: 'columns',
      severity: columns.severity,
      observed: 'absent',
      allowed: 'present',
      description: `The column '${feature}' is missing.`,
    })),
    ...added.map((feature): ConstraintViolation => ({
      feature,
      constraint: 'columns',
      severity: 'warning',
      observed: 'present',
      allowed: 'absent',
      description: `The column '${feature}' is not among those that the constraints list.`,
    })),
  ];
}

/** Rows of requests with more or fewer columns; one client that is off is no change of the schema. */
const MOST_OTHER = 0.01;

/** Of rows that carry no names: whether too many have another number of columns than the rest, `rows`. */
export function columnCountViolation({ columns }: ConstraintFile, others: number, rows: number): ConstraintViolation | undefined {
  if (!columns || !exceeds(others, others + rows, MOST_OTHER)) return undefined;
  const share = shareText(others, others + rows, 'rows');
  const allowed = `at most ${percent(MOST_OTHER)}`;
  return {
    constraint: 'columns',
    severity: columns.severity,
    observed: `${share} with another number of columns`,
    allowed,
    description: `${share} have more or fewer columns than the model was trained with, ${allowed} may.`,
  };
}

/** @param where what holds the rows, such as "the window" */
export function rowCountViolation(rule: RowCountConstraint | undefined, rows: number, where: string): ConstraintViolation | undefined {
  const { atLeast = 0, atMost = Infinity } = rule ?? {};
  if (!rule || (rows >= atLeast && rows <= atMost)) return undefined;
  const allowed = atMost === Infinity ? `at least ${number(atLeast)}` : `${number(atLeast)} to ${number(atMost)}`;
  return {
    constraint: 'rowCount',
    severity: rule.severity,
    observed: `${number(rows)} rows`,
    allowed: `${allowed} rows`,
    description: `There are ${number(rows)} rows in ${where}, ${allowed} are expected.`,
  };
}

/** @param age of the newest row in milliseconds at the moment that `at` names */
export function freshnessViolation(rule: FreshnessConstraint | undefined, age: number, at: string): ConstraintViolation | undefined {
  if (!rule || age <= rule.atMostSeconds * 1000) return undefined;
  const [old, most] = [ageText(age / 1000), ageText(rule.atMostSeconds)];
  return {
    constraint: 'freshness',
    severity: rule.severity,
    observed: old,
    allowed: `at most ${most}`,
    description: `The newest row is ${old} old at ${at}, at most ${most} is expected.`,
  };
}

const UNITS: readonly (readonly [number, string])[] = [
  [86_400, 'days'],
  [3600, 'hours'],
  [60, 'minutes'],
  [1, 'seconds'],
];

const ageText = (seconds: number): string => {
  const [length, unit] = UNITS.find(([unitLength]) => seconds >= 2 * unitLength) ?? [1, 'seconds'];
  return `${Number((seconds / length).toFixed(1))} ${unit}`;
};

const rounded = (value: number): string => String(Number(value.toPrecision(4)));
