import { scaleLinear, scalePoint } from 'd3-scale';
import { line } from 'd3-shape';
import { at, horizontal, label, mark, stroke, svg, vertical } from './svg';
import { clip, figure, moment } from './words';

/** Values over the last windows with what they are held against. */

export interface Point {
  readonly end: string;
  readonly value?: number;
  readonly low?: number;
  readonly high?: number;
  readonly bound?: number;
  readonly state: 'ok' | 'alarm' | 'not judged';
}

interface Trend {
  readonly id: string;
  readonly title: string;
  readonly points: readonly Point[];
  readonly kind: 'small' | 'wide';
  /** What the dashed line is. */
  readonly bound: string;
  /** Always on the axis. */
  readonly include?: readonly number[];
}

const SIZES = { small: { width: 200, height: 96, base: 78, left: 34 }, wide: { width: 720, height: 170, base: 142, left: 56 } } as const;
const TOP = 8;
const MARKS = { ok: 'dot', alarm: 'alarm', 'not judged': 'hollow' } as const;

export function drawTrend({ id, title, points, kind, bound, include = [] }: Trend): string {
  const known = points.flatMap(({ value, low, high, bound: held }) => [value, low, high, held].filter((one) => one !== undefined));
  if (points.every(({ value }) => value === undefined)) return '';
  const { width, height, base, left } = SIZES[kind];
  const [least, most] = [Math.min(...known, ...include), Math.max(...known, ...include)];
  const margin = (most - least || Math.abs(most) || 1) * 0.06;
  const y = scaleLinear([include.includes(least) ? least : least - margin, most + margin], [base, TOP]);
  const x = scalePoint(points.map((_, index) => index), [left + 8, width - 8]);
  const across = (index: number): number => x(index) as number;
  const path = (pick: (point: Point) => number | undefined): string =>
    line<Point>()
      .defined((point) => pick(point) !== undefined)
      .x((_, index) => across(index))
      .y((point) => y(pick(point) as number))
      .digits(1)(points) ?? '';
  // A line needs two points: a single bound is drawn from end to end.
  const [first] = points.filter((point) => point.bound !== undefined);
  const constant = first && points.every((point) => point.bound === undefined || point.bound === first.bound);
  const boundPath = constant ? `M${left} ${at(y(first.bound as number))}H${width}` : path((point) => point.bound);
  const marks = points.map((point, index) =>
    point.value === undefined
      ? ''
      : (point.low === undefined || point.high === undefined ? '' : vertical('whisker', across(index), y(point.low), y(point.high))) +
        mark(MARKS[point.state], across(index), y(point.value), (kind === 'small' ? 2.2 : 3.4) + (point.state === 'alarm' ? 1 : 0)),
  );
  const ticks = y.ticks(kind === 'small' ? 2 : 4);
  const format = y.tickFormat(kind === 'small' ? 2 : 4);
  const axis = ticks.map((value) => horizontal('grid', left, y(value), width) + label(left - 4, y(value) + 3.5, format(value), 'end'));
  const ends = [...new Set(kind === 'small' ? [0, points.length - 1] : [0, Math.floor((points.length - 1) / 2), points.length - 1])];
  const dates = ends.map((index) =>
    label(
      points.length === 1 ? across(0) : index === 0 ? left : index === points.length - 1 ? width : across(index),
      base + 14,
      moment(points[index].end).slice(kind === 'small' ? 5 : 0),
      points.length === 1 ? 'middle' : index === 0 ? 'start' : index === points.length - 1 ? 'end' : 'middle',
    ),
  );
  const lines = [boundPath ? stroke('bound', boundPath) : '', stroke('line', path((point) => point.value))];
  const frame = { id, width, height, kind, title: clip(title, 90), description: describe(points, bound) };
  return svg(frame, [...axis, ...lines, ...marks, ...dates].join(''));
}

function describe(points: readonly Point[], bound: string): string {
  const told = points.filter(({ value }) => value !== undefined);
  const last = told[told.length - 1];
  const alarms = told.filter(({ state }) => state === 'alarm').length;
  const values = told.map(({ value }) => value as number);
  const range = told.length > 1 ? `, between ${figure(Math.min(...values), 3)} and ${figure(Math.max(...values), 3)}` : '';
  const held = last.bound === undefined ? '' : ` ${bound}: ${figure(last.bound, 3)}.`;
  return (
    `${told.length} ${told.length === 1 ? 'window' : 'windows'}${range}; the last, to ${moment(last.end)}, ${figure(last.value, 3)}.${held}` +
    `${alarms === 0 ? '' : ` Marked by a square: ${alarms}.`}`
  );
}
