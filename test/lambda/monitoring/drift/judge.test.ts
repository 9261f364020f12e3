import fc from 'fast-check';
import { blockOf, judgeDrift } from '../../../../lambda/monitoring/drift/judge';
import type { Block } from '../../../../lambda/monitoring/drift/types';
import type { Shape } from '../../../../lambda/monitoring/profile/types';
import type { MonitorSpec, ReferenceSpec } from '../../../../lib/monitoring/contract';
import { baselineOf, blockFrom, Columns, DAY, numericShape, profileOf, random, series, specOf, START, tableOf, Value } from './samples';

const DAYS = 80;
const ROWS = 60;
const { normal, below } = random(17);
const colour = (): string => ['red', 'green', 'blue'][below(3)];
const usual = (rows = ROWS, shift = 0): Columns => ({
  age: series(rows, () => 40 + 10 * (normal() + shift)),
  income: series(rows, () => 1000 * normal()),
  colour: series(rows, colour),
});
const training = series(DAYS, () => usual());
const all = (name: string): Value[] => training.flatMap((columns) => columns[name]);
const shapes: Record<string, Shape> = {
  age: numericShape(all('age') as number[], 200),
  income: numericShape(all('income') as number[], 200),
  colour: { kind: 'categorical', categories: ['red', 'green', 'blue'], hasOther: false },
};
const baseline = baselineOf(shapes, { age: all('age'), income: all('income'), colour: all('colour') });
const table = tableOf(86_400, training.map((columns, index) => blockFrom(shapes, START + index * DAY, columns)));

interface Stored {
  readonly columns: Columns;
  readonly block: Block;
}

/** Judges windows one after the other, each with those before it. */
function run(windows: readonly Columns[], changes: Partial<MonitorSpec> = {}, blocks = table, base = baseline) {
  const stored: Stored[] = [];
  return windows.map((columns, index) => {
    const start = START + (DAYS + index) * DAY;
    const profile = profileOf(shapes, columns);
    const judged = judgeDrift({
      spec: specOf(changes), baseline: base, table: blocks, recent: stored.map(({ block }) => block), window: { start, end: start + DAY, profile },
    });
    stored.push({ columns, block: blockOf({ start, profile }, base.features) });
    return judged;
  });
}

describe('windows like the reference', () => {
  it('are no drift, and say by how much they stay below the threshold', () => {
    const [, , { result, comparisons }] = run([usual(), usual(), usual()]);
    expect(result.verdict).toBe('ok');
    expect(result.reason).toMatch(/^No drift: .*60 rows, 38 blocks without drift to judge by\.$/);
    expect(result.comparisons[0].promise).toMatchObject({ fitBlocks: 40, nullBlocks: 38, advisory: false });
    expect(comparisons[0].charts.get('age')?.reference).toBe(baseline.features[0].counts);
    expect(result.comparisons[0].features.every(({ drifted }) => !drifted)).toBe(true);
  });
});

describe('a shifted feature', () => {
  const judged = run([usual(), usual(ROWS, 1.5), usual(ROWS, 1.5), usual(ROWS, 1.5)]);
  const [, first, second] = judged.map(({ result }) => result);

  it('alarms when it persists, not in its first window', () => {
    expect(judged.map(({ result }) => result.verdict)).toEqual(['ok', 'ok', 'drift', 'drift']);
    expect(first.reason).toMatch(/1 of the last 2 windows exceeds the threshold of .*, by age; 2 of 3 windows are needed\./);
    expect(first.comparisons[0].features[0].drifted).toBe(false);
  });

  it('is named with its evidence, and nothing else is', () => {
    const [age, ...others] = second.comparisons[0].features;
    expect(age).toMatchObject({ name: 'age', role: 'feature', kind: 'numeric', drifted: true, component: 'distribution', rows: 60 });
    expect(age.minimumEffect).toBe(0.1);
    expect(age.reason).toMatch(/^Drifted: Kolmogorov–Smirnov distance 0\.\d+ \(counts from 0\.1\), score [\d.]+ against a threshold of [\d.]+; /);
    expect(age.reason).toContain('; 60 rows against 4,800; ');
    expect(age.reason).toMatch(/missing or invalid 0 %, in the reference 0 %\.$/);
    expect(others.map(({ drifted }) => drifted)).toEqual([false, false]);
    expect(second.reason).toMatch(/^The judged score [\d.]+ exceeds the threshold of [\d.]+ in 2 of the last 3 windows /);
    expect(second.reason).toMatch(/\(p = 0\.026, 38 blocks without drift\): age\.$/);
    const { judgedScore = 0, threshold = 0, score = 0, pValue } = second.comparisons[0];
    expect(judgedScore).toBeGreaterThan(threshold);
    expect(score).toBeGreaterThan(threshold);
    expect(pValue).toBeCloseTo(1 / 39, 12);
  });

  it('alarms at once where persistence is one of one', () => {
    const [result] = run([usual(ROWS, 1.5)], { persistence: { breaches: 1, windows: 1 } }).map((each) => each.result);
    expect(result.verdict).toBe('drift');
  });
});

