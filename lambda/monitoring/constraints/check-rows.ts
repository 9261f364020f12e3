import type { ConstraintViolation } from '../../../lib/monitoring/contract';
import type { Cell } from '../rows';
import { readCategory } from '../values';
import {
  columnViolations,
  freshnessViolation,
  relationText,
  relationViolation,
  rowCountViolation,
  ruleViolation,
  uniqueViolation,
  wordsOf,
} from './findings';
import { redacted } from './redact';
import { breaksRelation, type CellRule, ColumnRules, severityOf } from './rules';
import type { ConsistencyConstraint, ConstraintFile, Severity } from './types';
import { ValueSet } from './value-set';

/** A rule that one row breaks. */
export interface RowFinding {
  readonly column: string;
  readonly constraint: CellRule | 'unique' | 'consistency';
  readonly severity: Severity;
  /** In words, without the value. */
  readonly rule: string;
  /** What the value looks like: see `redacted`. */
  readonly sample: string;
}

export interface DatasetContext {
  /** Names that the data may have beyond those that the constraints list, such as the target. */
  readonly tolerated?: readonly string[];
  /** Milliseconds; freshness is not judged without both. */
  readonly newestRow?: number;
  readonly now?: number;
}

export interface DatasetViolation extends ConstraintViolation {
  /** Place of the first row that breaks the rule; absent for rules on the data set as a whole. */
  readonly first?: string;
}

interface Tally {
  of: number;
  broken: number;
  first?: string;
}

interface Column {
  readonly name: string;
  readonly index: number;
  readonly rules: ColumnRules;
  readonly tallies: Map<CellRule, Tally>;
  /** Only where the column has to be unique. */
  readonly seen?: ValueSet;
  readonly repeats: Tally;
}

interface Relation {
  readonly rule: ConsistencyConstraint;
  readonly at: readonly [number, number];
  readonly tally: Tally;
}

const CELL_RULES: readonly CellRule[] = ['type', 'presence', 'domain', 'range', 'nonNegative'];

/** Checks the rows of a data set one by one, then the set as a whole. */
export class RowChecker {
  private readonly columns: readonly Column[];
  private readonly relations: readonly Relation[];
  private rows = 0;

  /** @param names columns of the rows in order; constraints on others wait for the verdict on the columns */
  constructor(
    private readonly file: ConstraintFile,
    private readonly names: readonly string[],
  ) {
    this.columns = file.features
      .map((constraints): Column => {
        const given = CELL_RULES.filter((rule) => constraints[rule] !== undefined);
        return {
          name: constraints.name,
          index: names.indexOf(constraints.name),
          rules: new ColumnRules(constraints),
          tallies: new Map(given.map((rule) => [rule, { of: 0, broken: 0 }])),
          ...(constraints.unique && { seen: new ValueSet() }),
          repeats: { of: 0, broken: 0 },
        };
      })
      .filter(({ index }) => index >= 0);
    this.relations = file.consistency
      .map((rule): Relation => ({ rule, at: [names.indexOf(rule.left), names.indexOf(rule.right)], tally: { of: 0, broken: 0 } }))
      .filter(({ at }) => at[0] >= 0 && at[1] >= 0);
  }

  /** Rules that the row breaks. `where` names it, for the verdict. */
  check(row: readonly Cell[], where: string): RowFinding[] {
    this.rows += 1;
    const found: RowFinding[] = [];
    for (const column of this.columns) this.checkCell(column, row[column.index], where, found);
    for (const { rule, at, tally } of this.relations) {
      const [left, right] = [row[at[0]], row[at[1]]];
      const isBroken = breaksRelation(rule, left, right);
      if (isBroken === undefined) continue;
      tally.of += 1;
      if (!isBroken) continue;
      count(tally, where);
      const sample = `${redacted(left)}, ${redacted(right)}`;
      found.push({ column: rule.left, constraint: 'consistency', severity: rule.severity, rule: `breaks ${relationText(rule)}`, sample });
    }
    return found;
  }

  /** What the data set breaks. Too many broken rows, or a rule on the whole; single rows within the allowed share are no violation. */
  finish({ tolerated, newestRow, now }: DatasetContext): DatasetViolation[] {
    const { dataset } = this.file;
    const found: (DatasetViolation | undefined)[] = [...columnViolations(this.file, this.names, tolerated)];
    found.push(rowCountViolation(dataset?.rowCount, this.rows, 'the data set'));
    if (newestRow !== undefined && now !== undefined) found.push(freshnessViolation(dataset?.freshness, now - newestRow, 'the start of the run'));
    for (const { rules, tallies, seen, repeats } of this.columns) {
      for (const [rule, tally] of tallies) found.push(placed(ruleViolation(rules.constraints, rule, tally), tally));
      if (seen) found.push(placed(uniqueViolation(rules.constraints, { count: seen.size, relativeError: 0 }, repeats.of), repeats));
    }
    for (const { rule, tally } of this.relations) found.push(placed(relationViolation(rule, { ...rule, ...tally }), tally));
    return found.filter((violation) => violation !== undefined);
  }

  private checkCell({ name, rules, tallies, seen, repeats, index: _ }: Column, cell: Cell, where: string, found: RowFinding[]): void {
    const { constraints } = rules;
    const isMissing = rules.isMissing(cell);
    for (const [rule, tally] of tallies) if (!isMissing || rule === 'presence') tally.of += 1;
    for (const rule of rules.broken(cell)) {
      count(tallies.get(rule), where);
      const severity = severityOf(constraints, rule);
      found.push({ column: name, constraint: rule, severity, rule: `'${name}' is ${wordsOf(constraints, rule).is}`, sample: redacted(cell) });
    }
    if (!seen || isMissing) return;
    repeats.of += 1;
    const value = readCategory(cell) ?? '';
    if (!seen.add(value)) {
      count(repeats, where);
      const severity = severityOf(constraints, 'unique');
      found.push({ column: name, constraint: 'unique', severity, rule: `'${name}' has a value that came before`, sample: redacted(cell) });
    }
  }
}

function count(tally: Tally | undefined, where: string): void {
  if (!tally) return;
  tally.broken += 1;
  tally.first ??= where;
}

const placed = (violation: ConstraintViolation | undefined, { first }: Tally): DatasetViolation | undefined =>
  violation && { ...violation, ...(first !== undefined && { first }) };
