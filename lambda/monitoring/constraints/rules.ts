import type { CategoricalShape, Counts, NumericShape, Shape } from '../profile/types';
import type { Cell } from '../rows';
import { readCategory, readNumeric } from '../values';
import { leastOutside } from './outside';
import type { ConsistencyConstraint, FeatureConstraints, Severity } from './types';

/** Rules that a single value can break. */
export type CellRule = 'type' | 'presence' | 'domain' | 'range' | 'nonNegative';

/** Values that break a rule, of those that it is about. */
export interface Broken {
  readonly broken: number;
  readonly of: number;
}

const BOOLEANS = new Set(['true', 'false', '0', '1']);

/** The rules of one column, made ready to be asked for every row. */
export class ColumnRules {
  private readonly numeric: boolean;
  private readonly domain?: ReadonlySet<string | undefined>;

  constructor(readonly constraints: FeatureConstraints) {
    const { type, range, nonNegative, domain } = constraints;
    this.numeric = type ? type.is === 'integral' || type.is === 'fractional' : range !== undefined || nonNegative !== undefined;
    this.domain = domain && new Set(domain.values.map(readCategory));
  }

  isMissing(cell: Cell): boolean {
    return (this.numeric ? readNumeric(cell) === 'missing' : false) || readCategory(cell) === undefined;
  }

  /** Rules that this value breaks; a value that is missing breaks presence alone. */
  broken(cell: Cell): CellRule[] {
    const { type, presence, range, nonNegative } = this.constraints;
    if (this.isMissing(cell)) return presence ? ['presence'] : [];
    const found: CellRule[] = [];
    const value = readNumeric(cell);
    if (type && !isOfType(type.is, cell, value)) found.push('type');
    if (this.domain && !this.domain.has(readCategory(cell))) found.push('domain');
    if (typeof value !== 'number') return found;
    if (range && (value < (range.from ?? -Infinity) || value > (range.to ?? Infinity))) found.push('range');
    if (nonNegative && value < 0) found.push('nonNegative');
    return found;
  }

  /**
   * The same from counters. Of a numeric feature's range only a lower bound is known (see `leastOutside`); a rule that the counters cannot answer is
   * absent.
   */
  count(shape: Shape, counts: Counts): Map<CellRule, Broken> {
    return shape.kind === 'numeric' ? this.countNumeric(shape, counts) : this.countNames(shape, counts);
  }

  private countNumeric(shape: NumericShape, counts: Counts): Map<CellRule, Broken> {
    const { type, presence, range, nonNegative } = this.constraints;
    const found = new Map<CellRule, Broken>();
    const of = counts.rows - counts.missing;
    if (presence) found.set('presence', { broken: counts.missing, of: counts.rows });
    const fractions = type?.is === 'integral' ? counts.fractional : 0;
    if (type && type.is !== 'boolean' && fractions !== undefined) {
      found.set('type', { broken: type.is === 'string' ? 0 : counts.invalid + fractions, of });
    }
    if (range) found.set('range', { broken: leastOutside(shape, counts, range.from, range.to), of });
    if (nonNegative && counts.negative !== undefined) found.set('nonNegative', { broken: counts.negative, of });
    return found;
  }

  private countNames(shape: CategoricalShape, counts: Counts): Map<CellRule, Broken> {
    const listed = shape.categories.map((name, index): [string, number] => [name, counts.counts[index]]);
    const names = [...listed, ...Object.entries(counts.unlisted ?? {})];
    const broken: Record<CellRule, number> = { type: 0, presence: counts.missing, domain: 0, range: 0, nonNegative: 0 };
    let missing = counts.missing;
    let named = 0;
    for (const [name, count] of names) {
      named += count;
      if (this.isMissing(name)) missing += count;
      for (const rule of this.broken(name)) broken[rule] += count;
    }
    const rest = counts.rows - counts.missing - named;
    const known = new Set(shape.categories);
    // Names beyond those that are kept are none of the listed ones.
    if (this.domain && [...this.domain].every((name) => known.has(name ?? ''))) broken.domain += rest;
    const present = counts.rows - missing;
    const rules = (Object.keys(broken) as CellRule[]).filter((rule) => this.constraints[rule] !== undefined);
    return new Map(rules.map((rule) => [rule, { broken: broken[rule], of: rule === 'presence' ? counts.rows : present }]));
  }
}

const isOfType = (type: string, cell: Cell, value: ReturnType<typeof readNumeric>): boolean => {
  if (type === 'string') return true;
  if (type === 'boolean') return BOOLEANS.has((readCategory(cell) ?? '').toLowerCase());
  return typeof value === 'number' && (type === 'fractional' || Number.isInteger(value));
};

/** Share of the values that may break a rule of a column. */
export function allowedShare(constraints: FeatureConstraints, rule: CellRule): number {
  if (rule === 'type') return constraints.type?.allowedShare ?? 1;
  if (rule === 'presence') return 1 - (constraints.presence?.atLeast ?? 0);
  if (rule === 'domain') return constraints.domain?.allowedUnseenShare ?? 1;
  if (rule === 'range') return constraints.range?.allowedShare ?? 1;
  return 0;
}

export const severityOf = (constraints: FeatureConstraints, rule: CellRule | 'unique'): Severity => constraints[rule]?.severity ?? 'warning';

/** Whether two cells of a row break the relation; undefined where it is not about them. */
export function breaksRelation({ relation }: Pick<ConsistencyConstraint, 'relation'>, left: Cell, right: Cell): boolean | undefined {
  const [a, b] = [readNumeric(left), readNumeric(right)];
  if (relation === 'present-with') return a === 'missing' ? undefined : b === 'missing';
  if (a === 'missing' || b === 'missing') return undefined;
  if (relation === '=') return readCategory(left) !== readCategory(right);
  if (typeof a !== 'number' || typeof b !== 'number') return undefined;
  return relation === '<=' ? !(a <= b) : !(a < b);
}
