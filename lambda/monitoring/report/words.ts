import type { Estimate, MonitorResult, ReferenceComparison, ReferenceSpec, WindowStateName } from '../../../lib/monitoring/contract';
import { momentOf, number, percent as percentOf } from '../words';

/** Figures and names as a page shows them. */

const NONE = '–';
const SPACE = '\u00a0';

export { number };

/** Four digits that matter: 1,234.5 and 0.01234. */
export function figure(value: number | undefined, digits = 4): string {
  if (value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(2);
  return value.toLocaleString('en-US', size >= 10 ** digits ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits });
}

export const hundredths = (value: number | undefined): string => (value === undefined || !Number.isFinite(value) ? NONE : value.toFixed(2));

export const percent = (share: number | undefined): string =>
  share === undefined || !Number.isFinite(share) ? NONE : percentOf(share).replaceAll(' ', SPACE);

export const probability = (p: number | undefined): string =>
  p === undefined ? NONE : p < 0.001 ? `<${SPACE}0.001` : String(Number(p.toPrecision(2)));

export const interval = ({ low, high }: Partial<Estimate>): string =>
  low === undefined || high === undefined ? NONE : `${figure(low)} to ${figure(high)}`;

export const clip = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

export const moment = (time: string): string => momentOf(Date.parse(time));

export function span(seconds: number | undefined): string {
  if (seconds === undefined) return NONE;
  const units: readonly (readonly [number, string])[] = [[86_400, 'day'], [3600, 'hour'], [60, 'minute'], [1, 'second']];
  const [length, name] = units.find(([unit]) => seconds >= unit) ?? units[3];
  const count = Math.round((seconds / length) * 10) / 10;
  return `${count}${SPACE}${name}${count === 1 ? '' : 's'}`;
}

/** `training`: what all rows of the reference are called, where they are no training data. */
export function referenceName(reference: ReferenceSpec, training = 'Training data'): string {
  switch (reference.kind) {
    case 'TRAINING':
      return training;
    case 'SAME_SEASON':
      return 'Same season of earlier years';
    case 'LAST_DAYS':
      return `Last ${reference.days} days`;
    case 'FIXED':
      return `${moment(reference.from)} to ${moment(reference.to)}`;
  }
}

export const STATES: Readonly<Record<WindowStateName, string>> = {
  'no-traffic': 'No traffic',
  'partial-capture': 'Requests not recorded',
  'unreadable-lines': 'Unreadable lines',
  'changed-schema': 'Other columns',
  'mixed-encodings': 'Several encodings',
  'duplicate-records': 'Doubled records',
  'late-records': 'Late records',
  'smoke-requests': 'Smoke requests',
  'no-labels': 'No labels',
};

/** A reference that shows no difference that counts without drift has no score for a threshold. */
export const thresholdOf = ({ threshold, verdict }: Pick<ReferenceComparison, 'threshold' | 'verdict'>): string =>
  threshold === undefined && (verdict === 'ok' || verdict === 'drift') ? 'any that counts' : hundredths(threshold);

export type Tone = 'good' | 'bad' | 'idle';

export interface Part {
  readonly name: 'Drift' | 'Quality' | 'Groups' | 'Data rules';
  readonly id: string;
  readonly tone: Tone;
  /** On the card. */
  readonly word: string;
  /** In the headline. */
  readonly phrase: string;
  readonly reason: string;
}

type Said = readonly [tone: Tone, word: string, phrase: string];

const NO_TRAFFIC: Said = ['idle', 'no traffic', 'no requests came'];

