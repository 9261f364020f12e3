import fc from 'fast-check';
import { decide } from '../../../lambda/pipeline/gate';
import type { PairedInterval } from '../../../lambda/pipeline/gate/paired-interval';
import type { GateEvidence, RuleName, RuleResult } from '../../../lambda/pipeline/gate/types';
import { HIGHER_IS_BETTER, TASK_METRICS } from '../../../lib/common/contract';
import type { GateSpec } from '../../../lib/pipeline/contract';
import { BINARY, CLASSES, CLEAN, EVIDENCE, GATE, holdoutOf, normals, REGRESSION, type Rows } from './gate-samples';

/** Days of ten rows; the errors of both models are the same on every row. */
const steady = (candidateError: number, championError?: number, days = 30): Rows => {
  const truth = Array.from({ length: days * 10 }, (_, row) => row);
  return {
    truth,
    candidate: truth.map((value, row) => value + candidateError * (row % 2 ? 1 : -1)),
    ...(championError !== undefined && { champion: truth.map((value, row) => value + championError * (row % 2 ? -1 : 1)) }),
    days: truth.map((row) => Math.floor(row / 10)),
  };
};

/** Errors of both models that differ from day to day, the candidate's on average `ratio` of the champion's. */
const noisy = (ratio: number, days: number, seed = 1): Rows => {
  const normal = normals(seed);
  const dayOf = Array.from({ length: days * 24 }, (_, row) => Math.floor(row / 24));
  const moods = Array.from({ length: days }, () => [Math.exp(0.3 * normal()), Math.exp(0.3 * normal())]);
  const truth = dayOf.map(() => 100 + 10 * normal());
  return {
    truth,
    candidate: truth.map((value, row) => value + ratio * moods[dayOf[row]][0] * normal()),
    champion: truth.map((value, row) => value + moods[dayOf[row]][1] * normal()),
    days: dayOf,
  };
};

const judge = (rows: Rows, spec: Partial<GateSpec> = {}, evidence: GateEvidence = EVIDENCE, task = REGRESSION) =>
  decide({ ...GATE, ...spec }, holdoutOf(task, rows), evidence, 1);
const ruleOf = (rules: readonly RuleResult[], name: RuleName): RuleResult => rules.find(({ rule }) => rule === name)!;

test.each([
  ['better', 1, 2, 0, true],
  ['equal, where equal is enough', 2, 2, 0, true],
  ['worse', 2.1, 2, 0, false],
  ['better, but by too little', 1.95, 2, 0.05, false],
  ['better by enough', 1.8, 2, 0.05, true],
  ['perfect against an imperfect champion', 0, 2, 0.5, true],
  ['as perfect as the champion', 0, 0, 0, true],
  ['imperfect against a perfect champion', 0.1, 0, 0, false],
  ['worse by less than the margin', 2.05, 2, -0.05, true],
  ['worse by more than the margin', 2.2, 2, -0.05, false],
])('a candidate that is %s', (_, candidate, champion, minimumImprovement, passed) => {
  expect(judge(steady(candidate, champion), { minimumImprovement }).passed).toBe(passed);
});

