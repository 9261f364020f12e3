import { readConstraints } from '../../../../lambda/monitoring/constraints/file';
import {
  ConstraintsSchema,
  fromModelMonitor,
  fromStatistics,
  fromViolations,
  type ModelMonitorStatistics,
  readDocument,
  StatisticsSchema,
  toModelMonitor,
  toStatistics,
  toViolations,
  ViolationsSchema,
} from '../../../../lambda/monitoring/constraints/model-monitor';
import { suggestConstraints } from '../../../../lambda/monitoring/constraints/suggest';
import type { ConstraintFile } from '../../../../lambda/monitoring/constraints/types';
import { profiled, random, suggested } from './world';

/** As the documentation lays it out, with the settings of a newly made baseline. */
const CONSTRAINTS = {
  version: 0,
  features: [
    { name: 'Churn', inferred_type: 'Integral', completeness: 1, num_constraints: { is_non_negative: true } },
    { name: 'Day Mins', inferred_type: 'Fractional', completeness: 0.995, num_constraints: { is_non_negative: false } },
    {
      ...{ name: 'State', inferred_type: 'String', completeness: 1 },
      string_constraints: { domains: ['NY', 'CA', 'OH'] },
      monitoringConfigOverrides: { domain_content_threshold: 0.9 },
    },
    { name: 'Blob', inferred_type: 'Unknown', completeness: 1 },
  ],
  monitoring_config: {
    ...{ evaluate_constraints: 'Enabled', emit_metrics: 'Enabled', datatype_check_threshold: 0.95, domain_content_threshold: 1 },
    distribution_constraints: { perform_comparison: 'Enabled', comparison_threshold: 0.1, comparison_method: 'Robust' },
  },
};

describe('constraints.json', () => {
  const { document: file, lost } = fromModelMonitor(readDocument(ConstraintsSchema, CONSTRAINTS, 'c.json'), 'Churn');

  test('becomes a constraint file; a threshold is the share that has to match', () => {
    expect(readConstraints(file, 'x')).toEqual(file);
    expect(file.features).toEqual([
      {
        ...{ name: 'Churn', type: { is: 'integral', allowedShare: 0.05, severity: 'error' } },
        ...{ presence: { atLeast: 1, severity: 'error' }, nonNegative: { severity: 'warning' } },
      },
      {
        ...{ name: 'Day Mins', type: { is: 'fractional', allowedShare: 0.05, severity: 'error' } },
        presence: { atLeast: 0.995, severity: 'warning' },
      },
      {
        ...{ name: 'State', type: { is: 'string', allowedShare: 0.05, severity: 'error' }, presence: { atLeast: 1, severity: 'error' } },
        domain: { values: ['NY', 'CA', 'OH'], allowedUnseenShare: 0.1, severity: 'warning' },
      },
      { name: 'Blob', presence: { atLeast: 1, severity: 'error' } },
    ]);
    expect(file.columns).toEqual({ names: ['Churn', 'Day Mins', 'State', 'Blob'], severity: 'error' });
  });

  test('and what has no counterpart is listed, also in the file', () => {
    expect(lost).toEqual([
      'monitoring_config.distribution_constraints: drift is judged against blocks of the baseline, not by a fixed threshold',
      'features.Blob.inferred_type: Unknown, so no type is checked',
    ]);
    expect(file.notes).toHaveLength(2);
  });

  test('comes back as it was, but for what was lost', () => {
    const back = toModelMonitor(file);
    expect(readDocument(ConstraintsSchema, back.document, 'x')).toEqual(back.document);
    expect(back.document.features).toMatchObject([
      { name: 'Churn', inferred_type: 'Integral', completeness: 1, num_constraints: { is_non_negative: true } },
      { name: 'Day Mins', inferred_type: 'Fractional', completeness: 0.995 },
      {
        string_constraints: { domains: ['NY', 'CA', 'OH'] },
        monitoringConfigOverrides: { datatype_check_threshold: 0.95, domain_content_threshold: 0.9 },
      },
      { name: 'Blob', inferred_type: 'Unknown' },
    ]);
    expect(fromModelMonitor(back.document, 'Churn').document.features).toEqual(file.features);
  });

  test('made from a richer file names what it cannot say', () => {
    const rich: ConstraintFile = {
      ...file,
      features: [
        { name: 'flag', type: { is: 'boolean', allowedShare: 0, severity: 'error' }, range: { from: 0, allowedShare: 0, severity: 'warning' } },
        { name: 'id', unique: { atLeast: 1, severity: 'warning' } },
      ],
      consistency: [{ left: 'a', relation: '<=', right: 'b', allowedShare: 0, severity: 'error' }],
      rowCount: { atLeast: 1, severity: 'error' },
    };
    expect(toModelMonitor(rich).lost).toEqual([
      ...['rowCount', 'consistency: a <= b', 'features.flag.range', 'features.flag.type: boolean is written as String', 'features.id.unique'],
      'severities',
    ]);
  });

  test('that is none is refused with the place', () => {
    const broken = { ...CONSTRAINTS, features: [{ name: 'x', inferred_type: 'Numeric' }] };
    expect(() => readDocument(ConstraintsSchema, broken, 'c.json')).toThrow(/^c\.json is no file of Model Monitor: features\.0\.inferred_type: /);
  });
});

