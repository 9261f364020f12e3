import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { at, horizontal, label, mark, stroke, svg, vertical } from '../../../monitoring/report/svg';
import { clip } from '../../../monitoring/report/words';

/** Charts of two models side by side: the candidate in colour with dots, the champion grey and dashed, so that no meaning hangs on colour. */

export interface XyPoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

export interface XyChart {
  /** Unique on the page. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly kind: 'small' | 'wide';
  readonly candidate: readonly XyPoint[];
  readonly champion?: readonly XyPoint[];
  /** Both axes from 0 to 1. */
  readonly shares?: boolean;
  /** Where x and y are equal. */
  readonly diagonal?: boolean;
  readonly xName: string;
  readonly yName: string;
  /** Texts below the axis instead of numbers, by value. */
  readonly xTicks?: readonly (readonly [value: number, text: string])[];
  /** Dots at the points, not only the line. */
  readonly dots?: boolean;
}

const SIZES = { small: { width: 320, height: 302, left: 48, base: 258 }, wide: { width: 720, height: 216, left: 64, base: 184 } } as const;
const TOP = 22;
const RIGHT = 10;

const extent = (values: readonly number[], shares: boolean): [number, number] => {
  if (shares) return [0, 1];
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const margin = (most - least || Math.abs(most) || 1) * 0.05;
  return [least - margin, most + margin];
};

/** Empty where there is nothing to draw. */
export function drawXy(chart: XyChart): string {
  const { candidate, champion = [], kind, shares = false } = chart;
  const all = [...candidate, ...champion];
  if (candidate.length === 0) return '';
  const { width, height, left, base } = SIZES[kind];
  const ys = all.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const xs = all.map(({ x }) => x);
  // Where x and y mean the same, they are drawn on one scale.
  const both = chart.diagonal ? extent([...xs, ...ys], shares) : undefined;
  const x = scaleLinear(both ?? extent(xs, shares), [left, width - RIGHT]);
  const y = scaleLinear(both ?? extent(ys, shares), [base, TOP]);
  const path = (points: readonly XyPoint[]): string =>
    line<XyPoint>()
      .x((point) => x(point.x))
      .y((point) => y(point.y))
      .digits(1)([...points]) ?? '';
  const yFormat = y.tickFormat(5);
  const xFormat = x.tickFormat(5);
  const axes = [
    ...y.ticks(5).map((value) => horizontal('grid', left, y(value), width - RIGHT) + label(left - 6, y(value) + 3.5, yFormat(value), 'end')),
    horizontal('axis', left, base, width - RIGHT),
    ...(chart.xTicks ?? x.ticks(5).map((value) => [value, xFormat(value)] as const)).map(([value, text]) =>
      label(x(value), base + 15, text, x(value) > width - 60 ? 'end' : x(value) < left + 30 && chart.xTicks ? 'start' : 'middle'),
    ),
    label((left + width - RIGHT) / 2, height - 10, chart.xName),
    label(4, 10, chart.yName, 'start'),
  ];
  const [from, to] = x.domain();
  const even = chart.diagonal ? stroke('even', `M${at(x(from))} ${at(y(from))}L${at(x(to))} ${at(y(to))}`) : '';
  const own = candidate.map(
    (point) =>
      (point.low === undefined || point.high === undefined ? '' : vertical('whisker', x(point.x), y(point.low), y(point.high))) +
      (chart.dots ? mark('dot', x(point.x), y(point.y), kind === 'small' ? 3 : 2.6) : ''),
  );
  const body = [...axes, even, champion.length > 0 ? stroke('other', path(champion)) : '', stroke('line', path(candidate)), ...own];
  return svg({ id: chart.id, width, height, kind, title: clip(chart.title, 90), description: chart.description }, body.join(''));
}

export interface IntervalChart {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** What the lower end has to reach. */
  readonly needed: number;
  readonly format: (value: number) => string;
}

const [WIDTH, LEFT, MIDDLE, BASE] = [720, 20, 46, 70];
/** Width of a letter, about. */
const LETTER = 6.2;

/** One interval on a line, with zero and what was needed. */
export function drawInterval({ id, title, description, value, low, high, needed, format }: IntervalChart): string {
  const known = [value, low, high, needed, 0];
  const [least, most] = [Math.min(...known), Math.max(...known)];
  const margin = (most - least || 1) * 0.12;
  const x = scaleLinear([least - margin, most + margin], [LEFT, WIDTH - LEFT]);
  const ticks = x.ticks(6).map((one) => vertical('grid', x(one), 22, BASE) + label(x(one), BASE + 15, format(one)));
  // The two texts stand on the outer sides of their lines, but within the chart.
  const text = needed === 0 ? 'needed: not worse' : `needed: ${format(needed)}`;
  const named = (at: number, name: string, side: 'start' | 'end'): string => {
    const length = LETTER * name.length;
    return label(at, 14, name, side === 'end' ? (at < length ? 'start' : 'end') : at > WIDTH - length ? 'end' : 'start');
  };
  const zero = vertical('axis', x(0), 22, BASE) + (needed === 0 ? '' : named(x(0), 'equal', needed < 0 ? 'start' : 'end'));
  const bound = vertical('bound', x(needed), 22, BASE) + named(x(needed), text, needed < 0 ? 'end' : 'start');
  const within = low >= needed;
  const range = horizontal('whisker', x(low), MIDDLE, x(high)) + vertical('whisker', x(low), MIDDLE - 6, MIDDLE + 6);
  const body = [...ticks, zero, bound, range, mark(within ? 'dot' : 'alarm', x(value), MIDDLE, 5)];
  return svg({ id, width: WIDTH, height: 94, kind: 'wide', title: clip(title, 90), description }, body.join(''));
}
