import fc from 'fast-check';
import { calibrate, judgedScore, judgedScores } from '../../../../lambda/monitoring/drift/calibrate';
import { fitScore } from '../../../../lambda/monitoring/drift/score';
import type { Block, CalibrationOptions } from '../../../../lambda/monitoring/drift/types';
import type { NumericShape } from '../../../../lambda/monitoring/profile/types';
import { DAY, random, series, START } from './samples';

const CELLS = 20;
const shape: NumericShape = { kind: 'numeric', edges: series(CELLS - 1, (index) => index), mean: 0, deviation: 1 };
const names = ['a', 'b', 'c', 'd'];
const features = names.map((name) => ({ name, shape }));

/** Blocks of counts drawn anew, all alike; `concentration` small makes blocks differ from each other as dependent rows do. */
function blocksOf(seed: number, length: number, rows = 60, concentration = 1): Block[] {
  const { uniform, below } = random(seed);
  return series(length, (index) => ({
    start: START + index * DAY,
    rows,
    cells: new Map(names.map((name) => {
      const centre = below(CELLS);
      const cells = new Array<number>(CELLS + 2).fill(0);
      for (let row = 0; row < rows; row += 1) {
        cells[concentration === 1 || uniform() < concentration ? below(CELLS) : (centre + below(6)) % CELLS] += 1;
      }
      return [name, cells];
    })),
  }));
}

const once = { breaches: 1, windows: 1 };
const options = (changes: Partial<CalibrationOptions> = {}): CalibrationOptions => ({
  windowSeconds: 86_400,
  minimumRows: 1,
  persistence: once,
  falseAlarms: { episodes: 1, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } },
  share: 1,
  ...changes,
});

describe('a window like those of the reference', () => {
  const ranks = (seeds: number, blocks: number, concentration: number): number[] =>
    series(seeds, (seed) => {
      const all = blocksOf(seed + 1, blocks + 1, 40, concentration);
      const calibration = calibrate(features, all.slice(0, -1), options());
      return calibration.pValue(calibration.score(all[all.length - 1]).score);
    });

  it.each([1, 0.3])('has a rank among the blocks kept back that is uniform (%d of the rows independent)', (concentration) => {
    const histories = 500;
    const found = ranks(histories, 40, concentration);
    for (const level of [1 / 21, 3 / 21, 10 / 21]) {
      const expected = histories * level;
      const spread = 3.3 * Math.sqrt(expected * (1 - level));
      const below = found.filter((p) => p <= level + 1e-9).length;
      // Scores below the least distance that counts are tied, and ties only make alarms fewer.
      expect(below).toBeLessThan(expected + spread);
      expect(concentration === 1 || below > expected - spread).toBe(true);
    }
  });

  it('would alarm several times too often by a threshold from blocks that the score has seen', () => {
    const [histories, blocks] = [500, 20];
    let alarms = 0;
    for (let seed = 0; seed < histories; seed += 1) {
      const all = blocksOf(50_000 + seed, blocks + 1, 40, 0.3);
      const reference = all.slice(0, -1);
      const { score } = fitScore(features, reference);
      alarms += score(all[blocks]).score > Math.max(...reference.map((block) => score(block).score)) ? 1 : 0;
    }
    const stated = histories / (blocks + 1);
    expect(alarms).toBeGreaterThan(stated + 3.3 * Math.sqrt(stated));
    expect(alarms / stated).toBeGreaterThan(1.5);
  });
});

describe('the score', () => {
  const window = blocksOf(99, 1, 60, 0)[0];

  it('does not know the blocks that the null distribution is made of', () => {
    fc.assert(fc.property(fc.nat(1000), fc.nat(1000), (one, other) => {
      const fit = blocksOf(7, 12);
      const kept = (seed: number): Block[] => blocksOf(seed, 12, 60, 0.2).map((block, index) => ({ ...block, start: START + (12 + index) * DAY }));
      const [a, b] = [one, other].map((seed) => calibrate(features, [...fit, ...kept(seed)], options()));
      expect(a.score(window)).toEqual(b.score(window));
    }), { numRuns: 20 });
  });

  it('does not depend on the order of features or of blocks', () => {
    const shuffled = fc.shuffledSubarray(series(24, (index) => index), { minLength: 24 });
    fc.assert(fc.property(fc.shuffledSubarray(names, { minLength: 4 }), shuffled, (order, places) => {
      const blocks = blocksOf(3, 24, 60, 0.3);
      const plain = calibrate(features, blocks, options());
      const mixed = calibrate(
        order.map((name) => ({ name, shape })),
        places.map((place) => ({ ...blocks[place], cells: new Map(order.map((name) => [name, blocks[place].cells.get(name) as number[]])) })),
        options(),
      );
      expect(mixed.score(window).score).toBe(plain.score(window).score);
      expect(mixed.nullScores).toEqual(plain.nullScores);
      expect(mixed.threshold).toBe(plain.threshold);
    }), { numRuns: 20 });
  });

  it('takes less traffic for what it is: fewer rows do not make a window look like drift', () => {
    const calibration = calibrate(features, blocksOf(11, 40, 600), options());
    const few = blocksOf(12, 200, 40).map((block) => calibration.score(block).score);
    const usual = blocksOf(13, 60, 600).map((block) => calibration.score(block).score);
    expect(usual.every((score) => score === -Infinity)).toBe(true);
    // At 40 rows most windows pass the least distance that counts by chance: their scores stay those of chance.
    const passed = few.filter((score) => score > -Infinity);
    expect(passed.length).toBeGreaterThan(100);
    expect(passed.reduce((sum, score) => sum + score, 0) / passed.length).toBeLessThan(4);
  });

  it('leaves out what differs by less than counts, however sure it is', () => {
    const counts = (first: number): number[] => series(CELLS + 2, (cell) => (cell >= CELLS ? 0 : cell === 0 ? first : 2500));
    const cells = (first: number): Block['cells'] => new Map(names.map((name) => [name, counts(first)]));
    const many = series(30, (index) => ({ start: START + index * DAY, rows: 50_000, cells: cells(2500 + (index % 3)) }));
    const { score, features: each } = calibrate(features, many, options()).score({ ...many[0], cells: cells(5000) });
    expect(score).toBe(-Infinity);
    expect(each.get('a')?.effect).toBeLessThan(0.1);
  });

  it('sees values that went missing and categories that were never seen', () => {
    const categorical = { kind: 'categorical', categories: ['x', 'y'], hasOther: false } as const;
    const block = (index: number, cells: number[]): Block => ({ start: START + index * DAY, rows: 100, cells: new Map([['f', cells]]) });
    const reference = series(30, (index) => block(index, [50 + (index % 5), 50 - (index % 5), 0, 0]));
    const calibration = calibrate([{ name: 'f', shape: categorical }], reference, options());
    const seen = (cells: number[]) => calibration.score(block(0, cells)).features.get('f');
    expect(seen([40, 40, 0, 20])).toMatchObject({ component: 'missing', effect: expect.closeTo(0.2, 9), minimumEffect: 0.05 });
    expect(seen([50, 44, 6, 0])).toMatchObject({ component: 'unseen', effect: expect.closeTo(0.06, 9) });
    expect(seen([97, 3, 0, 0])?.component).toBe('distribution');
    expect(seen([0, 0, 100, 0])).toMatchObject({ component: 'unseen', effect: 1 });
    expect(seen([0, 0, 0, 100])).toMatchObject({ component: 'missing', effect: 1 });
    expect(calibration.score(block(0, [52, 48, 0, 0])).score).toBe(-Infinity);
  });
});

