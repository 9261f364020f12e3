import type { FeatureResult, MonitorResult, ReferenceComparison } from '../../../lib/monitoring/contract';
import type { FeatureChart } from '../drift/types';
import { drawDistribution } from './distribution';
import { drawTrend } from './trend';
import { referenceKey, type ReportContext, type TrendPoint } from './types';
import { clip, figure, hundredths, number, percent, probability, referenceName, thresholdOf, type Tone } from './words';

/** Features as a page shows them: those that drifted first, then by what they mean to the prediction times how much they changed. */

/** How much of the page is drawn; a page of thousands of columns tells the rest in figures, or in the result alone. */
export interface Detail {
  readonly charts: number;
  readonly features: number;
}

export interface FeatureView {
  readonly id: string;
  readonly name: string;
  readonly tone: Tone;
  readonly word: string;
  readonly result: FeatureResult;
  readonly place: string;
  readonly distribution: string;
  readonly trend: string;
  readonly sides: readonly (readonly [string, string, string])[];
  readonly figures: readonly (readonly [string, string])[];
  readonly unseen: string;
  readonly others: readonly { readonly reference: string; readonly word: string; readonly effect: string; readonly rows: string }[];
}

export interface FeaturesView {
  readonly reference?: string;
  readonly against?: string;
  readonly drifted: readonly FeatureView[];
  readonly first: readonly FeatureView[];
  readonly rest: readonly FeatureView[];
  readonly leftOut: number;
}

/** Features that did not drift and are open when the page is. */
const OPEN = 8;
const NAME = 90;

export function featuresView(result: MonitorResult, context: ReportContext, trend: readonly TrendPoint[], detail: Detail): FeaturesView {
  const { comparisons } = result.drift;
  const primary = primaryOf(comparisons);
  if (primary === undefined) return { drifted: [], first: [], rest: [], leftOut: 0 };
  const key = referenceKey(primary.reference);
  const charts = context.comparisons.find((one) => referenceKey(one.result.reference) === key)?.charts;
  const others = comparisons
    .filter((one) => one !== primary)
    .map((comparison) => ({ comparison, byName: new Map(comparison.features.map((feature) => [feature.name, feature])) }));
  const anywhere = (name: string): boolean => others.some(({ byName }) => byName.get(name)?.drifted === true);
  const weigh = weightOf(primary.features);
  const ordered = [...primary.features].sort(
    (a, b) => Number(b.drifted) - Number(a.drifted) || Number(anywhere(b.name)) - Number(anywhere(a.name)) || weigh(b) - weigh(a),
  );
  const views = ordered.slice(0, detail.features).map((feature, index): FeatureView => {
    const drawn = index < detail.charts;
    const elsewhere = others.flatMap(({ comparison, byName }) => {
      const found = byName.get(feature.name);
      return found ? [{ comparison, found }] : [];
    });
    const alarms = elsewhere
      .filter(({ comparison, found }) => found.drifted && comparison.verdict === 'drift')
      .map(({ comparison }) => referenceName(comparison.reference));
    const [tone, word] = toneOf(feature, primary, alarms);
    return {
      id: `f${index}`,
      name: clip(feature.name, NAME),
      tone,
      word,
      result: feature,
      place: placeOf(feature),
      distribution: drawn ? chartOf(`d${index}`, feature, charts?.get(feature.name)) : '',
      trend: drawn ? trendOf(`t${index}`, feature, trend, key) : '',
      sides: sidesOf(feature),
      figures: figuresOf(feature, primary),
      unseen: (feature.unseen ?? []).slice(0, 5).map((name) => clip(name, 40)).join(', '),
      others: elsewhere.map(({ comparison, found }) => ({
        reference: referenceName(comparison.reference),
        word: comparison.verdict === 'advisory' ? 'for information' : found.drifted ? 'drifted' : 'no drift',
        effect: effectOf(found),
        rows: number(found.referenceRows),
      })),
    };
  });
  const drifted = views.filter((view) => view.tone === 'bad');
  const calm = views.filter((view) => view.tone !== 'bad');
  return {
    reference: referenceName(primary.reference, context.files?.reference),
    against: primary.sentence,
    drifted,
    first: calm.slice(0, OPEN),
    rest: calm.slice(OPEN),
    leftOut: ordered.length - views.length,
  };
}

/** The reference that alarms, else the first that can be relied on, else any. */
export const primaryOf = (comparisons: readonly ReferenceComparison[]): ReferenceComparison | undefined =>
  comparisons.find(({ verdict }) => verdict === 'drift') ??
  comparisons.find(({ promise, features }) => !promise.advisory && features.length > 0) ??
  comparisons.find(({ features }) => features.length > 0);

function toneOf(feature: FeatureResult, { verdict }: ReferenceComparison, alarms: readonly string[]): readonly [Tone, string] {
  if (feature.drifted) return verdict === 'advisory' ? ['idle', 'differs, for information'] : ['bad', 'drifted'];
  if (alarms.length > 0) return ['bad', `drifted against: ${alarms.join(', ')}`];
  if (verdict === 'advisory') return ['idle', 'for information'];
  return isJudged(feature, verdict) ? ['good', 'no drift'] : ['idle', 'not judged'];
}

