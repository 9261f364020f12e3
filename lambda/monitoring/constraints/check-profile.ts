import type { ConstraintsVerdict, ConstraintViolation } from '../../../lib/monitoring/contract';
import { estimateDistinct, SKETCH_ERROR } from '../profile/sketch';
import type { Profile, WatchedFeature } from '../profile/types';
import { columnViolations, freshnessViolation, relationViolation, rowCountViolation, ruleViolation, uniqueViolation } from './findings';
import { isSamePair, type PairCount } from './pairs';
import { allowedShare, ColumnRules } from './rules';
import type { ConstraintFile } from './types';

/** What is known of a window besides its counters. */
export interface ProfileContext {
  /** All rows of the window. */
  readonly rows: number;
  /** Shares of fewer values than this are not judged. */
  readonly minimumRows: number;
  /** Time of the newest row in milliseconds; freshness is not judged without it. */
  readonly newestRow?: number;
  /** Milliseconds. */
  readonly windowEnd: number;
  /** Names that came with the rows, where they came by name; without them missing and added columns cannot be told. */
  readonly columnsSeen?: readonly string[];
  /** Relations of the file as a PairCounter over `file.consistency` found them; they are judged only with it. */
  readonly pairs?: readonly PairCount[];
}

/**
 * Judges the counters of a window. Deterministic rules (columns, row count, freshness, non-negativity, whatever allows no share) are broken by a
 * single case; a share is too large only where sampling noise cannot explain it, see `exceeds`.
 */
export function checkProfile(
  file: ConstraintFile,
  features: readonly WatchedFeature[],
  profile: Profile,
  context: ProfileContext,
): ConstraintViolation[] {
  const { rows, newestRow, windowEnd, columnsSeen, pairs = [] } = context;
  const found: (ConstraintViolation | undefined)[] = [];
  if (columnsSeen) found.push(...columnViolations(file, columnsSeen));
  found.push(rowCountViolation(file.rowCount, rows, 'the window'));
  if (newestRow !== undefined) found.push(freshnessViolation(file.freshness, windowEnd - newestRow, "the window's end"));
  const judged = (of: number, allowed: number): boolean => of >= context.minimumRows || allowed === 0;
  for (const constraints of file.features) {
    const feature = features.find(({ name, role }) => name === constraints.name && role !== 'prediction');
    const counts = feature && profile.features.get(feature.name);
    if (!feature || !counts) continue;
    for (const [rule, count] of new ColumnRules(constraints).count(feature.shape, counts)) {
      if (judged(count.of, allowedShare(constraints, rule))) found.push(ruleViolation(constraints, rule, count, counts));
    }
    const present = counts.rows - counts.missing;
    if (constraints.unique && counts.sketch !== undefined && present >= context.minimumRows) {
      found.push(uniqueViolation(constraints, { count: estimateDistinct(counts.sketch), relativeError: SKETCH_ERROR }, present));
    }
  }
  for (const rule of file.consistency) {
    const count = pairs.find((pair) => isSamePair(pair, rule));
    if (count && judged(count.of, rule.allowedShare)) found.push(relationViolation(rule, count));
  }
  return found.filter((violation) => violation !== undefined);
}

/** Warnings alone are no violation of the window. */
export function constraintsVerdict(violations: readonly ConstraintViolation[]): { verdict: ConstraintsVerdict; reason: string } {
  const errors = violations.filter(({ severity }) => severity === 'error');
  const warnings = violations.length - errors.length;
  const also = warnings === 0 ? '' : ` ${warnings} warning${warnings === 1 ? '' : 's'}.`;
  if (errors.length === 0) return { verdict: 'ok', reason: `No constraint of severity error is broken.${also}` };
  const more = errors.length === 1 ? '' : ` ${errors.length - 1} more of severity error.`;
  return { verdict: 'violated', reason: `${errors[0].description}${more}${also}` };
}
