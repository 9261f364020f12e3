import fc from 'fast-check';
import { constraintsVerdict } from '../../../../lambda/monitoring/constraints/check-profile';
import { PairCounter } from '../../../../lambda/monitoring/constraints/pairs';
import { redacted } from '../../../../lambda/monitoring/constraints/redact';
import { exceeds, largestShare } from '../../../../lambda/monitoring/constraints/shares';
import type { ConstraintFile, FeatureConstraints } from '../../../../lambda/monitoring/constraints/types';
import type { Cell } from '../../../../lambda/monitoring/rows';
import { checkRows, judge, profiled, profileOf, suggested } from './world';

const file = (features: FeatureConstraints[], more: Partial<ConstraintFile> = {}): ConstraintFile => ({
  ...{ schemaVersion: 1, model: 'Demand', origin: 'edited', features, consistency: [] },
  ...more,
});
const many = (count: number, cell: (index: number) => Cell): Cell[][] => Array.from({ length: count }, (_, index) => [cell(index)]);

describe('a share is too large', () => {
  test('where chance would hardly ever show so much, and never below that', () => {
    expect(exceeds(1, 24, 0.001)).toBe(false);
    expect(exceeds(12, 1000, 0.01)).toBe(false);
    expect(exceeds(60, 1000, 0.01)).toBe(true);
    expect(exceeds(1, 1_000_000, 0)).toBe(true);
    expect(exceeds(10, 10, 1)).toBe(false);
  });

  test('by the exact binomial probability: the values of scipy.stats.binom.sf', () => {
    // P(X >= 29) = 6.4e-7, P(X >= 27) = 5.6e-6
    expect(exceeds(29, 1000, 0.01)).toBe(true);
    expect(exceeds(27, 1000, 0.01)).toBe(false);
  });

  test('never where the allowed share was suggested from the same counts', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (of, share) => {
        const broken = Math.floor(of * share);
        return !exceeds(broken, of, largestShare(broken, of));
      }),
    );
  });
});

describe('counters of a window', () => {
  const temp = many(1000, (index) => index / 10);
  const { watched } = profiled(['temp'], temp);
  const temperature: FeatureConstraints = {
    name: 'temp',
    ...{ type: { is: 'fractional', allowedShare: 0.01, severity: 'error' }, presence: { atLeast: 0.9, severity: 'warning' } },
    ...{ range: { from: 0, to: 100, allowedShare: 0.01, severity: 'warning' }, nonNegative: { severity: 'error' } },
  };
  const judged = (rows: Cell[][], constraints = temperature) => judge(file([constraints]), watched, profileOf(watched, rows));

  test('that keep every rule are no violation', () => {
    expect(judged(temp)).toEqual([]);
    expect(constraintsVerdict([])).toEqual({ verdict: 'ok', reason: 'No constraint of severity error is broken.' });
  });

  test('tell what was observed and what is allowed', () => {
    const violations = judged(many(1000, (index) => (index < 50 ? 'broken' : index < 250 ? '' : 20)));
    expect(violations).toEqual([
      {
        ...{ feature: 'temp', constraint: 'presence', severity: 'warning' },
        ...{ observed: '20 % (200 of 1,000 rows)', allowed: 'at most 10 % of the rows' },
        description: "'temp': 20 % (200 of 1,000 rows) missing, at most 10 % may be.",
      },
      {
        ...{ feature: 'temp', constraint: 'type', severity: 'error', observed: '6.3 % (50 of 800 values)', allowed: 'at most 1 % not a number' },
        description: "'temp': 6.3 % (50 of 800 values) not a number, at most 1 % may be.",
      },
    ]);
    expect(constraintsVerdict(violations)).toMatchObject({ verdict: 'violated', reason: expect.stringMatching(/not a number.* 1 warning\.$/) });
  });

  test('that show one negative value break non-negativity; a range waits for more than chance', () => {
    const [violation, ...others] = judged(many(1000, (index) => (index === 0 ? -3 : 20)));
    expect(violation).toMatchObject({ constraint: 'nonNegative', observed: '0.1 % (1 of 1,000 values), values from -3 to 20', severity: 'error' });
    expect(others).toEqual([]);
    expect(judged(many(1000, () => 200)).map(({ constraint }) => constraint)).toEqual(['range']);
  });

  test('know of a range that a bin divides by the sum of the bin, and never claim too many', () => {
    const half = many(1000, (index) => (index % 2 === 0 ? 150 : 99.95));
    expect(judged(half)).toMatchObject([{ constraint: 'range', observed: expect.stringMatching(/^at least 50 % \((49\d|500) of 1,000 values\)/) }]);
    // One far value hides what the others are: only one is certain.
    expect(judged(many(1000, (index) => (index === 0 ? 1e12 : index < 100 ? 101 : 50)))).toEqual([]);
  });

  test('of too few rows judge no share, but what allows none', () => {
    const few = many(20, () => -1);
    expect(judged(few).map(({ constraint }) => constraint)).toEqual(['nonNegative']);
  });

  test('say nothing about a feature that they do not hold, such as the target', () => {
    expect(judged(temp, { name: 'cnt', presence: { atLeast: 1, severity: 'error' } })).toEqual([]);
  });

  test('name unknown categories that are too many, whether the baseline knew them or not', () => {
    const kinds = profiled(['kind'], many(900, (index) => ['a', 'b', 'c'][index % 3]));
    const domain: FeatureConstraints = { name: 'kind', domain: { values: ['a', 'b'], allowedUnseenShare: 0.05, severity: 'error' } };
    const profile = profileOf(kinds.watched, many(900, (index) => (index < 100 ? 'c' : index < 200 ? 'new' : 'a')));
    expect(judge(file([domain]), kinds.watched, profile)).toMatchObject([{ observed: '22 % (200 of 900 values)' }]);
  });

  test('judge uniqueness with the error of their estimate in its favour', () => {
    const ids = profiled(['id'], many(5000, (index) => index));
    const unique: FeatureConstraints = { name: 'id', unique: { atLeast: 1, severity: 'warning' } };
    const of = (rows: Cell[][]) => judge(file([unique]), ids.watched, profileOf(ids.watched, rows));
    expect(of(many(5000, (index) => index))).toEqual([]);
    const observed = expect.stringMatching(/^about 2,[3-7]\d\d distinct of 5,000/);
    expect(of(many(5000, (index) => index % 2500))).toMatchObject([{ constraint: 'unique', observed }]);
  });
});