describe('what goes missing or was never seen', () => {
  const once = { persistence: { breaches: 1, windows: 1 } };

  it('is drift of its own', () => {
    const [{ result }] = run([{ ...usual(), income: series(ROWS, (index) => (index % 2 === 0 ? undefined : 0)) }], once);
    expect(result.comparisons[0].features[0]).toMatchObject({ name: 'income', drifted: true, missingShare: 0.5 });
    const [{ result: colours }] = run([{ ...usual(), colour: series(ROWS, (index) => (index % 3 === 0 ? 'pink' : colour())) }], once);
    expect(colours.comparisons[0].features[0]).toMatchObject({ name: 'colour', drifted: true, component: 'unseen', unseen: ['pink'] });
    expect(colours.comparisons[0].features[0].reason).toContain('unseen: pink');
  });

  it('is skipped, with the reason, where the window does not have the column', () => {
    const { age, income } = usual();
    const [{ result }] = run([{ age, income }]);
    expect(result.skipped).toEqual([{ name: 'colour', reason: 'The window was not counted for it.' }]);
  });
});

describe('too little to judge by', () => {
  it('is never drift and never fine', () => {
    const [{ result }] = run([usual(12, 5)]);
    expect(result.verdict).toBe('insufficient-data');
    expect(result.reason).toBe('The window holds 12 rows and a verdict needs 30: neither drift nor its absence can be told.');
    expect(result.comparisons[0].features[0].reason).toBe('Not judged: 12 rows, 30 needed.');
    expect(result.comparisons[0]).not.toHaveProperty('judgedScore');
  });

  it('is no traffic where there is none', () => {
    const [{ result }] = run([usual(0)]);
    expect(result).toMatchObject({ verdict: 'no-traffic', comparisons: [{ verdict: 'no-traffic', features: [] }] });
  });

  it('leaves the windows around it to be judged together', () => {
    const verdicts = run([usual(), usual(ROWS, 1.5), usual(5), usual(ROWS, 1.5)]).map(({ result }) => result.verdict);
    expect(verdicts).toEqual(['ok', 'ok', 'insufficient-data', 'drift']);
  });
});

describe('references', () => {
  it('with too few blocks never alarm, whatever comes', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 22 }), fc.integer({ min: 1, max: 9 }), fc.boolean(), (blocks, shift, season) => {
      const reference: ReferenceSpec = season ? { kind: 'SAME_SEASON' } : { kind: 'TRAINING' };
      const short = tableOf(86_400, training.slice(0, blocks).map((columns, index) => blockFrom(shapes, START + index * DAY, columns)));
      const judged = run(series(3, () => usual(ROWS, shift)), { references: [reference] }, short);
      judged.forEach(({ result }) => {
        expect(result.verdict).toBe('advisory');
        expect(result.comparisons[0].features.some(({ drifted }) => drifted)).toBe(false);
        expect(result.comparisons[0]).not.toHaveProperty('threshold');
        expect(result.reason).toContain('never alarms');
      });
    }), { numRuns: 12, seed: 3 });
  });

  it('that support a promise decide, beside those that do not', () => {
    const references: ReferenceSpec[] = [{ kind: 'SAME_SEASON' }, { kind: 'TRAINING' }];
    const [, , { result }] = run(series(3, () => usual(ROWS, 1.5)), { references });
    expect(result.comparisons.map(({ verdict }) => verdict)).toEqual(['advisory', 'drift']);
    expect(result.verdict).toBe('drift');
    const [, , calm] = run(series(3, () => usual()), { references });
    expect(calm.result.verdict).toBe('ok');
  });

  it('of the last days tell a change, then take it for usual', () => {
    const windows = [...series(4, () => usual()), ...series(40, () => usual(ROWS, 1.5))];
    const verdicts = run(windows, { references: [{ kind: 'LAST_DAYS', days: 60 }] }).map(({ result }) => result.verdict);
    expect(verdicts.slice(0, 4)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(verdicts.slice(5, 7)).toEqual(['drift', 'drift']);
    // By chance some of the later ones may alarm: as many as so few blocks can promise.
    expect(verdicts.slice(20).filter((verdict) => verdict === 'drift').length).toBeLessThan(8);
  });
});

describe('predictions', () => {
  it('are shown but not judged where the blocks do not know them', () => {
    const predictions = baselineOf(shapes, { age: all('age') }, 'prediction').features;
    const known = tableOf(86_400, training.map((columns, index) => {
      const { cells, ...block } = blockFrom(shapes, START + index * DAY, columns);
      return { ...block, cells: new Map([...cells].filter(([name]) => name !== 'age' || index >= 60)) };
    }));
    const base = { ...baseline, features: [...predictions, ...baseline.features.slice(1)] };
    const [, , { result }] = run(series(3, () => usual(ROWS, 3)), {}, known, base);
    const prediction = result.comparisons[0].features.find(({ role }) => role === 'prediction');
    expect(prediction).toMatchObject({ drifted: false, reason: 'Shown, not judged: too few of the reference\'s blocks know it.' });
    expect(prediction?.statistics.ks?.statistic).toBeGreaterThan(0.5);
    expect(result.verdict).toBe('ok');
  });
});

describe('a result', () => {
  it('survives JSON: no infinity and no NaN', () => {
    const references: ReferenceSpec[] = [{ kind: 'TRAINING' }, { kind: 'SAME_SEASON' }, { kind: 'LAST_DAYS', days: 50 }];
    const windows = [usual(), usual(ROWS, 4), usual(0), usual(10), usual(), { ...usual(), age: series(ROWS, () => undefined) }];
    run(windows, { references }).forEach(({ result }) => expect(JSON.parse(JSON.stringify(result))).toEqual(result));
  });
});
