import { alarmsOf } from '../../../../lambda/monitoring/workflow/alarms';
import type { MonitorResult, MonitorSpec } from '../../../../lib/monitoring/contract';
import { SPEC } from './world';

const spec: MonitorSpec = {
  ...SPEC,
  qualityRules: ['rmse', 'r2'].map((metric) => ({ metric, higherIsBetter: metric === 'r2', worseThan: 1 })),
  groupRules: ['rmse', 'mae'].map((metric) => ({ column: 'city', metric, bound: 1 })),
};

const END = '2025-03-30T00:00:00.000Z';

/** Of two rules each one is broken, the other has too few days for an interval. */
const result = (change: Partial<MonitorResult['quality']> = {}): MonitorResult =>
  ({
    windowEnd: END,
    drift: { verdict: 'insufficient-data' },
    quality: {
      to: END,
      verdict: 'degraded',
      exceeded: [{ metric: 'rmse' }],
      metrics: { rmse: { value: 9, low: 8, high: 10 }, r2: { value: 0.5 } },
      ...change,
    },
    groups: {
      verdict: 'degraded',
      gaps: [
        { column: 'city', metric: 'rmse', breached: true },
        { column: 'city', metric: 'mae', breached: false },
      ],
    },
    constraints: { verdict: 'ok' },
  }) as unknown as MonitorResult;

const judged = (of: MonitorResult): string[] => alarmsOf(spec, of).filter((alarm) => alarm.judged).map(({ rule, key }) => `${rule} ${key}`);

test('a rule without an interval is not judged, so that its open episode does not end beside a rule that is', () => {
  expect(judged(result())).toEqual(['quality rmse', 'groups city:rmse', 'constraints constraints']);
});

test('what was found in an earlier window is not counted again', () => {
  expect(judged(result({ to: '2025-03-29T00:00:00.000Z' }))).toEqual(['constraints constraints']);
});
