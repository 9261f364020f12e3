import { figure, interval, moment, number } from '../../../monitoring/report/words';
import { plural } from '../../../monitoring/words';
import type { GateReport, RuleResult } from '../types';
import { bytesText, percent } from '../words';

const NONE = '–';

const broken = ({ rules }: GateReport): readonly RuleResult[] => rules.filter(({ passed }) => !passed);

/** The verdict as one sentence for somebody who knows the model and no statistics. */
export function headline(report: GateReport): string {
  const { model, passed, championVersion, rules } = report;
  if (passed) {
    if (rules[0].rule === 'first-version') return `${model}: the candidate passed the gate as the first version.`;
    return `${model}: the candidate passed the gate: ${compared(rules[0], championVersion)}.`;
  }
  const [worst, ...others] = broken(report);
  const said = worst.improvement === undefined ? worst.text : compared(worst, championVersion);
  const more = others.length === 0 ? '' : ` ${others.length === 1 ? 'One more rule is' : `${others.length} more rules are`} broken.`;
  return `${model}: the candidate was refused: ${said}.${more}`;
}

/** The comparison with the champion without its figures of certainty. */
function compared({ improvement = 0, minimumImprovement = 0, metric, unit, verdict }: RuleResult, champion: number | null): string {
  const size = unit === 'share' ? percent(Math.abs(improvement)) : figure(Math.abs(improvement));
  const said = improvement > 0 ? `${size} better than` : improvement < 0 ? `${size} worse than` : 'equal to';
  const text = `its ${metric} is ${said} that of v${champion}`;
  if (verdict === 'passed') return improvement < 0 ? `${text}, within the margin` : text;
  if (verdict === 'not-computable') return `${text}, but how certain that is cannot be told`;
  return improvement >= minimumImprovement ? `${text}, but not for certain` : text;
}

const FEW = { widen: 'the interval is wider for it', refuse: 'it refuses' } as const;

/** What else has to be known before the details. */
export function remarks(report: GateReport): string[] {
  const { rows, blocks, from, to, rules, gate, championVersion, passed } = report;
  const period = from && to ? ` from ${moment(from)} to ${moment(to)} (UTC)` : '';
  const alone = blocks.unit === 'rows' && blocks.rowsPerBlock === 1;
  const unit = blocks.unit === 'day' ? plural(blocks.count, 'day') : alone ? 'Rows' : plural(blocks.count, 'block');
  const against = championVersion === null ? 'There was no champion to beat.' : `The champion was v${championVersion}.`;
  const few =
    blocks.count < gate.minimumBlocks && championVersion !== null
      ? [`${unit} of the holdout are fewer than the ${gate.minimumBlocks} that the gate asks for: ${FEW[gate.fewBlocks]}.`]
      : [];
  const warnings = rules.filter(({ verdict }) => verdict === 'warning').map(({ text }) => `Warning: ${text}.`);
  const decided = passed && rules[0].rule !== 'first-version' ? [`${rules[0].text}.`] : [];
  return [...decided, `Judged on ${number(rows)} rows${alone ? '' : ` of ${unit}`}${period}. ${against}`, ...few, ...warnings];
}

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
  return { name: `${NAMES[rule.rule]}${about ? `: ${about}` : ''}`, ...VERDICTS[rule.verdict], text: `${rule.text}.`, ...figuresOf(rule) };
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
