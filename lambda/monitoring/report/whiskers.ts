import { scaleLinear } from 'd3-scale';
import type { Estimate } from '../../../lib/monitoring/contract';
import { horizontal, label, mark, svg, vertical } from './svg';
import { clip, figure, interval } from './words';

/** Groups side by side: a dot for each value, a line for its interval. */

export interface Whisker extends Estimate {
  readonly name: string;
  /** Too small to judge: drawn hollow. */
  readonly small: boolean;
}

const WIDTH = 720;
const NAMES = 190;
const FIGURES = 190;
const ROW = 24;
const TOP = 6;

export function drawWhiskers(id: string, title: string, rows: readonly Whisker[], overall?: number): string {
  const known = [...rows.flatMap(({ value, low, high }) => [value, low, high]), overall].filter((one) => one !== undefined);
  if (rows.length === 0 || known.length === 0) return '';
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const margin = (most - least || Math.abs(most) || 1) * 0.08;
  const x = scaleLinear([least - margin, most + margin], [NAMES, WIDTH - FIGURES]);
  const base = TOP + rows.length * ROW + 4;
  const format = x.tickFormat(5);
  const axis = x.ticks(5).map((value) => vertical('grid', x(value), TOP, base) + label(x(value), base + 14, format(value)));
  const body = rows.map((row, index) => {
    const y = TOP + index * ROW + ROW / 2;
    const { low, high } = row;
    return (
      label(NAMES - 10, y + 3.5, `${clip(row.name, 24)}${row.small ? ' (small)' : ''}`, 'end') +
      (low === undefined || high === undefined ? '' : horizontal('whisker', x(low), y, x(high))) +
      mark(row.small ? 'hollow' : 'dot', x(row.value), y, 4.5) +
      label(WIDTH, y + 3.5, `${figure(row.value, 3)}${low === undefined ? '' : ` (${interval(row)})`}`, 'end')
    );
  });
  const all = overall === undefined ? '' : vertical('bound', x(overall), TOP, base);
  const words = rows.map((row) => `${clip(row.name, 40)} ${figure(row.value, 3)}${row.low === undefined ? '' : `, ${interval(row)}`}`);
  const description = `${words.join('; ')}.${overall === undefined ? '' : ` Dashed: all rows together, ${figure(overall, 3)}.`}`;
  return svg({ id, width: WIDTH, height: base + 20, kind: 'wide', title: clip(title, 90), description }, axis.join('') + all + body.join(''));
}
