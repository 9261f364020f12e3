import { judgeGroups, type GroupsSpec } from '../../../../lambda/monitoring/quality';
import type { RuntimeTask } from '../../../../lambda/monitoring/task-metrics';
import type { GroupRuleSpec, MonitorResult } from '../../../../lib/monitoring/contract';
import references from './references.json';
import { BINARY, gaussOf, randomOf, REGRESSION, type Row, SPEC, tableOf } from './samples';

const COLUMNS = ['sex'];

type Groups = MonitorResult['groups'];

function judge(task: RuntimeTask, rows: readonly Row[], groupRules: readonly GroupRuleSpec[], more: Partial<GroupsSpec> = {}): Groups {
  return judgeGroups({ spec: { ...SPEC, task, groupColumns: COLUMNS, groupRules, ...more }, table: tableOf(task, rows, COLUMNS) });
}

const rule = (metric: string, bound: number): GroupRuleSpec => ({ column: 'sex', metric, bound });

/** Rows of groups that are selected with these probabilities, days each off by `dayEffect`. */
function selected(random: () => number, rates: Readonly<Record<string, number>>, perDay: number, dayEffect = 0): Row[] {
  return Array.from({ length: 28 }, (_, day) => ({ day, off: dayEffect * gaussOf(random) })).flatMap(({ day, off }) =>
    Object.entries(rates).flatMap(([group, rate]) =>
      Array.from({ length: perDay }, (): Row => {
        const truth = random() < 0.4 ? 1 : 0;
        return { day, truth, prediction: random() < rate + off ? 0.9 : 0.1, groups: [group] };
      }),
    ),
  );
}

describe('groups', () => {
  const cases = references.cases.flatMap((one, index) => ('gaps' in one ? [{ index, one }] : []));

  test.each(cases)('of case $index have the rates and gaps of Fairlearn', ({ one }) => {
    const { days, truth, prediction, groups } = one;
    const rows = days.map((day, index): Row => ({ day, truth: truth[index], prediction: prediction[index], groups: [groups?.[index]] }));
    const { values, gaps } = judge(BINARY, rows, [], { groupMinimum: { rows: 0, perClass: 0 } });
    for (const [name, byGroup] of Object.entries(one.rates as Readonly<Record<string, Readonly<Record<string, number>>>>)) {
      for (const [group, rate] of Object.entries(byGroup)) {
        expect(values.find((value) => value.group === group)?.rates[name].value).toBeCloseTo(rate, 12);
      }
    }
    for (const [metric, value] of Object.entries(one.gaps as Readonly<Record<string, number>>)) {
      expect(gaps.find((gap) => gap.metric === metric)?.value).toBeCloseTo(value, 12);
    }
  });

  test('whose gap is surely beyond the bound are degraded', () => {
    const rows = selected(randomOf(1), { f: 0.3, m: 0.6 }, 20);
    const bad = judge(BINARY, rows, [rule('demographicParityDifference', 0.1)]);
    expect(bad.verdict).toBe('degraded');
    const gap = bad.gaps.find(({ breached }) => breached);
    expect(gap).toMatchObject({ column: 'sex', metric: 'demographicParityDifference', bound: 0.1, between: ['m', 'f'] });
    expect(gap?.low).toBeGreaterThan(0.1);
    expect(bad.reason).toMatch(/^demographicParityDifference by sex 0\.\d+ \(.* to .*\) between m and f is beyond 0\.1\.$/);
    expect(judge(BINARY, rows, [rule('demographicParityRatio', 0.8)])).toMatchObject({ verdict: 'degraded' });
    expect(judge(BINARY, rows, [rule('demographicParityDifference', 0.5)])).toMatchObject({ verdict: 'ok' });
    expect(judge(BINARY, rows, [rule('demographicParityRatio', 0.3)])).toMatchObject({ verdict: 'ok' });
  });

  test('that are small are shown and not judged', () => {
    const strangers: Row[] = [
      { day: 3, truth: 1, prediction: 0.1, groups: ['x'] },
      { day: 4, truth: 1, prediction: 0.1 },
    ];
    const rows = [...selected(randomOf(2), { f: 0.5, m: 0.5 }, 20), ...strangers];
    const { verdict, values, gaps, reason } = judge(BINARY, rows, [rule('demographicParityDifference', 0.2)]);
    expect(verdict).toBe('ok');
    expect(values.map(({ group, small }) => [group, small])).toEqual([
      ['f', false],
      ['m', false],
      ['x', true],
    ]);
    expect(gaps.every(({ between }) => !between.includes('x'))).toBe(true);
    expect(reason).toContain('1 row without sex left out');
  });

  test('that are all too small, or seen on too few days, give no verdict', () => {
    const rows = selected(randomOf(3), { f: 0.2, m: 0.9 }, 20);
    const rules = [rule('equalOpportunityDifference', 0.01)];
    const small = judge(BINARY, rows, rules, { groupMinimum: { rows: 30, perClass: 1000 } });
    expect(small.verdict).toBe('insufficient-labels');
    expect(small.gaps.find(({ bound }) => bound !== undefined)).toBeUndefined();
    expect(small.reason).toContain('needs two groups of at least 30 rows and 1000 positives, and 10 days of each');
    const short = judge(BINARY, rows.filter(({ day }) => day < 9), rules);
    expect(short.verdict).toBe('insufficient-labels');
    expect(short.gaps.find(({ bound }) => bound !== undefined)).not.toHaveProperty('low');
  });

  test('need rules to be judged, and traffic', () => {
    const rows = selected(randomOf(4), { f: 0.2, m: 0.9 }, 5);
    expect(judge(BINARY, rows, [])).toMatchObject({ verdict: 'no-rules', gaps: expect.arrayContaining([expect.anything()]) as unknown });
    expect(judge(BINARY, [], [rule('accuracy', 0.1)])).toMatchObject({ verdict: 'no-traffic' });
  });

  test('are selected whether a label has come or not', () => {
    const table = tableOf(BINARY, [], COLUMNS);
    selected(randomOf(5), { f: 0.2, m: 0.8 }, 10).forEach(({ day, prediction, groups }) => table.add(day, prediction, undefined, groups));
    const groupRules = [rule('demographicParityDifference', 0.1)];
    const { verdict } = judgeGroups({ spec: { ...SPEC, task: BINARY, groupColumns: COLUMNS, groupRules }, table });
    expect(verdict).toBe('degraded');
  });

  test('of a regression are compared by its metrics', () => {
    const random = randomOf(6);
    const rows = Array.from({ length: 2800 }, (_, index): Row => {
      const group = index % 2 === 0 ? 'f' : 'm';
      return { day: index % 28, truth: gaussOf(random) * (group === 'f' ? 2 : 1), prediction: 0, groups: [group] };
    });
    const { verdict, gaps } = judge(REGRESSION, rows, [rule('mae', 0.3)]);
    expect(verdict).toBe('degraded');
    expect(gaps.map(({ metric }) => metric)).toEqual(['mae', 'mse', 'r2', 'rmse']);
  });

  test('of a column with very many are the largest hundred and the rest together', () => {
    const rows = Array.from({ length: 3000 }, (_, index): Row => ({ day: index % 20, truth: 1, prediction: 1, groups: [`g${index % 150}`] }));
    const { values } = judge(REGRESSION, rows, []);
    expect(values).toHaveLength(101);
    expect(values.at(-1)).toMatchObject({ group: '(other)', rows: 1000, small: true });
  });
});

