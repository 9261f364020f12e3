import type { HyperParameterTuningJobConfig, ParameterRanges } from '@aws-sdk/client-sagemaker';
import fc from 'fast-check';
import { Space, checkStrategy, generator } from '../../../local/sagemaker/tuning-space';
import { type Trial, searchOf } from '../../../local/sagemaker/tuning-strategies';

const ranges: ParameterRanges = {
  IntegerParameterRanges: [{ Name: 'depth', MinValue: '2', MaxValue: '10' }],
  ContinuousParameterRanges: [
    { Name: 'eta', MinValue: '0.001', MaxValue: '1', ScalingType: 'Logarithmic' },
    { Name: 'keep', MinValue: '0.5', MaxValue: '0.999', ScalingType: 'ReverseLogarithmic' },
  ],
  CategoricalParameterRanges: [{ Name: 'kind', Values: ['a', 'b', 'c'] }],
};
const categories: ParameterRanges = {
  CategoricalParameterRanges: [
    { Name: 'kind', Values: ['a', 'b'] },
    { Name: 'size', Values: ['1', '2', '3'] },
  ],
};
const config = (Strategy: string, more: object = {}): HyperParameterTuningJobConfig =>
  ({ Strategy, ResourceLimits: { MaxParallelTrainingJobs: 1, MaxNumberOfTrainingJobs: 9 }, ...more }) as HyperParameterTuningJobConfig;
const trial = (scores: number[], completed = true): Trial => {
  const score = completed ? scores[scores.length - 1] : undefined;
  return { point: {}, scores, score, completed };
};
const line = new Space({ ContinuousParameterRanges: [{ Name: 'x', MinValue: '0', MaxValue: '1' }] });