const STATISTICS: ModelMonitorStatistics = {
  version: 0,
  dataset: { item_count: 2333 },
  features: [
    {
      name: 'Account Length',
      inferred_type: 'Integral',
      numerical_statistics: {
        common: { num_present: 2333, num_missing: 0 },
        ...{ mean: 101.27, sum: 236280, std_dev: 39.55, min: 1, max: 243 },
        distribution: {
          kll: {
            buckets: [27, 137, 372, 640, 590, 384, 140, 36, 5, 2].map((count, index) => ({
              lower_bound: 1 + 24.2 * index,
              upper_bound: 1 + 24.2 * (index + 1),
              count,
            })),
            sketch: { parameters: { c: 0.64, k: 2048 }, data: [[1, 243, 90], Array.from({ length: 1165 }, (_, index) => 1 + (index * 241) / 1164)] },
          },
        },
      },
    },
    {
      name: 'State',
      inferred_type: 'String',
      string_statistics: {
        common: { num_present: 2300, num_missing: 33 },
        distinct_count: 3,
        distribution: { categorical: { buckets: [{ value: 'NY', count: 1000 }, { value: 'CA', count: 900 }, { value: 'OH', count: 400 }] } },
      },
    },
    { name: 'Blob', inferred_type: 'Unknown' },
  ],
};