describe('the false-alarm budget of groups', () => {
  const spec = { falseAlarms: { episodes: 18, days: 90, shares: { drift: 0.5, quality: 0.25, groups: 0.25 } } };
  const alarms = (metric: string, bound: number, rates: Readonly<Record<string, number>>, dayEffect: number, histories: number): number => {
    const random = randomOf(21);
    return Array.from({ length: histories }, () => judge(BINARY, selected(random, rates, 8, dayEffect), [rule(metric, bound)], spec)).filter(
      ({ verdict }) => verdict === 'degraded',
    ).length;
  };

  // Of 120 verdicts with an error of 5 % more than 12 are wrong with a probability below 1 %.
  test.each([
    ['demographicParityDifference', 0, { a: 0.5, b: 0.5, c: 0.5 }, 0],
    ['demographicParityDifference', 0, { a: 0.5, b: 0.5, c: 0.5 }, 0.1],
    ['demographicParityDifference', 0.1, { a: 0.6, b: 0.5, c: 0.6 }, 0],
    ['demographicParityRatio', 0.8, { a: 0.6, b: 0.48, c: 0.6 }, 0],
    ['equalizedOddsDifference', 0, { a: 0.5, b: 0.5 }, 0.1],
  ])('is kept at the very bound: %s %d', (metric, bound, rates, dayEffect) => {
    expect(alarms(metric, bound, rates, dayEffect, 120)).toBeLessThanOrEqual(12);
  });

  test('leaves the power to see a gap of 0.3 beyond 0.1', () => {
    expect(alarms('demographicParityDifference', 0.1, { a: 0.6, b: 0.3 }, 0, 30)).toBeGreaterThanOrEqual(27);
  });
});
