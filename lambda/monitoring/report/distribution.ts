import { scaleLinear } from 'd3-scale';
import type { FeatureChart } from '../drift/types';
import type { NumericShape } from '../profile/types';
import { type Bins, binsOf, barsOf, isDiscrete, present, quantile, spread } from './histogram';
import { at, horizontal, label, rectangle, stroke, svg } from './svg';
import { clip, figure, percent } from './words';

/** A feature's reference and window distributions, drawn over each other. */

const WIDTH = 320;
const TOP = 4;
const BASE = 78;
const HEIGHT = 96;
const BINS = 36;
const BARS = 7;
const ROW = 17;
const NAMES = 96;
const FIGURES = 92;

interface Drawn {
  readonly body: string;
  readonly height: number;
  readonly description: string;
}

/** `name` is what people read; `id` is unique on the page. */
export function drawDistribution(id: string, name: string, { shape, reference, window }: FeatureChart): string {
  if (present(reference) + present(window) === 0) return '';
  const chart = { shape, reference, window };
  const { body, height, description } = shape.kind === 'numeric' ? numeric(shape, chart) : categorical(chart);
  return svg({ id, width: WIDTH, height, title: `Distribution of ${clip(name, 60)}`, description }, body);
}

function numeric(shape: NumericShape, { reference, window }: FeatureChart): Drawn {
  const before = present(reference) > 0 && reference ? binsOf(shape, reference, window) : undefined;
  const now = present(window) > 0 ? binsOf(shape, window, window) : undefined;
  const sides = [before, now].filter((side) => side !== undefined);
  const { low, high, steps } = isDiscrete(shape) ? ofValues(shape, sides) : ofWidths(sides);
  const [shares, current] = [before && steps(before), now && steps(now)];
  const x = scaleLinear([low, high], [2, WIDTH - 2]);
  const y = scaleLinear([0, Math.max(...(shares ?? [0]), ...(current ?? [0])) || 1], [BASE, TOP]);
  const path = (values: readonly number[]): string => {
    const width = (WIDTH - 4) / values.length;
    return `M2 ${BASE}${values.map((share, index) => `V${at(y(share))}H${at(2 + (index + 1) * width)}`).join('')}V${BASE}`;
  };
  const format = x.tickFormat(4);
  const ticks = x.ticks(4).map((value) => label(Math.min(WIDTH - 12, Math.max(12, x(value))), BASE + 14, format(value)));
  const drawn = [shares ? stroke('ref', `${path(shares)}Z`) : '', current ? stroke('win', path(current)) : ''];
  const body = [...drawn, horizontal('axis', 0, BASE, WIDTH), ...ticks].join('');
  return { body, height: HEIGHT, description: `${inWords('Reference', before)} ${inWords('Window', now)}` };
}

interface Steps {
  readonly low: number;
  readonly high: number;
  steps(side: Bins): number[];
}

/** The bulk of both sides. */
function ofWidths(sides: readonly Bins[]): Steps {
  const low = Math.min(...sides.map((side) => quantile(side, 0.005)));
  const top = Math.max(...sides.map((side) => quantile(side, 0.995)));
  const high = top > low ? top : low + 1;
  return { low, high, steps: (side) => spread(side, low, high, BINS) };
}

/** A step for each value; where values are far apart or uneven, as wide as its neighbours allow. */
function ofValues({ edges }: NumericShape, sides: readonly Bins[]): Steps {
  const gap = Math.min(...edges.slice(1).map((edge, index) => edge - edges[index]), Infinity);
  const step = Number.isFinite(gap) ? gap : 1;
  const count = (edges[edges.length - 1] - edges[0]) / step + 1;
  const beyond = sides.some(({ counts, total }) => (counts[edges.length] ?? 0) / total > 0.005);
  if (count > 2 * edges.length + 8 || beyond || sides.some(({ counts }) => counts.length !== edges.length + 1)) return ofWidths(sides);
  const slots = Math.round(count);
  const slot = (edge: number): number => Math.round((edge - edges[0]) / step);
  return {
    low: edges[0] - step / 2,
    high: edges[0] + (slots - 0.5) * step,
    steps: ({ counts, total }) => {
      const shares = new Array<number>(slots).fill(0);
      edges.forEach((edge, bin) => (shares[slot(edge)] += counts[bin] / total));
      shares[slots - 1] += counts[edges.length] / total;
      return shares;
    },
  };
}

function inWords(side: string, bins: Bins | undefined): string {
  if (bins === undefined) return `${side}: no values.`;
  const [low, middle, high] = [0.1, 0.5, 0.9].map((share) => figure(quantile(bins, share)));
  return `${side}: median ${middle}, eight in ten values between ${low} and ${high}.`;
}

function categorical(chart: FeatureChart): Drawn {
  if (chart.shape.kind !== 'categorical') return { body: '', height: 0, description: '' };
  const bars = barsOf(chart.shape, chart, BARS);
  const x = scaleLinear([0, Math.max(...bars.flatMap(({ before = 0, now }) => [before, now])) || 1], [0, WIDTH - NAMES - FIGURES]);
  const body = bars.map(({ name, before, now }, index) => {
    const y = TOP + index * ROW;
    return (
      label(NAMES - 6, y + 11, clip(name, 15), 'end') +
      (before === undefined ? '' : rectangle('ref', NAMES, y + 1, x(before), ROW - 4)) +
      rectangle('win', NAMES, y + 4.5, x(now), ROW - 11) +
      label(WIDTH, y + 11, before === undefined ? percent(now) : `${percent(before)} → ${percent(now)}`, 'end')
    );
  });
  const then = (before: number | undefined): string => (before === undefined ? '' : `${percent(before)} before, `);
  const words = bars.map(({ name, before, now }) => `${clip(name, 30)} ${then(before)}${percent(now)} now`);
  return { body: body.join(''), height: 2 * TOP + bars.length * ROW, description: `Shares: ${words.join('; ')}.` };
}