test('columns that are missing, added, too few rows and old ones are found whatever the sample', () => {
  const rules = file([], {
    columns: { names: ['a', 'b'], severity: 'error' },
    rowCount: { atLeast: 10, atMost: 20, severity: 'warning' },
    freshness: { atMostSeconds: 60, severity: 'error' },
  });
  const profile = { rows: 3, features: new Map() };
  const context = { minimumRows: 100, columnsSeen: ['b', 'c'], newestRow: 0, windowEnd: 7_200_000 };
  expect(judge(rules, [], profile, context).map(({ description, severity }) => `${severity}: ${description}`)).toEqual([
    "error: The column 'a' is missing.",
    "warning: The column 'c' is not among those that the constraints list.",
    'warning: There are 3 rows in the window, 10 to 20 are expected.',
    'error: The newest row is 2 hours old at the window\'s end, at most 60 seconds is expected.',
  ]);
});

test('relations are counted alike from text and from cells', () => {
  const pairs = [
    { left: 'a', relation: '<=', right: 'b' },
    { left: 'a', relation: 'present-with', right: 'b' },
  ] as const;
  const rows = ['1,2', '2,1', ',1', '3,', 'x,1'];
  const [text, cells] = [new PairCounter(['a', 'b'], pairs), new PairCounter(['a', 'b'], pairs)];
  for (const row of rows) {
    const bytes = new TextEncoder().encode(row);
    const comma = row.indexOf(',');
    text.text({ bytes, starts: Int32Array.of(0, comma + 1), ends: Int32Array.of(comma, bytes.length), length: 2 });
    cells.cells(row.split(','));
  }
  expect(text.counts()).toEqual(cells.counts());
  expect(cells.counts().map(({ broken, of }) => [broken, of])).toEqual([
    [1, 2],
    [1, 4],
  ]);
  const rule = { ...pairs[0], allowedShare: 0, severity: 'error' } as const;
  const profile = { rows: 5, features: new Map() };
  expect(judge(file([], { consistency: [rule] }), [], profile, { pairs: cells.counts() })).toMatchObject([
    { constraint: 'consistency', description: "50 % (1 of 2 rows) break 'a' <= 'b', none may." },
  ]);
});