/** Each of the four verdicts in words. */
export function partsOf({ drift, quality, groups, constraints }: MonitorResult): readonly Part[] {
  const drifted = new Set(drift.comparisons.flatMap(({ features }) => features.filter((one) => one.drifted).map(({ name }) => name))).size;
  const which = drifted === 0 ? '' : ` in ${drifted} ${drifted === 1 ? 'column' : 'columns'}`;
  const driftSaid: Readonly<Record<typeof drift.verdict, Said>> = {
    ok: ['good', 'none found', 'no drift was found'],
    drift: ['bad', 'found', `its data drifted${which}`],
    advisory: ['idle', 'for information', 'drift is shown for information only'],
    'insufficient-data': ['idle', 'too little data', 'there is too little data to judge drift'],
    'no-traffic': NO_TRAFFIC,
    'no-baseline': ['idle', 'nothing to compare with', 'there is nothing to compare the data with'],
  };
  const judged = (good: string, bad: string, labels: string): Readonly<Record<typeof quality.verdict, Said>> => ({
    ok: ['good', 'within bounds', good],
    degraded: ['bad', 'outside bounds', bad],
    'insufficient-labels': ['idle', 'too few labels', labels],
    'no-traffic': NO_TRAFFIC,
    'no-rules': ['idle', 'no rules', ''],
  });
  const rules = constraints.violations.length;
  const constraintsSaid: Readonly<Record<typeof constraints.verdict, Said>> = {
    ok: ['good', 'all kept', 'the data keep their rules'],
    violated: ['bad', 'broken', `the data break ${rules} of their rules`],
    'no-traffic': NO_TRAFFIC,
    'no-constraints': ['idle', 'no rules', ''],
  };
  const part = (name: Part['name'], id: string, [tone, word, phrase]: Said, reason: string): Part => ({ name, id, tone, word, phrase, reason });
  const qualitySaid = judged('quality is within its bounds', 'its predictions are worse than agreed', 'there are too few labels to judge quality');
  const groupsSaid = judged(
    'groups are within their bounds',
    'groups are served more unequally than agreed',
    'there are too few labels to judge groups',
  );
  return [
    part('Drift', 'drift', driftSaid[drift.verdict], drift.reason),
    part('Quality', 'quality', qualitySaid[quality.verdict], quality.reason),
    part('Groups', 'groups', groupsSaid[groups.verdict], groups.reason),
    part('Data rules', 'rules', constraintsSaid[constraints.verdict], constraints.reason),
  ];
}

export interface Headline {
  readonly title: string;
  readonly remarks: readonly string[];
  readonly tone: Tone;
}

/** The verdict as one sentence for somebody who knows the model and no statistics, and what else there is to say. */
export function headline(result: MonitorResult, parts: readonly Part[]): Headline {
  const name = `${result.model}${result.version === undefined ? '' : ` v${result.version}`}`;
  const said = (tone: Tone): string[] => [...new Set(parts.filter((part) => part.tone === tone && part.phrase).map(({ phrase }) => phrase))];
  const [bad, good, idle] = [said('bad'), said('good'), said('idle')];
  if (bad.length > 0) {
    const remarks = [...(good.length > 0 ? [sentence(good)] : []), ...(idle.length > 0 ? [`Not judged: ${list(idle)}.`] : [])];
    return { title: `${name} needs attention: ${list(bad)}.`, remarks, tone: 'bad' };
  }
  const open = result.episodes.map(({ rule, key, since }) => `${rule}${key === rule ? '' : ` (${key})`} since ${moment(since)}`);
  if (open.length > 0) {
    // One quiet window is no recovery.
    return { title: `${name} needs attention: alarms are open for ${list(open)}.`, remarks: [sentence([...good, ...idle])], tone: 'bad' };
  }
  if (good.length > 0) {
    return { title: `${name} needs no attention: ${list(good)}.`, remarks: idle.length > 0 ? [`Not judged: ${list(idle)}.`] : [], tone: 'good' };
  }
  return { title: `${name} could not be judged: ${list(idle.length > 0 ? idle : ['no rule applies'])}.`, remarks: [], tone: 'idle' };
}

export const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;

const sentence = (words: readonly string[]): string => {
  const text = list(words);
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
};
