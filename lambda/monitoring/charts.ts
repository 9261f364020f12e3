import { scaleBand, scaleLinear } from 'd3-scale';
import { area, curveStepAfter, line } from 'd3-shape';
import { CategoricalShape, Counts, NumericShape, Shape, binMeans, usable } from './counters';

/** A feature's reference and window distributions, drawn over each other as one SVG. */

const WIDTH = 300;
const HEIGHT = 84;
const TOP = 4;
const BASE = 66;
const BINS = 28;
const BARS = 9;

export const escapeMarkup = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[character] as string);

/** `id` makes the labels of several charts on one page distinct. */
export function drawFeature(id: string, name: string, shape: Shape, reference: Counts | undefined, window: Counts): string {
  const empty = usable(window) === 0 && (reference === undefined || usable(reference) === 0);
  const body = empty ? '' : shape.kind === 'numeric' ? drawNumbers(shape, reference, window) : drawCategories(shape, reference, window);
  const title = `Distribution of ${name}: reference and window`;
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-labelledby="${id}-t ${id}-d">` +
    `<title id="${id}-t">${escapeMarkup(title)}</title><desc id="${id}-d">${escapeMarkup(describe(shape, reference, window))}</desc>${body}</svg>`
  );
}

const fixed = (value: number): string => String(Math.round(value * 100) / 100);

const inBins = (x: (value: number) => number, low: number, step: number) => (_: number, index: number) => x(low + index * step);

function drawNumbers(shape: NumericShape, reference: Counts | undefined, window: Counts): string {
  const discrete = isDiscrete(shape, reference ?? window);
  const [low, high] = range(shape, reference, window, discrete);
  const step = (high - low) / BINS;
  const [before, now] = [reference, window].map((side) => side && histogram(shape, side, low, high, discrete));
  const x = scaleLinear([low, high], [2, WIDTH - 2]);
  const y = scaleLinear([0, Math.max(...(before ?? [0]), ...(now ?? [0])) || 1], [BASE, TOP]);
  const closed = (shares: readonly number[]): number[] => [...shares, shares[shares.length - 1]];
  const at = inBins(x, low, step);
  const filled = area<number>().x(at).y0(BASE).y1((share) => y(share)).curve(curveStepAfter).digits(1);
  const outline = line<number>().x(at).y((share) => y(share)).curve(curveStepAfter).digits(1);
  const format = x.tickFormat(4);
  const ticks = x.ticks(4).map((value) => tick(x(value), format(value)));
  const drawn = before ? `<path class="ref" d="${filled(closed(before))}"/>` : '';
  const seen = closed(now ?? []);
  return `${drawn}<path class="win-fill" d="${filled(seen)}"/><path class="win" d="${outline(seen)}"/>${axis}${ticks.join('')}`;
}

const axis = `<path class="axis" d="M0 ${BASE}H${WIDTH}"/>`;

const tick = (x: number, label: string): string =>
  `<text x="${fixed(Math.min(WIDTH - 10, Math.max(10, x)))}" y="${BASE + 14}" text-anchor="middle">${escapeMarkup(label)}</text>`;

/** The bulk of the reference and half its width on either side, as far as there are values. */
function range(shape: NumericShape, reference: Counts | undefined, window: Counts, discrete: boolean): [number, number] {
  if (discrete) {
    return [around(shape.edges, 0)[0], around(shape.edges, shape.edges.length - 1)[1]];
  }
  const [first, last] = [shape.edges[0], shape.edges[shape.edges.length - 1]];
  const margin = (last - first) / 2;
  const low = Math.max(first - margin, Math.min(reference?.minimum ?? first, window.minimum ?? first));
  const high = Math.min(last + margin, Math.max(reference?.maximum ?? last, window.maximum ?? last));
  return high > low ? [low, high] : [low - 0.5, low + 0.5];
}

/** Shares in bins of equal width: each counted bin is spread evenly over its width, what lies outside goes to the ends. */
function histogram(shape: NumericShape, counts: Counts, low: number, high: number, discrete: boolean): number[] {
  const shares = new Array<number>(BINS).fill(0);
  const total = usable(counts) || 1;
  const position = (value: number): number => Math.min(BINS, Math.max(0, ((value - low) / (high - low)) * BINS));
  counts.counts.forEach((count, bin) => {
    if (count === 0) {
      return;
    }
    const [lower, upper] = discrete ? around(shape.edges, bin) : [shape.edges[bin - 1], shape.edges[bin]];
    const from = position(Math.max(lower ?? -Infinity, discrete ? -Infinity : (counts.minimum ?? low)));
    const to = position(Math.min(upper ?? Infinity, discrete ? Infinity : (counts.maximum ?? high)));
    for (let index = Math.min(BINS - 1, Math.floor(from)); index < Math.max(to, from + 1e-9) && index < BINS; index += 1) {
      const covered = to > from ? (Math.min(index + 1, to) - Math.max(index, from)) / (to - from) : 1;
      shares[index] += (covered * count) / total;
    }
  });
  return shares;
}

/** Whether each bin holds one value, its upper edge, as counts and hours do. */
function isDiscrete(shape: NumericShape, counts: Counts): boolean {
  const { values } = binMeans(shape, counts);
  const edges = shape.edges.filter((_, bin) => counts.counts[bin] > 0);
  return edges.length === values.length && edges.every((edge, index) => Math.abs(edge - values[index]) < shape.deviation / 500);
}

/** From half-way to the edge below to half-way to the edge above. */
function around(edges: readonly number[], bin: number): [number, number] {
  const last = edges.length - 1;
  const at = (index: number): number => edges[Math.min(last, Math.max(0, index))];
  const below = bin === 0 ? at(1) - at(0) : at(bin) - at(bin - 1);
  const above = bin >= last ? at(last) - at(last - 1) : at(bin + 1) - at(bin);
  return [at(bin) - below / 2, at(bin) + above / 2];
}

function drawCategories(shape: CategoricalShape, reference: Counts | undefined, window: Counts): string {
  const bars = categoryShares(shape, reference, window);
  const x = scaleBand(bars.map((_, index) => String(index)), [0, WIDTH]).paddingInner(0.2).paddingOuter(0.1);
  const y = scaleLinear([0, Math.max(...bars.flatMap(({ before, now }) => [before, now])) || 1], [BASE, TOP]);
  const rect = (kind: string, left: number, width: number, share: number): string =>
    `<rect class="${kind}" x="${fixed(left)}" y="${fixed(y(share))}" width="${fixed(width)}" height="${fixed(BASE - y(share))}"/>`;
  const width = x.bandwidth();
  const drawn = bars.map(({ name, before, now }, index) => {
    const left = x(String(index)) as number;
    const most = Math.max(3, Math.floor(width / 5.5));
    const label = name.length > most ? `${name.slice(0, most - 1)}…` : name;
    return rect('ref', left, width, before) + rect('win-bar', left + width / 4, width / 2, now) + tick(left + width / 2, label);
  });
  return drawn.join('') + axis;
}

interface Bar {
  readonly name: string;
  readonly before: number;
  readonly now: number;
}

/** The commonest categories of either side, the rest together, and what training never saw. */
function categoryShares(shape: CategoricalShape, reference: Counts | undefined, window: Counts): Bar[] {
  const [before, now] = [reference, window].map((side) => (cell: number) => (side === undefined ? 0 : side.counts[cell] / (usable(side) || 1)));
  const all = shape.categories.map((name, cell): Bar => ({ name, before: before(cell), now: now(cell) }));
  const shown = new Set([...all].sort((a, b) => Math.max(b.before, b.now) - Math.max(a.before, a.now)).slice(0, BARS));
  const bars = all.filter((bar) => shown.has(bar));
  const ordered = bars.every(({ name }) => Number.isFinite(Number(name))) ? bars.sort((a, b) => Number(a.name) - Number(b.name)) : bars;
  const rest = all.filter((bar) => !shown.has(bar));
  const sum = (side: 'before' | 'now'): number => rest.reduce((total, bar) => total + bar[side], 0);
  const last = shape.categories.length;
  const others = { name: 'other', before: sum('before') + (shape.hasOther ? before(last) : 0), now: sum('now') + (shape.hasOther ? now(last) : 0) };
  const unseen = { name: 'unseen', before: 0, now: shape.hasOther ? 0 : now(last) };
  return [...ordered, ...[others, unseen].filter((bar) => bar.before + bar.now > 0)];
}

/** The chart in words, for whoever does not see it. */
function describe(shape: Shape, reference: Counts | undefined, window: Counts): string {
  const sides = [['Reference', reference], ['Window', window]] as const;
  return sides.map(([side, counts]) => `${side}: ${counts === undefined || usable(counts) === 0 ? 'no values' : summary(shape, counts)}.`).join(' ');
}

function summary(shape: Shape, counts: Counts): string {
  if (shape.kind === 'categorical') {
    const largest = [...counts.counts.keys()].sort((a, b) => counts.counts[b] - counts.counts[a]).slice(0, 3);
    const named = (cell: number): string => shape.categories[cell] ?? (shape.hasOther ? 'other' : 'unseen');
    return largest.map((cell) => `${named(cell)} ${Math.round((100 * counts.counts[cell]) / usable(counts))} %`).join(', ');
  }
  const { values, weights } = binMeans(shape, counts);
  const quantile = (share: number): string => {
    let left = share * usable(counts);
    const index = weights.findIndex((weight) => (left -= weight) <= 0);
    return String(Number(values[Math.max(0, index)].toPrecision(3)));
  };
  return `median ${quantile(0.5)}, eight in ten values between ${quantile(0.1)} and ${quantile(0.9)}`;
}