/** What has no score was only shown, whatever the verdict on the others is. */
export const isJudged = ({ score }: FeatureResult, verdict: ReferenceComparison['verdict']): boolean =>
  score !== undefined && (verdict === 'ok' || verdict === 'drift');

/** Effect in units of the least that counts; what has no component yet is told by its distance. */
const relativeEffect = ({ effect, minimumEffect, statistics }: FeatureResult): number =>
  effect !== undefined && minimumEffect ? effect / minimumEffect : (statistics.ks?.statistic ?? statistics.jensenShannon ?? 0) / 0.1;

/** The prediction means most; where the importance of a column is not known it is taken for an ordinary one. */
function weightOf(features: readonly FeatureResult[]): (feature: FeatureResult) => number {
  const known = features.flatMap(({ importance }) => importance ?? []).sort((a, b) => a - b);
  const ordinary = known[Math.floor(known.length / 2)] ?? 1;
  return (feature) => (feature.role === 'prediction' ? 1 : feature.importance ?? ordinary) * relativeEffect(feature);
}

const chartOf = (id: string, { name }: FeatureResult, chart: FeatureChart | undefined): string => (chart ? drawDistribution(id, name, chart) : '');

function trendOf(id: string, feature: FeatureResult, trend: readonly TrendPoint[], key: string): string {
  const points = trend.map(({ end, features, drift }) => {
    const at = features[key]?.[feature.name];
    const verdict = drift[key]?.verdict;
    const state = at?.drifted ? ('alarm' as const) : verdict === 'ok' || verdict === 'drift' ? ('ok' as const) : ('not judged' as const);
    return { end, value: at?.distance, bound: 0.1, state };
  });
  const measure = feature.kind === 'numeric' ? 'Kolmogorov–Smirnov distance' : 'Jensen–Shannon distance';
  return drawTrend({ id, title: `${measure} over the last windows`, points, kind: 'small', bound: 'Counts from', include: [0] });
}

const placeOf = (feature: FeatureResult): string => {
  const known = feature.importance === undefined ? 'importance unknown' : `importance ${hundredths(feature.importance)}`;
  const importance = feature.role === 'prediction' ? 'the prediction itself' : known;
  return `${importance}, effect ${hundredths(relativeEffect(feature))} of the least that counts`;
};

const effectOf = ({ effect, minimumEffect, component }: FeatureResult): string =>
  effect === undefined ? '–' : `${figure(effect, 3)}${component ? ` (${component})` : ''}, counts from ${figure(minimumEffect, 3)}`;

function sidesOf(feature: FeatureResult): (readonly [string, string, string])[] {
  const { quantiles } = feature;
  const shares = ['5 %', '25 %', 'Median', '75 %', '95 %'];
  return [
    ['Rows', number(feature.referenceRows), number(feature.rows)],
    ['Missing', percent(feature.referenceMissingShare), percent(feature.missingShare)],
    ...(feature.invalidShare > 0 ? [['Of another type', '–', percent(feature.invalidShare)] as const] : []),
    ...(feature.unseenShare === undefined || feature.kind === 'numeric' ? [] : [['Never seen', '–', percent(feature.unseenShare)] as const]),
    ...(quantiles ? shares.map((name, index) => [name, figure(quantiles.reference[index]), figure(quantiles.window[index])] as const) : []),
    ...(feature.minimum === undefined ? [] : [['Least, largest', '–', `${figure(feature.minimum)}, ${figure(feature.maximum)}`] as const]),
  ];
}

function figuresOf(feature: FeatureResult, comparison: ReferenceComparison): (readonly [string, string])[] {
  const { psi, ks, chiSquare, wasserstein, jensenShannon, hellinger, lInfinity } = feature.statistics;
  const whole = `the window as a whole ${hundredths(comparison.judgedScore)}, drift above ${thresholdOf(comparison)}`;
  const freedom = chiSquare?.degreesOfFreedom === 1 ? '1 degree of freedom' : `${chiSquare?.degreesOfFreedom} degrees of freedom`;
  const all: readonly (readonly [string, string | undefined])[] = [
    ['Effect', feature.effect === undefined ? undefined : effectOf(feature)],
    ['Score', feature.score === undefined ? undefined : `${hundredths(feature.score)}; ${whole}`],
    ['Importance', feature.importance === undefined ? undefined : hundredths(feature.importance)],
    ['PSI', psi === undefined ? undefined : figure(psi, 3)],
    ['Kolmogorov–Smirnov', ks && `${figure(ks.statistic, 3)}, p ${probability(ks.pValue)}`],
    ['Chi-square', chiSquare && `${figure(chiSquare.statistic, 3)}, ${freedom}, p ${probability(chiSquare.pValue)}`],
    ['Wasserstein, σ', wasserstein === undefined ? undefined : figure(wasserstein, 3)],
    ['Jensen–Shannon', jensenShannon === undefined ? undefined : figure(jensenShannon, 3)],
    ['Hellinger', hellinger === undefined ? undefined : figure(hellinger, 3)],
    ['Largest difference of a share', lInfinity === undefined ? undefined : figure(lInfinity, 3)],
    ['Distinct values', feature.distinct && `about ${number(Math.round(feature.distinct.count))} (± ${percent(feature.distinct.relativeError)})`],
  ];
  return all.filter((entry): entry is readonly [string, string] => entry[1] !== undefined);
}
