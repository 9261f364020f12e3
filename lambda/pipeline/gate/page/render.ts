import { createHash } from 'node:crypto';
import { Eta } from 'eta';
import type { Estimate } from '../../../../lib/monitoring/contract';
import { STYLES } from '../../../monitoring/report/styles';
import { clip, figure, interval, moment, number } from '../../../monitoring/report/words';
import type { Confusion } from '../../evaluation/types';
import type { GateReport, Leakage } from '../types';
import { percent } from '../words';
import { calibrationChart, curveCharts, improvementChart, overTimeChart } from './drawn';
import { groupsView } from './groups';
import { importanceView } from './importance';
import { headline, remarks, ruleView } from './sentences';
import { DATA, GROUPS, IMPORTANCE, METRICS, PAGE, SHAPES } from './templates';

const OWN_STYLES = `
.other{fill:none;stroke:var(--ref);stroke-width:1.8;stroke-dasharray:6 3}.even{fill:none;stroke:var(--soft);stroke-width:1;stroke-dasharray:1.5 3}
.scroll+figure,.scroll+.scroll{margin-top:1.25rem}td.right{font-weight:650}
.tag.warn::before{content:"△ "}.warn.tag{color:var(--idle)}td.t{max-width:44ch}
@media print{.n{white-space:normal}td.t{min-width:0}}
`;

const NONE = '–';
const SIDES = 3;

/** The report as one self-contained page for a person: the verdict first, then what it rests on. */
export function renderGate(report: GateReport): string {
  const styles = STYLES + OWN_STYLES;
  const eta = new Eta({ autoEscape: true, autoTrim: false });
  const parts = { metrics: METRICS, shapes: SHAPES, importance: IMPORTANCE, groups: GROUPS, data: DATA };
  for (const [name, text] of Object.entries(parts)) eta.loadTemplate(`@${name}`, text);
  const champion = report.championVersion === null ? '' : `champion v${report.championVersion}`;
  const groups = groupsView(report);
  const importance = importanceView(report);
  const curves = curveCharts(report);
  const calibration = calibrationChart(report);
  const overTime = overTimeChart(report);
  const confusions = confusionView(report, champion);
  const sections = [
    ['rules', 'Rules', true],
    ['metrics', 'Metrics', true],
    ['time', report.blocks.unit === 'day' ? 'Day by day' : 'Block by block', overTime],
    ['curves', curves.roc ? 'Calibration and curves' : 'Calibration', calibration || curves.roc],
    ['confusion', 'Confusion matrix', confusions.length],
    ['importance', 'Importance of features', importance],
    ['groups', 'Groups', groups.length],
    ['data', 'Training rows in the holdout', true],
    ['method', 'How to read this', true],
  ] as const;
  const candidateLeak = report.leakage.candidate;
  return eta.renderString(PAGE, {
    styles,
    // Nothing but this one style sheet may be used by the page, whatever stands in the data.
    policy: `default-src 'none'; style-src 'sha256-${createHash('sha256').update(styles).digest('base64')}'; base-uri 'none'; form-action 'none'`,
    report,
    champion,
    headline: headline(report),
    remarks: remarks(report),
    sections: sections.filter(([, , there]) => there),
    rules: report.rules.map(ruleView),
    improvement: improvementChart(report),
    metrics: metricsView(report),
    rows: number(report.rows),
    unit: report.blocks.unit,
    unitText: unitOf(report),
    overTime,
    calibration,
    ...curves,
    confusions,
    importance,
    groups,
    period: report.from && report.to ? ` from ${moment(report.from)} to ${moment(report.to)} (UTC)` : '',
    leakage: [leakView('candidate', candidateLeak, report), ...(champion ? [leakView(champion, report.leakage.champion, report)] : [])],
    keyColumns: candidateLeak.status === 'checked' ? clip(candidateLeak.columns.join(', '), 200) : 'their columns',
    confidence: `${report.confidence * 100} %`,
    method: methodOf(report),
  });
}

