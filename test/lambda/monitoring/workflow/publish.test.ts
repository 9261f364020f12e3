import { publishMetrics } from '../../../../lambda/monitoring/workflow/publish';
import type { MonitorResult, ReferenceComparison } from '../../../../lib/monitoring/contract';
import { SPEC } from './world';

type Feature = Partial<ReferenceComparison['features'][number]>;

/** Metrics of drift that a window with this comparison has. */
function published(comparison: Omit<Partial<ReferenceComparison>, 'features'>, features: readonly Feature[] = []): Record<string, number> {
  const found: Record<string, number> = {};
  const result = {
    rows: 100,
    requests: 10,
    rejected: {},
    drift: { verdict: comparison.verdict, comparisons: [{ ...comparison, features }] },
    quality: { verdict: 'no-rules', rows: 0, metrics: {}, exceeded: [] },
    groups: { verdict: 'no-rules', gaps: [] },
    constraints: { verdict: 'no-constraints', violations: [] },
  } as unknown as MonitorResult;
  const publisher = {
    putEvent: async () => undefined,
    count: () => undefined,
    measure: (values: object) => void Object.assign(found, values),
    measureFeatures: (metric: string, values: object) =>
      Object.entries(values).forEach(([name, value]) => (found[`${metric} ${name}`] = value as number)),
    now: () => 0,
  };
  publishMetrics(publisher, SPEC, result, features.map(({ name = '' }) => name));
  return found;
}

const feature = (name: string, score: number, effect: number): Feature => ({ name, score, effect, minimumEffect: 0.1 });

describe('metrics of drift', () => {
  test('exceed 1 exactly where the score exceeds the threshold', () => {
    expect(published({ verdict: 'ok', judgedScore: 4, threshold: 4 }).DriftScore).toBe(1);
    expect(published({ verdict: 'drift', judgedScore: 6, threshold: 4 }).DriftScore).toBe(1.5);
  });

  test('where the reference shows no difference that counts, any that does exceeds: the alarm must see it', () => {
    expect(published({ verdict: 'drift', judgedScore: 3 }, [feature('temp', 3, 0.2), feature('city', 5, 0.05)])).toEqual({
      'DriftScore': 10,
      'FeatureDriftScore temp': 10,
      'FeatureDriftScore city': 0,
    });
    expect(published({ verdict: 'ok' }).DriftScore).toBe(0);
  });

  test('a feature whose distance is below the least that counts stays below 1', () => {
    expect(published({ verdict: 'ok', judgedScore: 1, threshold: 2 }, [feature('temp', 8, 0.05)])['FeatureDriftScore temp']).toBe(1);
  });

  test('what was not judged publishes no score', () => {
    expect(published({ verdict: 'advisory', score: 5 }, [feature('temp', 5, 0.5)])).toEqual({});
    expect(published({ verdict: 'insufficient-data', threshold: 4 })).toEqual({});
  });
});
