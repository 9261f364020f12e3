import { isJudged, primaryOf } from '../../lambda/monitoring/report/features';
import {
  clip, figure, headline, hundredths, interval, moment, type Part, partsOf, percent, probability, referenceName, span, STATES,
  thresholdOf,
} from '../../lambda/monitoring/report/words';
import type { MonitorResult } from '../../lib/monitoring/contract';
import { bad, fields, good, shorten, strong, table } from '../format';
import type { Io } from '../io';

/** A result as a person reads it in a terminal: the verdict first, then what is promised, then what it rests on. */

const FEATURES = 15;
const REASON = 90;

export interface Telling {
  /** Features to list; those that drifted are always there. */
  readonly features?: number;
  /** What was compared, where it was no window of requests; and what the reference is called. */
  readonly files?: { readonly title: string; readonly reference: string };
}

export function tellResult(io: Io, result: MonitorResult, { features = FEATURES, files }: Telling = {}): string {
  // What nobody asked for is not told of files.
  const parts = partsOf(result).filter(({ phrase }) => files === undefined || phrase !== '');
  const { title, remarks, tone } = headline(result, parts);
  const paint = tone === 'bad' ? bad : tone === 'good' ? good : strong;
  return [
    [paint(io, title), ...remarks].join('\n'),
    about(io, result, files?.title),
    fields(io, Object.fromEntries(parts.map((part) => [part.name.toLowerCase(), verdictOf(io, part)]))).trimEnd(),
    promises(io, result, files?.reference),
    featureTable(io, result, features, files?.reference),
    qualityTable(io, result),
    gapTable(io, result),
    violationTable(io, result),
    stateTable(io, result),
    episodeTable(io, result),
  ]
    .filter((section) => section !== '')
    .join('\n\n')
    .concat('\n');
}

const verdictOf = (io: Io, { tone, word, reason }: Part): string => {
  const paint = tone === 'bad' ? bad : tone === 'good' ? good : (_: Io, text: string): string => text;
  return `${paint(io, word)}: ${reason}`;
};