const unitOf = ({ overTime, blocks }: GateReport): string => {
  if (overTime.length < blocks.count) return 'neighbouring blocks together';
  return blocks.unit === 'day' ? 'each day' : 'each block of rows';
};

const withInterval = (estimate: Estimate | undefined): string =>
  estimate === undefined ? NONE : `${figure(estimate.value)}${estimate.low === undefined ? '' : ` (${interval(estimate)})`}`;

const shareWithInterval = (estimate: Estimate | undefined): string => {
  if (estimate === undefined) return NONE;
  const { value, low, high } = estimate;
  return `${percent(value)}${low === undefined || high === undefined ? '' : ` (${percent(low)} to ${percent(high)})`}`;
};

const metricsView = ({ estimates, championEstimates, improvements, gate }: GateReport) =>
  Object.entries(estimates)
    .sort(([a], [b]) => Number(b === gate.metric) - Number(a === gate.metric))
    .map(([name, estimate]) => ({
      name,
      decides: name === gate.metric,
      candidate: withInterval(estimate),
      champion: withInterval(championEstimates?.[name]),
      better: shareWithInterval(improvements?.[name]),
    }));

const confusionView = ({ confusion, championConfusion }: GateReport, champion: string) =>
  [{ whose: 'candidate', matrix: confusion }, { whose: champion, matrix: championConfusion }].flatMap(({ whose, matrix }) =>
    matrix ? [{ whose, ...matrixView(whose, matrix) }] : [],
  );

const matrixView = (whose: string, { labels, counts, threshold }: Confusion) => ({
  caption: `Rows by truth (down) and prediction (across), ${whose}${threshold === undefined ? '' : `; positive from a score of ${threshold} on`}.`,
  labels: labels.map((label) => clip(label, 30)),
  rows: counts.map((cells, row) => {
    const all = cells.reduce((sum, one) => sum + one, 0);
    return {
      label: clip(labels[row], 30),
      cells: cells.map((count, column) => ({
        count: number(count),
        right: column === row,
        share: all > 0 && labels.length <= SIDES * 4 ? percent(count / all) : '',
      })),
    };
  }),
});

const leakView = (whose: string, leakage: Leakage, { gate, rows }: GateReport) => {
  const allowed = percent(gate.allowedDuplicateShare);
  if (leakage.status !== 'checked') {
    const remark = `Cannot be checked: ${'reason' in leakage ? leakage.reason : 'there is no such model'}.`;
    return { whose, allowed, trainRows: NONE, trainTo: NONE, shared: NONE, share: NONE, remark };
  }
  const { trainRows, sharedRows, share, trainTo, rowsInTrainingPeriod = 0 } = leakage;
  const remark =
    rowsInTrainingPeriod === 0
      ? ''
      : `${number(rowsInTrainingPeriod)} holdout rows (${percent(rowsInTrainingPeriod / rows)}) are not newer than its last training row.`;
  return {
    ...{ whose, allowed, trainRows: number(trainRows), trainTo: trainTo ? moment(trainTo) : NONE },
    ...{ shared: number(sharedRows), share: percent(share), remark },
  };
};

const methodOf = ({ rules, gate, blocks }: GateReport): string => {
  const found = rules[0].interval;
  const noun = blocks.unit === 'day' ? 'whole days, since the rows of a day resemble each other' : 'blocks of rows, which takes them for independent';
  const confidence = `${Number((gate.confidence * 100).toPrecision(4))} % confidence at each end on its own`;
  if (!found || !('method' in found)) return `Rests on ${noun}; ${confidence}.`;
  const widened = found.widened > 1 ? ` Neighbours are alike, so it is wider by a factor of ${figure(found.widened, 3)}.` : '';
  const how =
    found.method === 'bootstrap'
      ? `${number(found.resamples ?? 0)} times as many blocks as there are (${found.blocks}) are drawn with replacement (seed ${found.seed})`
      : `${found.blocks} blocks are fewer than the ${gate.minimumBlocks} of a bootstrap, so it comes from Student's t over them, which is wider`;
  return `Rests on ${noun}: ${how}; ${confidence}.${widened}`;
};