describe('row by row', () => {
  const rules = file([
    { name: 'age', type: { is: 'integral', allowedShare: 0, severity: 'error' }, range: { to: 120, allowedShare: 0.5, severity: 'error' } },
    { name: 'mail', presence: { atLeast: 0.5, severity: 'warning' }, unique: { atLeast: 1, severity: 'error' } },
  ]);
  const { findings, violations } = checkRows(rules, ['age', 'mail'], [
    ['30', 'Anna.B+1@example.org'],
    ['thirty', ''],
    ['203', 'Anna.B+1@example.org'],
  ]);

  test('each finding names column, rule and a sample without the value', () => {
    const told = findings.map((row) => row.map(({ rule, sample }) => `${rule}: ${sample}`));
    expect(told[1]).toEqual(["'age' is not a whole number: aaaaaa", "'mail' is missing: (empty)"]);
    expect(told[2]).toEqual([
      "'age' is outside up to 120: about 200",
      "'mail' has a value that came before: Aaaa.A+9@aaaaaaa.aaa",
    ]);
  });

  test('the verdict names the first row of each broken rule and leaves out what is within its share', () => {
    expect(violations.map(({ feature, constraint, first }) => [feature, constraint, first])).toEqual([
      ['age', 'type', 'row 2'],
      ['mail', 'unique', 'row 3'],
    ]);
  });

  test('no sample holds a word or a whole number of the data', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 3 }), (text) => {
        const sample = redacted(text);
        return !/[b-zB-Z1-8]/.test(sample.replace(/^about .*|^\(empty\)/, ''));
      }),
    );
    expect(redacted(123456)).toBe('about 100000');
    expect(redacted('Zoë Ørsted 4711')).toBe('Aaa Aaaaaa 9999');
    expect(redacted('x'.repeat(100))).toHaveLength(41);
  });
});

const cell = fc.oneof(
  fc.integer({ min: -5, max: 300 }),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.constantFrom<Cell>(null, '', 'a', 'b', 'nan', '7', '1.0', '-2', 'True'),
);
const SIZE = { minLength: 60, maxLength: 60 };
const column = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 3 }), SIZE),
  fc.array(fc.double({ min: -50, max: 50, noNaN: true }), SIZE),
  fc.array(fc.oneof({ weight: 9, arbitrary: fc.constantFrom<Cell>('x', 'y', 'z') }, { weight: 1, arbitrary: cell }), SIZE),
  fc.array(cell, SIZE),
);
const COLUMNS = ['a', 'b', 'c'];
const table = fc.tuple(column, column, column).map(([a, b, c]): Cell[][] => a.map((value, index) => [value, b[index], c[index]]));

test('suggested constraints never fail on the data that they came from', () => {
  fc.assert(
    fc.property(table, (rows) => {
      const constraints = suggested(COLUMNS, rows);
      const { watched, profile } = profiled(COLUMNS, rows);
      expect(judge(constraints, watched, profile, { minimumRows: 1 })).toEqual([]);
      expect(checkRows(constraints, COLUMNS, rows).violations).toEqual([]);
    }),
    { numRuns: 25 },
  );
});

test('what the row checker counts the counters count too: exactly, and of ranges as a lower bound that is zero where no row is outside', () => {
  fc.assert(
    fc.property(table, table, (reference, window) => {
      const constraints = suggested(COLUMNS, reference);
      const { watched } = profiled(COLUMNS, reference);
      // Nothing is allowed, so that every row that breaks a rule shows.
      const strict = file(constraints.features.map(strictly));
      const byRow = new Map<string, number>();
      for (const { column: name, constraint } of checkRows(strict, COLUMNS, window).findings.flat()) {
        byRow.set(`${name} ${constraint}`, (byRow.get(`${name} ${constraint}`) ?? 0) + 1);
      }
      const counted = new Map(
        judge(strict, watched, profileOf(watched, window), { minimumRows: 1 }).map(({ feature, constraint, observed }) => {
          return [`${feature} ${constraint}`, Number(/\((\d+) of/.exec(observed)?.[1])];
        }),
      );
      expect([...counted.keys()].sort()).toEqual([...byRow.keys()].sort());
      for (const [key, count] of counted) {
        if (key.endsWith('range')) expect(count).toBeLessThanOrEqual(byRow.get(key)!);
        else expect(count).toBe(byRow.get(key));
      }
    }),
    { numRuns: 25 },
  );
});

const strictly = ({ name, type, presence, domain, range, nonNegative }: FeatureConstraints): FeatureConstraints => ({
  name,
  ...(type && { type: { ...type, allowedShare: 0 } }),
  ...(presence && { presence: { ...presence, atLeast: 1 } }),
  ...(domain && { domain: { ...domain, allowedUnseenShare: 0 } }),
  ...(range && { range: { ...range, allowedShare: 0 } }),
  ...(nonNegative && { nonNegative }),
});
