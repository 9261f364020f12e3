import { figure, interval, moment, number } from '../../../monitoring/report/words';
import type { GateReport, RuleResult } from '../types';
import { bytesText, percent } from '../words';

const NONE = '–';

const broken = ({ rules }: GateReport): readonly RuleResult[] => rules.filter(({ passed }) => !passed);

/** The verdict as one sentence for somebody who knows the model and no statistics. */
export function headline(report: GateReport): string {
  const { model, passed, championVersion, rules } = report;
  const [first] = rules;
  if (passed) {
    if (first.rule === 'first-version') return `${model}: the candidate passed the gate as the first version.`;
    const better = first.improvement ?? 0;
    const size = first.unit === 'share' ? percent(Math.abs(better)) : figure(Math.abs(better));
    const said = better > 0 ? `${size} better than` : better < 0 ? `${size} worse than, but within the margin of,` : 'equal to';
    return `${model}: the candidate passed the gate: its ${first.metric} is ${said} that of v${championVersion}.`;
  }
  const [worst, ...others] = broken(report);
  const more = others.length === 0 ? '' : ` ${others.length === 1 ? 'One more rule is' : `${others.length} more rules are`} broken.`;
  return `${model}: the candidate was refused: ${worst.text}.${more}`;
}

/** What else has to be known before the details. */
export function remarks(report: GateReport): string[] {
  const { rows, blocks, from, to, rules, gate, championVersion, passed } = report;
  const period = from && to ? ` from ${moment(from)} to ${moment(to)} (UTC)` : '';
  const unit = blocks.unit === 'day' ? `${blocks.count} ${blocks.count === 1 ? 'day' : 'days'}` : `${blocks.count} blocks`;
  const against = championVersion === null ? 'There was no champion to beat.' : `The champion was v${championVersion}.`;
  const few =
    blocks.count < gate.minimumBlocks && championVersion !== null
      ? [`${unit} are fewer than the ${gate.minimumBlocks} that the gate asks for: ${gate.fewBlocks === 'widen' ? 'the interval is wider for it' : 'it refuses'}.`]
      : [];
  const warnings = rules.filter(({ verdict }) => verdict === 'warning').map(({ text }) => `Warning: ${text}.`);
  const decided = passed && rules[0].rule !== 'first-version' ? [`${capital(rules[0].text)}.`] : [];
  return [...decided, `Judged on ${number(rows)} rows of ${unit}${period}. ${against}`, ...few, ...warnings];
}

const capital = (text: string): string => `${text[0].toUpperCase()}${text.slice(1)}`;

const NAMES: Readonly<Record<RuleResult['rule'], string>> = {
  'beats-champion': 'Better than the champion',
  'not-worse-than-champion': 'Not worse than the champion',
  'first-version': 'First version',
  bound: 'Bound',
  group: 'Bound of each group',
  'time-per-row': 'Time per row',
  'model-size': 'Size of the model',
  'time-order': 'Holdout after training',
  'duplicates-candidate': 'Training rows in the holdout, candidate',
  'duplicates-champion': 'Training rows in the holdout, champion',
};

const VERDICTS = {
  passed: { tone: 'good', word: 'kept' },
  failed: { tone: 'bad', word: 'broken' },
  'not-computable': { tone: 'bad', word: 'cannot be computed' },
  warning: { tone: 'warn', word: 'not checked' },
} as const;

/** A rule as a row of the table. */
export function ruleView(rule: RuleResult) {
  const about = [rule.metric, rule.column && `by ${rule.column}`].filter(Boolean).join(' ');
  return { name: `${NAMES[rule.rule]}${about ? `: ${about}` : ''}`, ...VERDICTS[rule.verdict], text: `${capital(rule.text)}.`, ...figuresOf(rule) };
}

function figuresOf(rule: RuleResult): { readonly value: string; readonly interval: string; readonly bound: string } {
  const { unit, value, bound, interval: range, improvement, minimumImprovement, metric, groups } = rule;
  if (improvement !== undefined) {
    const size = unit === 'share' ? percent : figure;
    return {
      value: size(improvement),
      interval: range ? `${size(range.low)} to ${size(range.high)}` : NONE,
      bound: minimumImprovement === undefined ? NONE : `at least ${size(minimumImprovement)}`,
    };
  }
  const format = unit === 'bytes' ? bytesText : unit === 'share' ? percent : unit === 'milliseconds' ? (one: number) => `${figure(one)} ms` : figure;
  const values = groups?.flatMap((group) => (group.value === undefined ? [] : [group.value])) ?? [];
  return {
    value: values.length > 0 ? `${format(Math.min(...values))} to ${format(Math.max(...values))}` : value === undefined ? NONE : format(value),
    interval: range ? interval(range) : NONE,
    bound: bound === undefined ? NONE : metric === undefined ? `at most ${format(bound)}` : format(bound),
  };
}