describe('the comparison with the champion', () => {
  test('passes only where the lower end of the interval reaches what is asked for: better on average is not enough', () => {
    const better = judge(noisy(0.97, 30));
    const [rule] = better.rules;
    expect(rule.improvement).toBeGreaterThan(0);
    expect((rule.interval as PairedInterval).low).toBeLessThan(0);
    expect(better.passed).toBe(false);
    expect(judge(noisy(0.5, 30)).passed).toBe(true);
  });

  test('with a margin lets a candidate pass that is shown not to be much worse', () => {
    expect(judge(noisy(1, 60)).passed).toBe(false);
    const { passed, rules } = judge(noisy(1, 60), { minimumImprovement: -0.25 });
    expect([passed, rules[0].rule]).toEqual([true, 'not-worse-than-champion']);
    expect(judge(noisy(1.5, 60), { minimumImprovement: -0.25 }).passed).toBe(false);
  });

  test('says by how much, how certain, over how many days, and what was needed', () => {
    const { reason, rules } = judge(steady(1, 2), { minimumImprovement: 0.05 });
    expect(reason).toBe(
      "rmse 1 is 50.0 % better than the champion's 2; with 95 % confidence it is at least 50.0 % better (30 days), at least 5.0 % better is needed",
    );
    expect(rules[0]).toMatchObject({
      rule: 'beats-champion',
      improvement: 0.5,
      interval: { method: 'bootstrap', blocks: 30, resamples: expect.any(Number), confidence: 0.95 },
    });
  });

  test('of few days is wider, by Student’s t, and says so', () => {
    const few = judge(noisy(0.8, 14));
    const interval = few.rules[0].interval as PairedInterval;
    expect(interval).toMatchObject({ method: 'student', blocks: 14 });
    expect(few.reason).toContain("14 days, too few for a bootstrap: Student's t");
    // The same days by the bootstrap, were it allowed.
    const forced = judge(noisy(0.8, 14), { minimumBlocks: 2 }).rules[0].interval as PairedInterval;
    expect(forced.method).toBe('bootstrap');
    expect(Math.abs(interval.low - forced.low)).toBeLessThan(0.5 * (interval.high - interval.low));
  });

  test('of few days is refused where the gate says so, and of one day always', () => {
    const refused = judge(steady(1, 2, 14), { fewBlocks: 'refuse' });
    expect(refused).toMatchObject({ passed: false, rules: [{ verdict: 'not-computable' }, {}, {}, {}] });
    expect(refused.reason).toMatch(/the holdout has 14 days that say something about it, the gate needs 20/);
    expect(judge(steady(1, 2, 1))).toMatchObject({ passed: false, reason: expect.stringMatching(/1 days of the holdout tell nothing of others/) });
  });

  test('counts the days that say something about the metric: positives on three days make no thirty', () => {
    const days = Array.from({ length: 300 }, (_, row) => Math.floor(row / 10));
    const truth = days.map((day, row) => (day % 10 === 0 && row % 2 === 0 ? 1 : 0));
    const rows = { truth, candidate: truth.map((y) => (y ? 0.9 : 0.1)), champion: truth.map((y) => (y ? 0.8 : 0.6)), days };
    const { rules } = judge(rows, { metric: 'recall' }, EVIDENCE, { ...BINARY, timeColumn: 't' } as never);
    expect(rules[0].interval).toMatchObject({ method: 'student', blocks: 3 });
  });

  test('takes days as wholes: rows that move together widen the interval', () => {
    const truth = Array.from({ length: 24 * 24 }, () => 0);
    const normal = normals(5);
    const moods = Array.from({ length: 24 }, () => normal());
    // The candidate is better on some days and worse on others, the same on all rows of a day, wherever they stand.
    const dayOf = truth.map((_, row) => (row * 7) % 24);
    const candidate = dayOf.map((day) => 2.5 + 0.3 * moods[day]);
    const rows = { truth, candidate, champion: truth.map(() => 2.5) };
    const width = (scored: Rows): number => {
      const { low, high } = judge(scored).rules[0].interval!;
      return high - low;
    };
    expect(width({ ...rows, days: dayOf })).toBeGreaterThan(2 * width(rows));
  });

  test('is wider where neighbouring days are alike', () => {
    const normal = normals(3);
    const series = (alike: number): number[] => {
      let level = normal();
      return Array.from({ length: 60 }, () => (level = alike * level + Math.sqrt(1 - alike ** 2) * normal()));
    };
    const rowsOf = (moods: readonly number[]): Rows => {
      const days = Array.from({ length: 600 }, (_, row) => Math.floor(row / 10));
      return { truth: days.map(() => 0), candidate: days.map((day) => 2 + 0.3 * moods[day]), champion: days.map(() => 2), days };
    };
    const widened = (alike: number): number => (judge(rowsOf(series(alike))).rules[0].interval as PairedInterval).widened;
    expect(widened(0.8)).toBeGreaterThan(1.5);
    expect(widened(0)).toBeLessThan(1.4);
  });

  test.each([
    ['twenty', 20],
    ['fourteen (Student)', 14],
  ])('lets one of twenty equal candidates pass by chance, not more: %s days', (_, days) => {
    const trials = 100;
    let passed = 0;
    for (let trial = 0; trial < trials; trial += 1) passed += judge(noisy(1, days, 1000 + trial)).passed ? 1 : 0;
    // Three standard errors above 5 %.
    expect(passed / trials).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / trials));
  });
});