describe('the promise', () => {
  it('spends the budget over the windows of its days', () => {
    const { promise } = calibrate(features, blocksOf(1, 365), options({ persistence: { breaches: 2, windows: 3 } }));
    expect(promise).toMatchObject({ fitBlocks: 182, nullBlocks: 181, days: 90, advisory: false, supported: 1 / 182 });
    expect(promise.asked).toBeCloseTo(0.5 / 90, 12);
    expect(promise.episodes).toBeCloseTo(0.5, 12);
    expect(promise.sentence).toContain('At most 0.5 false episodes in 90 days are expected, as asked.');
  });

  it('says what fewer blocks support', () => {
    const { promise } = calibrate(features, blocksOf(1, 52), options({ windowSeconds: 7 * 86_400, share: 0.5 }));
    expect(promise).toMatchObject({ nullBlocks: 26, supported: 1 / 27, advisory: false });
    expect(promise.episodes).toBeCloseTo(90 / 7 / 27, 12);
    expect(promise.sentence).toContain('They support no fewer than 0.48 false episodes in 90 days; 0.25 were asked for.');
  });

  it('below ten null blocks there is none, and no threshold', () => {
    const few = calibrate(features, blocksOf(1, 18), options());
    expect(few.promise).toMatchObject({ nullBlocks: 9, advisory: true, episodes: 0 });
    expect(few.threshold).toBeUndefined();
    expect(calibrate(features, [], options()).promise).toMatchObject({ fitBlocks: 0, nullBlocks: 0, advisory: true });
    expect(calibrate(features, blocksOf(1, 20), options()).threshold).toBeDefined();
  });

  it('leaves out blocks with too few rows', () => {
    const blocks = blocksOf(1, 60).map((block, index) => ({ ...block, rows: index % 3 === 0 ? 5 : 60 }));
    const { promise } = calibrate(features, blocks, options({ minimumRows: 30 }));
    expect(promise.fitBlocks + promise.nullBlocks).toBe(40);
  });

  it('an exceeded threshold and a small enough p-value are the same thing', () => {
    fc.assert(fc.property(fc.nat(500), fc.integer({ min: 20, max: 120 }), fc.constantFrom(0.5, 1, 4, 20), (seed, length, episodes) => {
      const falseAlarms = { ...options().falseAlarms, episodes };
      const { promise, threshold = NaN, nullScores, pValue } = calibrate(features, blocksOf(seed, length, 40, 0.4), options({ falseAlarms }));
      for (const score of [...nullScores, ...nullScores.map((value) => value + 1e-9), -Infinity, Infinity]) {
        const sure = pValue(score) <= Math.max(promise.asked, promise.supported) + 1e-9 && score > -Infinity;
        expect(score > threshold).toBe(sure);
      }
    }), { numRuns: 40 });
  });
});

describe('persistence', () => {
  it('judges the k-th largest of the last m scores, and nothing while there are fewer', () => {
    const twice = { breaches: 2, windows: 3 };
    expect(judgedScore([9], twice)).toBe(-Infinity);
    expect(judgedScore([9, 1], twice)).toBe(1);
    expect(judgedScore([9, 1, 5], twice)).toBe(5);
    expect(judgedScore([9, 1, 2, 3], twice)).toBe(2);
    expect(judgedScore([4, 7], once)).toBe(7);
    expect(judgedScores([1, 2, 3, 0], twice)).toEqual([2, 2]);
    expect(judgedScores([1, 2], twice)).toEqual([]);
  });
});
