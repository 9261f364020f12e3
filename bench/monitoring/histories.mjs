// Simulated histories without drift (or with one feature shifted): a year of reference and days of live traffic, as the cells of their blocks.

const CELLS = 100;
const DAY = 86_400_000;
const START = Date.UTC(2025, 0, 1);

/** Uniform numbers in (0, 1) from a seed (xorshift128+ in halves of 32 bits), and normal ones from pairs of them. */
export const generator = (seed) => {
  let [a, b, c, d] = [seed ^ 0x9e3779b9, Math.imul(seed + 1, 0x85ebca6b), 0x243f6a88, 0xb7e15162];
  const uniform = () => {
    // sfc32
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return ((t >>> 0) + 0.5) / 4294967296;
  };
  for (let warm = 0; warm < 20; warm += 1) uniform();
  let spare;
  const normal = () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    for (;;) {
      const [u, v] = [2 * uniform() - 1, 2 * uniform() - 1];
      const r = u * u + v * v;
      if (r < 1 && r > 0) {
        const factor = Math.sqrt((-2 * Math.log(r)) / r);
        spare = v * factor;
        return u * factor;
      }
    }
  };
  return { uniform, normal };
};

/** Values of one feature in order of time; `rows` in each of `hours`. */
const KINDS = {
  // Rows know nothing of each other.
  independent: (values, { normal }) => {
    for (let index = 0; index < values.length; index += 1) values[index] = normal();
  },
  // Hours depend on the hours before, as weather does; the rows of an hour share most of it.
  dependent: (values, { normal }, rowsPerHour) => {
    const keep = 0.97;
    const fresh = Math.sqrt(1 - keep * keep);
    let hour = normal();
    for (let index = 0; index < values.length; index += 1) {
      if (index % rowsPerHour === 0) hour = keep * hour + fresh * normal();
      values[index] = rowsPerHour === 1 ? hour : Math.sqrt(0.8) * hour + Math.sqrt(0.2) * normal();
    }
  },
};

const SAMPLE = 20_000;

/** Quantile edges of the reference rows, or of so many of them, spread evenly: what a baseline does. */
const edgesOf = (values, rows) => {
  const size = Math.min(rows, SAMPLE);
  const sorted = Float64Array.from({ length: size }, (_, index) => values[Math.floor((index * rows) / size)]).sort();
  return Float64Array.from({ length: CELLS - 1 }, (_, index) => sorted[Math.floor(((index + 1) * size) / CELLS)]);
};

const cellOf = (edges, value) => {
  let [low, high] = [0, edges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (edges[middle] >= value) high = middle;
    else low = middle + 1;
  }
  return low;
};

/**
 * Blocks of the reference and windows after it, each with the cells of its features. `shift` is added to the live values of the first feature, in
 * standard deviations.
 */
export const history = ({ kind, seed, features, windowDays, rowsPerDay, referenceDays, liveDays, shift = 0 }) => {
  const random = generator(seed);
  const rowsPerBlock = rowsPerDay * windowDays;
  const [reference, live] = [Math.floor(referenceDays / windowDays), Math.floor(liveDays / windowDays)];
  const values = new Float64Array((reference + live) * rowsPerBlock);
  const all = Array.from({ length: reference + live }, (_, index) => ({
    start: START + index * windowDays * DAY,
    rows: rowsPerBlock,
    cells: new Map(),
  }));
  const shapes = [];
  for (let feature = 0; feature < features; feature += 1) {
    KINDS[kind](values, random, Math.max(1, Math.round(rowsPerDay / 24)));
    const edges = edgesOf(values, reference * rowsPerBlock);
    if (shift !== 0 && feature === 0) {
      for (let index = reference * rowsPerBlock; index < values.length; index += 1) values[index] += shift;
    }
    const name = `f${feature}`;
    shapes.push({ name, shape: { kind: 'numeric', edges: [...edges], mean: 0, deviation: 1 } });
    for (let block = 0; block < all.length; block += 1) {
      const cells = new Array(CELLS + 2).fill(0);
      for (let row = block * rowsPerBlock; row < (block + 1) * rowsPerBlock; row += 1) cells[cellOf(edges, values[row])] += 1;
      all[block].cells.set(name, cells);
    }
  }
  return { features: shapes, reference: all.slice(0, reference), live: all.slice(reference) };
};