test('the first version has nobody to beat, but has to keep the bounds', () => {
  expect(judge(steady(5))).toMatchObject({ passed: true, reason: 'rmse 5, no champion to beat: the first version' });
  const bounded = judge(steady(5), { bounds: [{ metric: 'mae', worseThan: 4 }] });
  expect(bounded).toMatchObject({ passed: false, reason: 'mae 5 is worse than the bound 4' });
});

test('a bound on a score is one from below', () => {
  const good = { bounds: [{ metric: 'r2', worseThan: 0.9 }] };
  expect(judge(steady(1), good).passed).toBe(true);
  expect(judge(steady(100), good).passed).toBe(false);
});

test('a better candidate that breaks a bound is rejected, and the reason is the bound', () => {
  const { passed, reason } = judge(steady(1, 2), { bounds: [{ metric: 'rmse', worseThan: 0.5 }] });
  expect([passed, reason]).toEqual([false, 'rmse 1 is worse than the bound 0.5']);
});

describe('groups', () => {
  const rows = (bad: number): Rows => {
    const base = steady(1);
    const weather = base.truth.map((_, row) => (row < 200 ? 'dry' : row < 290 ? 'wet' : undefined));
    return { ...base, candidate: base.candidate.map((value, row) => (weather[row] === 'wet' ? Number(value) + bad : value)), groups: { weather } };
  };
  const groups = [{ column: 'weather', metric: 'mae', worseThan: 3, minimumRows: 50 }];

  test('none of them may be worse than the bound, however good the whole is', () => {
    expect(judge(rows(0), { groups })).toMatchObject({ passed: true, rules: [{}, { rule: 'group', verdict: 'passed' }, {}, {}] });
    const { passed, reason, rules } = judge(rows(10), { groups });
    expect(passed).toBe(false);
    expect(reason).toBe('mae of weather wet (10) is worse than the bound 3');
    expect(rules[1].groups).toEqual([
      expect.objectContaining({ group: 'dry', rows: 200, worse: false, value: 1 }),
      expect.objectContaining({ group: 'wet', rows: 90, worse: true }),
    ]);
  });

  test('with too few rows are not judged; where all are too small there is no pass', () => {
    expect(judge(rows(10), { groups: [{ ...groups[0], minimumRows: 100 }] }).passed).toBe(true);
    const none = judge(rows(0), { groups: [{ ...groups[0], minimumRows: 1000 }] });
    expect(none).toMatchObject({ passed: false, reason: 'no group of weather has 1,000 rows in the holdout' });
  });

  test('of a column that is not there, or whose metric is open in one of them, are no pass', () => {
    expect(judge(steady(1, 2), { groups })).toMatchObject({ passed: false, reason: 'the holdout has no column weather' });
    const constant = { ...rows(0), truth: rows(0).truth.map((value, row) => (row >= 200 && row < 290 ? 7 : value)) };
    const open = judge(constant, { groups: [{ ...groups[0], metric: 'r2', worseThan: -1e9 }] });
    expect(open).toMatchObject({ passed: false, reason: 'r2 of weather wet cannot be computed on this holdout' });
  });

  test('are all judged, also where there are more than a table shows', () => {
    const truth = Array.from({ length: 800 }, (_, row) => row);
    const street = truth.map((row) => `s${row % 200}`);
    const candidate = truth.map((row) => (street[row] === 's199' ? row + 50 : row + (row % 2)));
    const judged = judge({ truth, candidate, groups: { street } }, { groups: [{ column: 'street', metric: 'mae', worseThan: 10, minimumRows: 4 }] });
    expect(judged).toMatchObject({ passed: false, reason: expect.stringMatching(/mae of street s199 \(50\) is worse/) });
  });
});