describe('points of a tuning job', () => {
  test('lie in their ranges, whichever search draws them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0 }), fc.constantFrom('Random', 'Bayesian', 'Hyperband'), (RandomSeed, strategy) => {
        const search = searchOf(config(strategy, { RandomSeed }), new Space(ranges));
        const trials: Trial[] = [];
        for (let count = 0; count < 12; count++) {
          const point = search.next(trials)!;
          expect(Number.isInteger(Number(point.depth)) && Number(point.depth) >= 2 && Number(point.depth) <= 10).toBe(true);
          expect(Number(point.eta)).toBeGreaterThanOrEqual(0.001);
          expect(Number(point.eta)).toBeLessThanOrEqual(1);
          expect(Number(point.keep)).toBeGreaterThanOrEqual(0.5);
          expect(Number(point.keep)).toBeLessThanOrEqual(0.999);
          expect(['a', 'b', 'c']).toContain(point.kind);
          trials.push({ point, scores: [count], score: Number(point.eta), completed: true });
        }
      }),
      { numRuns: 30 },
    );
  });

  test('repeat with the same seed and differ with another', () => {
    const draw = (RandomSeed: number) => searchOf(config('Random', { RandomSeed }), new Space(ranges)).next([]);
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  test('integers are drawn evenly, both ends included', () => {
    const next = generator(1);
    const space = new Space({ IntegerParameterRanges: [{ Name: 'n', MinValue: '1', MaxValue: '3' }] });
    const counts = [0, 0, 0];
    for (let count = 0; count < 3000; count++) counts[Number(space.random(next).n) - 1] += 1;
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('a grid is every combination once', () => {
    const search = searchOf(config('Grid'), new Space(categories));
    const points = Array.from({ length: 7 }, () => search.next([]));
    expect(points[6]).toBeUndefined();
    expect(new Set(points.slice(0, 6).map((point) => JSON.stringify(point))).size).toBe(6);
  });

  test('the search that AWS calls Bayesian comes closer to the best than chance does', () => {
    const best = (strategy: string, seed: number): number => {
      const search = searchOf(config(strategy, { RandomSeed: seed }), line);
      const trials: Trial[] = [];
      for (let count = 0; count < 20; count++) {
        const point = search.next(trials)!;
        const score = -Math.abs(Number(point.x) - 0.37);
        trials.push({ point, scores: [score], score, completed: true });
      }
      return Math.max(...trials.map(({ score }) => score!));
    };
    const mean = (strategy: string) => Array.from({ length: 40 }, (_, seed) => best(strategy, seed)).reduce((sum, value) => sum + value, 0) / 40;
    expect(mean('Bayesian')).toBeGreaterThan(mean('Random'));
  });
});

describe('trials that are not worth going on with', () => {
  test('are those below the median of running averages at their step', () => {
    const search = searchOf(config('Random', { TrainingJobEarlyStoppingType: 'Auto' }), new Space(ranges));
    const others = [trial([1, 3]), trial([2, 4]), trial([3, 5])];
    // Averages after two steps: 2, 3 and 4.
    expect(search.hopeless(trial([9, 2.9], false), others)).toBe(true);
    expect(search.hopeless(trial([0, 3], false), others)).toBe(false);
    expect(search.hopeless(trial([0, 0, 0], false), others)).toBe(false);
    expect(searchOf(config('Random'), new Space(ranges)).hopeless(trial([-9, -9], false), others)).toBe(false);
  });

  test('are those behind the best third of a Hyperband rung', () => {
    const StrategyConfig = { HyperbandStrategyConfig: { MinResource: 1, MaxResource: 9 } };
    const search = searchOf(config('Hyperband', { StrategyConfig }), line);
    const others = [trial([1, 1, 8]), trial([2, 2, 9]), trial([3, 3, 7])];
    const late = trial([0], false);
    expect(search.hopeless(late, [...others, late])).toBe(true);
    // Two steps are no rung.
    const between = trial([0, 0], false);
    expect(search.hopeless(between, [...others, between])).toBe(false);
    const leading = trial([0, 0, 10], false);
    expect(search.hopeless(leading, [...others, leading])).toBe(false);
  });
});

describe('tuning jobs that are refused', () => {
  const space = (given: ParameterRanges) => () => new Space(given, { fixed: '1' });
  test.each([
    ['no range', {}, /At least one/],
    ['a name that is fixed too', { CategoricalParameterRanges: [{ Name: 'fixed', Values: ['1'] }] }, /more than once/],
    ['ends the wrong way round', { ContinuousParameterRanges: [{ Name: 'x', MinValue: '2', MaxValue: '1' }] }, /must not be greater/],
    ['a word for a number', { IntegerParameterRanges: [{ Name: 'x', MinValue: 'one', MaxValue: '2' }] }, /must be a number/],
    ['fractions of integers', { IntegerParameterRanges: [{ Name: 'x', MinValue: '0.5', MaxValue: '2' }] }, /must be integers/],
    ['a logarithm of 0', { ContinuousParameterRanges: [{ Name: 'x', MinValue: '0', MaxValue: '1', ScalingType: 'Logarithmic' }] }, /greater than 0/],
  ])('%s', (_, given, message) => expect(space(given as ParameterRanges)).toThrow(message));

  test('strategies keep their rules', () => {
    const whole = new Space(categories);
    const mixed = new Space(ranges);
    expect(() => checkStrategy(config('Grid'), mixed)).toThrow(/categorical hyperparameter ranges only/);
    expect(() => checkStrategy(config('Grid'), whole)).toThrow(/number of combinations of a grid search \(6\)/);
    expect(checkStrategy(config('Grid', { ResourceLimits: { MaxParallelTrainingJobs: 1 } }), whole)).toBe(6);
    expect(() => checkStrategy(config('Random', { ResourceLimits: { MaxParallelTrainingJobs: 1 } }), mixed)).toThrow(/MaxNumberOfTrainingJobs/);
    expect(() => checkStrategy(config('Hyperband', { TrainingJobEarlyStoppingType: 'Auto' }), mixed)).toThrow(/must be Off/);
    expect(() => checkStrategy(config('Random', { StrategyConfig: { HyperbandStrategyConfig: {} } }), mixed)).toThrow(/only be specified/);
  });
});
