import { mergeCounts } from '../profile/counts';
import type { Counts, Profile } from '../profile/types';
import { percent } from '../words';
import { addPairs, isSamePair, type PairCount } from './pairs';
import { allowedShare, ColumnRules, type CellRule } from './rules';
import { exceeds, largestShare } from './shares';
import { type ShapedCounts, suggestFeature, WIDENINGS } from './suggest-feature';
import type { ConsistencyConstraint, FeatureConstraints } from './types';

/** One of several parts of the training data that follow each other in time. */
export interface Fold {
  readonly profile: Profile;
  readonly pairs?: readonly PairCount[];
}

/** A rule that more than this share of a held-out part breaks says nothing about new data. */
const HOPELESS: Readonly<Record<CellRule, number>> = { type: 0.05, presence: 0.99, domain: 0.2, range: 0.05, nonNegative: 0 };

export interface Checked {
  readonly constraints: FeatureConstraints;
  /** What held-out parts changed, a sentence each. */
  readonly notes: readonly string[];
}

interface Failure {
  /** Largest share of a part that broke what the other parts suggest. */
  readonly share: number;
  readonly broken: number;
  readonly of: number;
}

/** Suggests from all parts but one, checks on that one, for each: what fails is widened until it does not, or dropped. */
export function checkedFeature(feature: ShapedCounts, folds: readonly Fold[]): Checked {
  const parts = folds.map(({ profile }) => profile.features.get(feature.name)).filter((part) => part !== undefined);
  let constraints = suggestFeature(feature);
  if (parts.length < 2 || parts.length < folds.length) return { constraints, notes: [] };
  const others = parts.map((_, held) => parts.filter((_, index) => index !== held).map(withoutSketch).reduce(mergeCounts));
  const notes: string[] = [];

  let failures = failuresOf(feature, parts, others, WIDENINGS[0]);
  for (const widening of WIDENINGS.slice(1)) {
    if (!failures.has('range')) break;
    const wider = failuresOf(feature, parts, others, widening);
    if (wider.has('range') && widening !== WIDENINGS.at(-1)) continue;
    const { range } = suggestFeature(feature, widening);
    const share = shareOf(failures.get('range'));
    notes.push(`${feature.name}.range: wider, since ${share} of a held-out part lay outside what the others suggest`);
    constraints = { ...constraints, range };
    failures = wider;
    break;
  }
  for (const [rule, failure] of failures) {
    const widened = failure.share > HOPELESS[rule] ? undefined : widen(constraints, rule, failure);
    const change = widened ? 'more is allowed' : 'dropped';
    notes.push(`${feature.name}.${rule}: ${change}, since ${shareOf(failure)} of a held-out part broke what the others suggest`);
    constraints = { ...constraints, [rule]: widened };
  }
  return { constraints: withoutAbsent(constraints), notes };
}

/** A rule that was dropped is no key of the file. */
const withoutAbsent = (constraints: FeatureConstraints): FeatureConstraints => JSON.parse(JSON.stringify(constraints)) as FeatureConstraints;

const withoutSketch = ({ sketch: _, ...counts }: Counts): Counts => counts;

const shareOf = (failure: Failure | undefined): string => percent(failure?.share ?? 0);

function failuresOf(feature: ShapedCounts, parts: readonly Counts[], others: readonly Counts[], widening: number): Map<CellRule, Failure> {
  const worst = new Map<CellRule, Failure>();
  parts.forEach((part, held) => {
    const suggested = suggestFeature({ ...feature, counts: others[held], distinct: undefined }, widening);
    for (const [rule, { broken, of }] of new ColumnRules(suggested).count(feature.shape, part)) {
      if (!exceeds(broken, of, allowedShare(suggested, rule)) || broken / of <= (worst.get(rule)?.share ?? 0)) continue;
      worst.set(rule, { share: broken / of, broken, of });
    }
  });
  return worst;
}

function widen(constraints: FeatureConstraints, rule: CellRule, { broken, of }: Failure): FeatureConstraints[CellRule] {
  const allowed = Math.max(largestShare(broken, of), allowedShare(constraints, rule));
  if (rule === 'type' && constraints.type) return { ...constraints.type, allowedShare: allowed };
  if (rule === 'range' && constraints.range) return { ...constraints.range, allowedShare: allowed };
  if (rule === 'domain' && constraints.domain) return { ...constraints.domain, allowedUnseenShare: allowed };
  // A column that lacks many values in some part of the time is not one whose rows are useless without them.
  if (rule === 'presence' && constraints.presence) return { atLeast: Math.floor((1 - allowed) * 10_000) / 10_000, severity: 'warning' };
  return undefined;
}

/** Relations that hold in every part as the other parts promise it. */
export function checkedRelations(
  candidates: readonly ConsistencyConstraint[],
  folds: readonly Fold[],
): { readonly kept: ConsistencyConstraint[]; readonly notes: string[] } {
  const isKept = (candidate: ConsistencyConstraint): boolean =>
    folds.every(({ pairs = [] }, held) => {
      const own = pairs.find((count) => isSamePair(count, candidate));
      const others = folds.filter((_, index) => index !== held).map((fold) => fold.pairs ?? []);
      const rest = addPairs(others).find((count) => isSamePair(count, candidate));
      return own === undefined || rest === undefined || !exceeds(own.broken, own.of, largestShare(rest.broken, rest.of));
    });
  const dropped = candidates.filter((candidate) => !isKept(candidate));
  return {
    kept: candidates.filter((candidate) => !dropped.includes(candidate)),
    notes: dropped.map(({ left, relation, right }) => `${left} ${relation} ${right}: dropped, a held-out part broke it more often than the others`),
  };
}