describe('time and size', () => {
  const spec = { maximumMillisecondsPerRow: 5, maximumModelBytes: 2048 };
  const timed = (scoringMilliseconds?: number, modelBytes?: number): GateEvidence => ({ leakage: EVIDENCE.leakage, scoringMilliseconds, modelBytes });

  test('are held against their bounds', () => {
    expect(judge(steady(1, 2), spec, timed(1500, 2048)).passed).toBe(true);
    expect(judge(steady(1, 2), spec, timed(1501, 2048))).toMatchObject({ passed: false, reason: 'a row took 5.003 ms, more than the bound 5 ms' });
    expect(judge(steady(1, 2), spec, timed(1500, 2049)).reason).toBe('model.tar.gz has 2.001 KiB, more than the bound 2 KiB');
  });

  test('that nobody told are no pass', () => {
    expect(judge(steady(1, 2), spec, timed(undefined, 1))).toMatchObject({ passed: false, reason: 'the job that scored the holdout told no times' });
    expect(judge(steady(1, 2), spec, timed(-5, 1)).passed).toBe(false);
    expect(judge(steady(1, 2), spec, timed(1))).toMatchObject({ passed: false, reason: 'the size of model.tar.gz is not known' });
  });
});

describe('training rows in the holdout', () => {
  const leaking = (whose: 'candidate' | 'champion', share: number): GateEvidence => ({
    ...EVIDENCE,
    leakage: { ...EVIDENCE.leakage, [whose]: { ...CLEAN, sharedRows: Math.round(share * 300), share } },
  });

  test.each(['candidate', 'champion'] as const)('of the %s refuse it, a few honest duplicates aside', (whose) => {
    expect(judge(steady(1, 2), {}, leaking(whose, 0.01)).passed).toBe(true);
    const { passed, reason } = judge(steady(1, 2), {}, leaking(whose, 0.05));
    expect([passed, reason]).toEqual([
      false,
      `5.0 % of the holdout (15 rows) was in the training data of the ${whose} too, more than the allowed 1.0 %`,
    ]);
  });

  test('that cannot be looked for are no pass of the candidate, and a warning where only a champion from before is concerned', () => {
    const unknown = { status: 'not-checkable', reason: 'it is old' } as const;
    expect(judge(steady(1, 2), {}, { ...EVIDENCE, leakage: { candidate: unknown, champion: CLEAN } }).passed).toBe(false);
    const old = judge(steady(1, 2), {}, { ...EVIDENCE, leakage: { candidate: CLEAN, champion: unknown } });
    expect(old.passed).toBe(true);
    expect(ruleOf(old.rules, 'duplicates-champion')).toMatchObject({ verdict: 'warning', text: expect.stringContaining('harder for the candidate') });
    expect(old.reason).toContain('cannot be checked: it is old');
    const lost = { status: 'lost', reason: 'the keys are gone' } as const;
    expect(judge(steady(1, 2), {}, { ...EVIDENCE, leakage: { candidate: CLEAN, champion: lost } }).passed).toBe(false);
  });

  test('of the first version’s champion nobody asks', () => {
    const { rules } = judge(steady(1), {}, { ...EVIDENCE, leakage: { candidate: CLEAN, champion: { status: 'no-model' } } });
    expect(rules.map(({ rule }) => rule)).toEqual(['first-version', 'time-order', 'duplicates-candidate']);
  });

  test('a holdout that does not begin after the last training row is refused', () => {
    const at = (trainTo?: string): GateEvidence => ({ ...EVIDENCE, leakage: { ...EVIDENCE.leakage, candidate: { ...CLEAN, trainTo } } });
    const of = (trainTo?: string) => judge(steady(1, 2), {}, at(trainTo));
    expect(of('1970-01-01T00:00:00.000Z')).toMatchObject({ passed: false, reason: expect.stringContaining('not after the last training row') });
    expect(of()).toMatchObject({ passed: false, reason: expect.stringContaining('a time is missing') });
  });
});

