import { drawWhiskers } from '../../../monitoring/report/whiskers';
import { clip, figure, interval, number } from '../../../monitoring/report/words';
import type { GateReport } from '../types';

const DRAWN_GROUPS = 25;
const COLUMNS = 8;

/** Groups by column as the page shows them, the judged metric first. */
export const groupsView = ({ groups, rules, gate, estimates }: GateReport) =>
  groups.map(({ column, groups: list, leftOut }, index) => {
    const own = gate.groups.filter((one) => one.column === column);
    const metric = own[0]?.metric ?? gate.metric;
    const rule = rules.find((one) => one.rule === 'group' && one.column === column && one.metric === metric);
    const bound = rule?.bound === undefined ? '' : `; the bound is ${figure(rule.bound)}`;
    const least = own[0]?.minimumRows ?? 0;
    const judged = own.map((one) => one.metric);
    const heads = [...new Set([...judged, ...Object.keys(estimates)])].slice(0, COLUMNS);
    const rows = list.slice(0, DRAWN_GROUPS).flatMap(({ group, rows: count, metrics }) => {
      const estimate = metrics[metric];
      return estimate ? [{ name: group, small: count < least, ...estimate }] : [];
    });
    return {
      name: clip(column, 60),
      metric,
      caption: `${metric} of each group, with its interval${bound}; dashed: all rows together; hollow: too few rows to be judged.`,
      chart: drawWhiskers(`g${index}`, `${metric} by ${clip(column, 40)}`, rows, estimates[metric]?.value),
      heads,
      leftOut,
      rows: list.map(({ group, rows: count, metrics }) => ({
        group: clip(group, 60),
        rows: `${number(count)}${count < least ? ' (too few)' : ''}`,
        cells: heads.map((name) => {
          const estimate = metrics[name];
          return estimate ? `${figure(estimate.value)}${estimate.low === undefined ? '' : ` (${interval(estimate)})`}` : '–';
        }),
      })),
    };
  });
