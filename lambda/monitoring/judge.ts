import type { DriftVerdict, FeatureResult, MonitorSpec } from '../../lib/monitoring/contract';
import type { Baseline } from './baseline';
import { compare, Comparison, Finding } from './compare';
import type { Counts, Shape } from './counters';
import { countsOf, FeatureProfile } from './profile';
import { chooseReference, Reference } from './reference';
import { benjaminiHochberg } from './statistics';

/** Share of false findings among the findings of one run that is accepted, over all features. */
const FALSE_DISCOVERY_RATE = 0.05;

/** Counters of a window by the name of the feature. */
export type WindowCounts = ReadonlyMap<string, Counts>;

/** A feature's result with what its chart shows. */
export interface JudgedFeature {
  readonly result: FeatureResult;
  readonly role: 'feature' | 'prediction';
  /** Largest difference in units of its threshold. */
  readonly strength: number;
  readonly shape: Shape;
  readonly reference?: Counts;
  readonly window: Counts;
}

export interface DriftJudgement {
  readonly verdict: DriftVerdict;
  readonly reason: string;
  readonly reference: string;
  /** Strongest first. */
  readonly features: readonly JudgedFeature[];
}

interface Compared {
  readonly profile: FeatureProfile & { readonly role: 'feature' | 'prediction' };
  readonly window: Counts;
  readonly reference?: Counts;
  readonly comparison?: Comparison;
}

/**
 * A feature has drifted where a difference is significant after correction for everything that was tested, and large enough to matter.
 * With too few rows there is no verdict: neither drift nor its absence.
 */
export function judgeDrift(
  baseline: Baseline,
  spec: MonitorSpec,
  window: { readonly start: number; readonly end: number; readonly rows: number; readonly counts: WindowCounts },
): DriftJudgement {
  const reference = chooseReference(baseline, spec, window.start, window.end);
  const watched = (baseline.features as readonly FeatureProfile[]).filter((feature) => feature.role !== 'target');
  const enough = window.rows >= spec.minimumRows;
  const compared = watched.flatMap((profile): Compared[] => {
    const counts = window.counts.get(profile.name);
    return counts === undefined ? [] : [compareFeature(profile as Compared['profile'], counts, reference, enough ? spec.minimumRows : Infinity)];
  });
  const significant = significance(compared);
  const features = compared
    .map((entry, index) => judged(entry, (finding) => enough && significant(index, finding), window.rows, spec.minimumRows))
    .sort((a, b) => Number(b.result.drifted) - Number(a.result.drifted) || b.strength - a.strength || (a.result.name < b.result.name ? -1 : 1));
  return { ...verdict(features, window.rows, spec.minimumRows), reference: reference.sentence, features };
}

function verdict(features: readonly JudgedFeature[], rows: number, minimumRows: number): { verdict: DriftVerdict; reason: string } {
  if (rows === 0) {
    return { verdict: 'no-traffic', reason: 'No recorded request falls into the window: there is nothing to compare.' };
  }
  if (rows < minimumRows) {
    const reason = `The window holds ${rows} rows and a verdict needs ${minimumRows}: neither drift nor its absence can be told.`;
    return { verdict: 'insufficient-data', reason };
  }
  const drifted = features.filter(({ result }) => result.drifted).map(({ result }) => result.name);
  const test = 'from the reference beyond chance and by enough to matter';
  return drifted.length > 0
    ? { verdict: 'drift', reason: `${drifted.length} of ${features.length} features differ ${test}: ${drifted.join(', ')}.` }
    : { verdict: 'ok', reason: `None of ${features.length} features differs ${test}.` };
}

function compareFeature(profile: Compared['profile'], window: Counts, reference: Reference, minimumRows: number): Compared {
  const counts = countsOf(profile, reference.includes);
  return counts === undefined
    ? { profile, window }
    : { profile, window, reference: counts, comparison: compare(profile.shape, counts, window, minimumRows) };
}

/** Bonferroni over the findings of a feature, Benjamini–Hochberg over features; answers whether one finding holds after both. */
function significance(compared: readonly Compared[]): (index: number, finding: Finding) => boolean {
  const corrected = (comparison: Comparison, finding: Finding): number => Math.min(1, finding.pValue * comparison.findings.length);
  const tested = compared.flatMap(({ comparison }) => (comparison !== undefined && comparison.findings.length > 0 ? [comparison] : []));
  const smallest = tested.map((comparison) => Math.min(...comparison.findings.map((finding) => corrected(comparison, finding))));
  const accepted = benjaminiHochberg(smallest);
  const limit = Math.max(-1, ...smallest.filter((_, index) => accepted[index] <= FALSE_DISCOVERY_RATE));
  return (index, finding) => corrected(compared[index].comparison as Comparison, finding) <= limit;
}

function judged(entry: Compared, significant: (finding: Finding) => boolean, rows: number, minimumRows: number): JudgedFeature {
  const { profile, comparison, window, reference } = entry;
  const { findings: all, ...figures } = comparison ?? emptyComparison(window);
  const causes = all.filter((finding) => finding.effect >= 1 && significant(finding));
  const strength = Math.max(0, ...all.map((finding) => finding.effect));
  const result: FeatureResult = {
    name: profile.name,
    kind: profile.shape.kind,
    drifted: causes.length > 0,
    ...figures,
    reason: reasonOf(entry, causes, all.filter(significant), rows, minimumRows),
  };
  return { result, role: profile.role, strength, shape: profile.shape, reference, window };
}

function reasonOf(entry: Compared, causes: readonly Finding[], significant: readonly Finding[], rows: number, minimumRows: number): string {
  const { comparison, profile } = entry;
  if (rows < minimumRows) {
    return `Not judged: ${rows} rows, ${minimumRows} needed.`;
  }
  if (comparison === undefined) {
    return profile.role === 'prediction'
      ? 'Not judged: the holdout that predictions are compared with does not reach into this season.'
      : 'Not judged: the reference holds no row of this feature.';
  }
  const size = `${comparison.rows} rows against ${comparison.referenceRows}`;
  const against = profile.role === 'prediction' ? `${size} of the holdout` : size;
  if (causes.length > 0) {
    return `Drifted: ${causes.map(({ text }) => text).join('; ')}; beyond chance after correction; ${against}.`;
  }
  const distribution = comparison.findings.find(({ kind }) => kind === 'distribution');
  const uncompared = comparison.psiDebiased === undefined ? `fewer than ${minimumRows} usable values` : 'one and the same value on both sides';
  const text = distribution?.text ?? uncompared;
  return significant.length > 0
    ? `No drift: beyond chance, but too small to matter: ${significant.map((finding) => finding.text).join('; ')}; ${against}.`
    : `No drift: within chance after correction: ${text}; ${against}.`;
}

const emptyComparison = (window: Counts): Comparison => ({
  referenceRows: 0,
  rows: window.rows,
  missingShare: window.rows > 0 ? window.missing / window.rows : 0,
  referenceMissingShare: 0,
  invalidShare: window.rows > 0 ? window.invalid / window.rows : 0,
  findings: [],
});