const titled = (io: Io, title: string, head: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0 ? '' : `${strong(io, title)}\n${table(io, head, rows).trimEnd()}`;

const about = (io: Io, { windowStart, windowEnd, rows, requests, servedBy }: MonitorResult, title?: string): string =>
  fields(io, {
    compared: title,
    window: Date.parse(windowEnd) === 0 ? undefined : `${moment(windowStart)} to ${moment(windowEnd)} (UTC)`,
    rows: `${rows.toLocaleString('en-US')}${requests > 0 ? ` in ${requests.toLocaleString('en-US')} requests` : ''}`,
    'answered by': servedBy.length > 0 ? servedBy.map((one) => `v${one.version} (${one.rows.toLocaleString('en-US')})`).join(', ') : undefined,
  }).trimEnd();

function promises(io: Io, { drift }: MonitorResult, training?: string): string {
  const lines = drift.comparisons.map(({ reference, promise }) => `${referenceName(reference, training)}: ${promise.sentence}`);
  return lines.length === 0 ? '' : `${strong(io, 'what is promised')}\n${lines.join('\n')}`;
}

function featureTable(io: Io, { drift }: MonitorResult, most: number, training?: string): string {
  const primary = primaryOf(drift.comparisons);
  if (primary === undefined) return '';
  const shown = primary.features.filter((feature, index) => feature.drifted || index < most);
  const left = primary.features.length - shown.length;
  const rows = shown.map((feature) => [
    clip(feature.name, 32),
    feature.drifted ? bad(io, 'drifted') : isJudged(feature, primary.verdict) ? 'no drift' : 'not judged',
    feature.effect === undefined ? '-' : `${figure(feature.effect, 3)} ${feature.component ?? ''}`.trim(),
    feature.minimumEffect === undefined ? '-' : figure(feature.minimumEffect, 3),
    hundredths(feature.score),
    thresholdOf(primary),
    `${percent(feature.referenceMissingShare)} → ${percent(feature.missingShare)}`,
    feature.unseen && feature.unseen.length > 0 ? clip(feature.unseen.slice(0, 3).join(', '), 30) : '',
  ]);
  const head = ['feature', 'verdict', 'effect', 'counts from', 'score', 'drift above', 'missing', 'never seen'];
  const more = left > 0 ? `\n${left} more features differ less` : '';
  return `${titled(io, `features against: ${referenceName(primary.reference, training)}`, head, rows)}${more}`;
}

function qualityTable(io: Io, { quality }: MonitorResult): string {
  const rows = Object.entries(quality.metrics).map(([name, metric]) => {
    const breach = quality.exceeded.find((one) => one.metric === name);
    const told = breach ? bad(io, `worse than ${figure(breach.bound)}`) : '';
    return [name, figure(metric.value), interval(metric), figure(metric.baseline?.value), told];
  });
  if (rows.length === 0) return '';
  const age = quality.labelAgeSeconds === undefined ? '' : `, half of them within ${span(quality.labelAgeSeconds)}`;
  const days = `${moment(quality.from)} to ${moment(quality.to)}`;
  const coverage = `${quality.labelled.toLocaleString('en-US')} of ${quality.rows.toLocaleString('en-US')} rows have a label${age} (${days})`;
  return `${titled(io, 'quality', ['metric', 'value', 'interval', 'baseline', ''], rows)}\n${coverage}`;
}

const gapTable = (io: Io, { groups }: MonitorResult): string =>
  titled(
    io,
    'groups',
    ['column', 'gap', 'between', 'value', 'interval', 'bound', ''],
    groups.gaps.map((gap) => [
      clip(gap.column, 24),
      gap.metric,
      clip(gap.between.join(', '), 40),
      figure(gap.value, 3),
      interval(gap),
      figure(gap.bound),
      gap.breached ? bad(io, 'beyond its bound') : '',
    ]),
  );

const violationTable = (io: Io, { constraints }: MonitorResult): string =>
  titled(
    io,
    'broken data rules',
    ['column', 'rule', 'severity', 'observed', 'allowed'],
    constraints.violations.map((rule) => [
      clip(rule.feature ?? 'all rows', 32),
      rule.constraint,
      rule.severity === 'error' ? bad(io, rule.severity) : rule.severity,
      shorten(rule.observed, 40),
      shorten(rule.allowed, 40),
    ]),
  );

function stateTable(io: Io, { states, rejected, rejectedSamples }: MonitorResult): string {
  const unusual = states.map(({ state, count, sentence }) => [STATES[state] ?? state, String(count), shorten(sentence, REASON)]);
  const lines = Object.entries(rejected).map(([cause, count]) => [cause, String(count), shorten(`first: ${rejectedSamples[cause] ?? '-'}`, REASON)]);
  return titled(io, 'what was read', ['what', 'count', ''], [...unusual, ...lines]);
}

const episodeTable = (io: Io, { episodes }: MonitorResult): string =>
  titled(
    io,
    'open episodes',
    ['rule', 'about', 'since', 'windows'],
    episodes.map(({ rule, key, since, windows }) => [rule, key, moment(since), String(windows)]),
  );

/** One line for each window. */
export function tellHistory(io: Io, results: readonly MonitorResult[]): string {
  const rows = results.map((result) => {
    const primary = primaryOf(result.drift.comparisons);
    const worst = (verdict: string, isBad: boolean): string => (isBad ? bad(io, verdict) : verdict);
    return [
      moment(result.windowEnd),
      result.rows.toLocaleString('en-US'),
      result.version === undefined ? '-' : `v${result.version}`,
      worst(result.drift.verdict, result.drift.verdict === 'drift'),
      primary === undefined ? '-' : `${hundredths(primary.judgedScore)} / ${thresholdOf(primary)}`,
      probability(primary?.pValue),
      worst(result.quality.verdict, result.quality.verdict === 'degraded'),
      Object.entries(result.quality.metrics).slice(0, 2).map(([name, { value }]) => `${name} ${figure(value, 3)}`).join(', ') || '-',
      percent(result.quality.coverage),
      worst(result.groups.verdict, result.groups.verdict === 'degraded'),
      result.constraints.violations.length === 0 ? result.constraints.verdict : bad(io, `${result.constraints.violations.length} broken`),
      result.episodes.map(({ rule, windows }) => `${rule} (${windows})`).join(', ') || '-',
    ];
  });
  const head = ['window to', 'rows', 'version', 'drift', 'score', 'p', 'quality', 'metrics', 'labels', 'groups', 'data rules', 'episodes'];
  return table(io, head, rows);
}