test('classifications are judged too', () => {
  const days = Array.from({ length: 240 }, (_, row) => Math.floor(row / 8));
  const truth = days.map((_, row) => row % 2);
  const [good, bad] = [truth.map((y, row) => (y ? 0.6 : 0.3) + (row % 8) / 100), truth.map((y, row) => ((row + y) % 5) / 5)];
  const binary = { truth, candidate: good, champion: bad, days };
  for (const metric of TASK_METRICS.BINARY_CLASSIFICATION) {
    expect([metric, judge(binary, { metric }, EVIDENCE, BINARY as never).passed]).toEqual([metric, true]);
  }
  const names = ['a', 'b', 'c'];
  const named = days.map((_, row) => names[row % 3]);
  const classes = { truth: named, candidate: named, champion: days.map(() => 'a'), days };
  for (const metric of TASK_METRICS.MULTICLASS_CLASSIFICATION) {
    expect([metric, judge(classes, { metric }, EVIDENCE, CLASSES as never).passed]).toEqual([metric, true]);
    const swapped = { ...classes, candidate: classes.champion, champion: classes.candidate };
    expect(judge(swapped, { metric }, EVIDENCE, CLASSES as never).passed).toBe(false);
  }
});

describe('on any data', () => {
  const numbers = (length: number) => fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: length, maxLength: length });
  const scored = fc.integer({ min: 2, max: 60 }).chain((rows) =>
    fc.record({
      truth: numbers(rows),
      candidate: numbers(rows),
      champion: numbers(rows),
      days: fc.array(fc.integer({ min: 0, max: 40 }), { minLength: rows, maxLength: rows }),
    }),
  );

  test('the same holdout and seed give the same decision and report', () => {
    fc.assert(fc.property(scored, (rows) => expect(judge(rows)).toEqual(judge(rows))), { numRuns: 20 });
  });

  test('of two different models at most one beats the other by any margin', () => {
    fc.assert(
      fc.property(scored, (rows) => {
        const swapped = { ...rows, candidate: rows.champion, champion: rows.candidate };
        const spec = { minimumImprovement: 1e-9 };
        expect(judge(rows, spec).passed && judge(swapped, spec).passed).toBe(false);
      }),
      // Two models without a fault are equal, whatever share of nothing is asked for.
      { numRuns: 50, examples: [[{ truth: [0, 0], candidate: [0, 0], champion: [0, 0], days: [0, 1] }]] },
    );
  });

  test('a passed gate never has a broken bound or a candidate worse than the champion', () => {
    fc.assert(
      fc.property(scored, fc.double({ min: 0, max: 1e6, noNaN: true }), (rows, worseThan) => {
        const { passed, metrics, championMetrics } = judge(rows, { bounds: [{ metric: 'mae', worseThan }] });
        // Errors below 1e-154 have squares that no double holds.
        if (passed) expect(metrics.mae <= worseThan && metrics.rmse <= championMetrics!.rmse * (1 + 1e-9) + 1e-150).toBe(true);
      }),
      { numRuns: 50, examples: [[{ truth: [0, 0, 0], candidate: [-2.8e-162, 0, 0], champion: [0, 0, 0], days: [0, 0, 1] }, 1]] },
    );
  });

  /** A gate that names everything there is, on data that pass it. */
  const everything: Partial<GateSpec> = {
    bounds: [{ metric: 'mae', worseThan: 5 }],
    groups: [{ column: 'weather', metric: 'mae', worseThan: 5, minimumRows: 10 }],
    maximumMillisecondsPerRow: 100,
    maximumModelBytes: 1e9,
  };
  const whole: Rows = { ...steady(1, 2), groups: { weather: steady(1).truth.map((_, row) => (row % 2 ? 'dry' : 'wet')) } };
  const removals: Record<string, (state: { rows: Rows; evidence: GateEvidence; spec: Partial<GateSpec> }) => object> = {
    'the time of the job': ({ evidence }) => ({ evidence: { ...evidence, scoringMilliseconds: undefined } }),
    'the size of the model': ({ evidence }) => ({ evidence: { ...evidence, modelBytes: undefined } }),
    'the keys of the candidate': ({ evidence }) => ({
      evidence: { ...evidence, leakage: { ...evidence.leakage, candidate: { status: 'not-checkable', reason: 'none' } } },
    }),
    'the keys that the champion had': ({ evidence }) => ({
      evidence: { ...evidence, leakage: { ...evidence.leakage, champion: { status: 'lost', reason: 'none' } } },
    }),
    'the end of the training': ({ evidence }) => ({
      evidence: { ...evidence, leakage: { ...evidence.leakage, candidate: { ...CLEAN, trainTo: undefined } } },
    }),
    'the column of the groups': ({ rows }) => ({ rows: { ...rows, groups: {} } }),
    'every value of the groups': ({ rows }) => ({ rows: { ...rows, groups: { weather: rows.truth.map(() => undefined) } } }),
    'the metric that decides': ({ spec }) => ({ spec: { ...spec, metric: 'auc' } }),
    'the direction of the metric': ({ spec }) => ({ spec: { ...spec, metric: 'fairness' } }),
    'a bounded metric': ({ spec }) => ({ spec: { ...spec, bounds: [{ metric: 'fairness', worseThan: 1 }] } }),
    'the metric of the groups': ({ spec }) => ({ spec: { ...spec, groups: [{ ...everything.groups![0], metric: 'recall' }] } }),
    'a score of the candidate': ({ rows }) => ({ rows: { ...rows, candidate: rows.candidate.map((value, row) => (row === 7 ? NaN : value)) } }),
    'a score of the champion': ({ rows }) => ({ rows: { ...rows, champion: rows.champion!.map((value, row) => (row === 7 ? NaN : value)) } }),
    'the spread of the truth': ({ rows, spec }) => ({ rows: { ...rows, truth: rows.truth.map(() => 3) }, spec: { ...spec, metric: 'r2' } }),
    'all days but one': ({ rows }) => ({ rows: { ...rows, days: rows.days!.map(() => 3) } }),
  };

  test('that the gate passes with every figure there', () => {
    expect(judge(whole, everything).rules.filter(({ passed }) => !passed)).toEqual([]);
  });

  test('no gate passes where any figure that it names is absent', () => {
    fc.assert(
      fc.property(fc.subarray(Object.keys(removals), { minLength: 1 }), (names) => {
        let state = { rows: whole, evidence: EVIDENCE, spec: everything };
        for (const name of names) state = { ...state, ...removals[name](state) };
        const { passed, rules } = judge(state.rows, state.spec, state.evidence);
        expect([names, passed]).toEqual([names, false]);
        expect(rules.filter((rule) => !rule.passed).every(({ text }) => text.length > 10)).toBe(true);
      }),
      { numRuns: 150, examples: Object.keys(removals).map((name): [string[]] => [[name]]) },
    );
  });
});

test('every metric that a task computes has a direction', () => {
  for (const metric of Object.values(TASK_METRICS).flat()) expect(HIGHER_IS_BETTER).toHaveProperty(metric);
});