describe('statistics.json', () => {
  test('gives counters that constraints are suggested from', () => {
    const { rows, features, lost } = fromStatistics(readDocument(StatisticsSchema, STATISTICS, 's.json'));
    expect(lost).toEqual(['Blob: neither a distribution of numbers nor one of names']);
    expect(features[0].counts.counts.reduce((sum, count) => sum + count, 0)).toBe(2333);
    expect(features[0].counts).toMatchObject({ rows: 2333, minimum: 1, maximum: 243, negative: 0, fractional: 0 });
    const file = suggestConstraints({ model: 'Churn', rows, columns: features.map(({ name }) => name), features });
    expect(file.features).toMatchObject([
      { name: 'Account Length', type: { is: 'integral' }, range: { to: expect.any(Number) }, nonNegative: {} },
      { name: 'State', type: { is: 'string' }, presence: { severity: 'warning' }, domain: { values: ['CA', 'NY', 'OH'] } },
    ]);
    expect(file.features[0].range!.to).toBeGreaterThan(243);
  });

  test('without a sketch the buckets tell', () => {
    const [length] = STATISTICS.features;
    const { buckets } = length.numerical_statistics!.distribution!.kll!;
    const numerical_statistics = { ...length.numerical_statistics!, distribution: { kll: { buckets } } };
    const [feature] = fromStatistics({ ...STATISTICS, features: [{ ...length, numerical_statistics }] }).features;
    expect(feature.counts.counts.reduce((sum, count) => sum + count, 0)).toBe(2333);
    expect(feature.shape).toMatchObject({ kind: 'numeric', mean: 101.27 });
  });

  test('is written from counters: exact sums and counts, a distribution of as many values as there are, and read again', () => {
    const next = random(7);
    const rows = Array.from({ length: 5000 }, (_, index) => [index % 50 === 0 ? null : next() * 100 - 20, index % 7, ['a', 'b', null][index % 3]]);
    const { features } = profiled(['x', 'day', 'kind'], rows);
    const document = toStatistics(features, rows.length);
    expect(readDocument(StatisticsSchema, document, 'x')).toEqual(document);
    const [x, day, kind] = document.features;
    const values = rows.map(([value]) => value as number | null).filter((value) => value !== null);
    const numbers = x.numerical_statistics!;
    expect(x.inferred_type).toBe('Fractional');
    expect(numbers.common).toEqual({ num_present: 4900, num_missing: 100 });
    expect(numbers.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 4900, 2);
    expect([numbers.min, numbers.max]).toEqual([Math.min(...values), Math.max(...values)]);
    expect(numbers.std_dev).toBeCloseTo(100 / Math.sqrt(12), 0);
    const { buckets, sketch } = numbers.distribution!.kll!;
    expect(buckets).toHaveLength(10);
    expect(buckets.reduce((sum, { count }) => sum + count, 0)).toBe(4900);
    expect(sketch!.data.reduce((sum, level, index) => sum + level.length * 2 ** index, 0)).toBe(4900);
    buckets.forEach(({ lower_bound, upper_bound, count }) => {
      const exact = values.filter((value) => value >= lower_bound && value < upper_bound).length;
      expect(Math.abs(count - exact)).toBeLessThan(25);
    });
    expect(day).toMatchObject({ inferred_type: 'Integral', numerical_statistics: { min: 0, max: 6, mean: expect.closeTo(3, 1) } });
    expect(kind.string_statistics).toMatchObject({ distinct_count: 2, common: { num_missing: 1666 } });

    const again = fromStatistics(document);
    const before = suggested(['x', 'day', 'kind'], rows).features[0];
    const after = suggestConstraints({ model: 'm', rows: again.rows, columns: [], features: again.features }).features[0];
    expect(after.type?.is).toBe(before.type?.is);
    expect(after.presence).toEqual(before.presence);
    expect(after.range!.to! / before.range!.to!).toBeCloseTo(1, 1);
  });
});

test('constraint_violations.json holds what its check types can say; the rest is named', () => {
  const violation = (constraint: string, observed = 'x') => {
    return { feature: 'f', constraint, severity: 'error' as const, observed, allowed: 'y', description: `${constraint} of f` };
  };
  const all = [...['type', 'presence', 'domain', 'range', 'unique'].map((constraint) => violation(constraint)), violation('columns', 'absent')];
  const { document, lost } = toViolations([...all, violation('columns', 'present')], [{ name: 'g', reason: 'far away' }]);
  expect(readDocument(ViolationsSchema, document, 'x')).toEqual(document);
  expect(document.violations.map(({ constraint_check_type: type }) => type)).toEqual([
    ...['data_type_check', 'completeness_check', 'categorical_values_check', 'missing_column_check', 'extra_column_check', 'baseline_drift_check'],
  ]);
  expect(document.violations.at(-1)).toEqual({ feature_name: 'g', constraint_check_type: 'baseline_drift_check', description: 'far away' });
  expect(lost).toEqual(['range of f', 'unique of f']);

  const read = fromViolations(document);
  expect(read.slice(0, 2)).toMatchObject([
    { feature: 'f', constraint: 'type', severity: 'error', description: 'type of f' },
    { feature: 'f', constraint: 'presence' },
  ]);
  expect(read.at(-1)).toMatchObject({ feature: 'g', constraint: 'baseline_drift_check' });
  const again = toViolations(read, [{ name: 'g', reason: 'far away' }]);
  expect(again.document).toEqual(document);
});
