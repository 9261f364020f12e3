import fc from 'fast-check';
import {
  benjaminiHochberg,
  binaryClassification,
  chiSquareTwoSample,
  groupFairness,
  hellingerDistance,
  jensenShannonDistance,
  ksTwoSample,
  lInfinity,
  multiclassClassification,
  ndcgAttribution,
  populationStabilityIndex,
  regression,
  wassersteinDistance,
  wilsonInterval,
} from '../../../../lambda/monitoring/statistics';

const sample = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 60 });
const shares = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 100 })), { minLength: 2, maxLength: 12 })
  .filter((pairs) => pairs.some(([a]) => a > 0) && pairs.some(([, b]) => b > 0))
  .map((pairs) => [0, 1].map((side) => {
    const total = pairs.reduce((sum, pair) => sum + pair[side], 0);
    return pairs.map((pair) => pair[side] / total);
  }));

describe('what holds for any sample', () => {
  it('the distances are symmetric, bounded, and zero for equal distributions', () => {
    fc.assert(fc.property(shares, ([p, q]) => {
      for (const distance of [hellingerDistance, lInfinity, (a: number[], b: number[]) => jensenShannonDistance(a, b, 2)]) {
        expect(distance(p, q)).toBeCloseTo(distance(q, p), 12);
        expect(distance(p, q)).toBeGreaterThanOrEqual(0);
        expect(distance(p, q)).toBeLessThanOrEqual(1 + 1e-12);
        expect(distance(p, p)).toBeCloseTo(0, 7);
      }
      expect(populationStabilityIndex(p, q)).toBeGreaterThanOrEqual(0);
      expect(populationStabilityIndex(p, p)).toBe(0);
    }));
  });

  it('Wasserstein follows a shift, and a weight counts like a repetition', () => {
    fc.assert(fc.property(sample, fc.integer({ min: 0, max: 9 }), (values, shift) => {
      expect(wassersteinDistance(values, values.map((value) => value + shift))).toBeCloseTo(shift, 9);
      const repeated = values.flatMap((value, index) => Array.from({ length: 1 + (index % 3) }, () => value));
      const weights = values.map((_, index) => 1 + (index % 3));
      expect(wassersteinDistance(values, [0], weights)).toBeCloseTo(wassersteinDistance(repeated, [0]) ?? NaN, 9);
    }));
  });

  it('Kolmogorov–Smirnov does not depend on order or side and stays a probability', () => {
    fc.assert(fc.property(sample, sample, (x, y) => {
      const result = ksTwoSample(x, y);
      expect(result).toEqual(ksTwoSample([...y].reverse(), x));
      expect(result?.pValue).toBeGreaterThanOrEqual(0);
      expect(result?.pValue).toBeLessThanOrEqual(1);
    }));
  });

  it('adjusted p-values keep the order of the p-values and are never smaller', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 }), (pValues) => {
      const adjusted = benjaminiHochberg(pValues);
      pValues.forEach((p, index) => {
        expect(adjusted[index]).toBeGreaterThanOrEqual(p);
        expect(adjusted[index]).toBeLessThanOrEqual(1);
        pValues.forEach((other, position) => expect(p < other ? adjusted[index] <= adjusted[position] : true).toBe(true));
      });
    }));
  });

  it('the Wilson interval holds the observed share', () => {
    fc.assert(fc.property(fc.nat(500), fc.nat(500), (a, b) => {
      const { low, high } = wilsonInterval(a, a + b, 0.95);
      expect(low >= 0 && high <= 1 && low <= high).toBe(true);
      expect(a + b === 0 || (low <= a / (a + b) && high >= a / (a + b))).toBe(true);
    }));
  });

  it('no metric is ever NaN', () => {
    const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.constantFrom(0, 0.25, 0.5, 0.5, 1)), { maxLength: 12 });
    fc.assert(fc.property(pairs, (rows) => {
      const [labels, scores] = [rows.map(([label]) => label), rows.map(([, score]) => score)];
      const found = [
        ...Object.values(binaryClassification(labels, scores, 0.5)),
        ...Object.values(regression(labels, scores)),
        ...Object.values(multiclassClassification(labels.map(String), scores.map(String), ['0', '1', '7'])),
      ];
      expect(found.filter((value) => typeof value === 'number' && !Number.isFinite(value))).toEqual([]);
    }));
  });
});

describe('what is undefined is said to be undefined', () => {
  it('for empty samples and single classes', () => {
    expect(ksTwoSample([], [1])).toBeUndefined();
    expect(ksTwoSample([NaN], [1])).toBeUndefined();
    expect(chiSquareTwoSample([5, 0], [3, 0])).toBeUndefined();
    expect(chiSquareTwoSample([5, 1], [0, 0])).toBeUndefined();
    expect(wassersteinDistance([], [1])).toBeUndefined();
    expect(wassersteinDistance([1], [1], [0], [1])).toBeUndefined();
    expect(ndcgAttribution({}, { a: 1 })).toBeUndefined();
    expect(ndcgAttribution({ a: 0 }, { a: 1 })).toBeUndefined();
    expect(wassersteinDistance([1e308], [-1e308])).toBeUndefined();
    expect(wassersteinDistance([1, Infinity], [1])).toBeUndefined();
    expect(ndcgAttribution({ a: 1 }, { a: NaN })).toBeUndefined();
    expect(ndcgAttribution({ a: 1, b: -1 }, { a: 1 })).toBeUndefined();
    expect(regression([], [])).toEqual({ mae: undefined, mse: undefined, rmse: undefined, r2: undefined });
    expect(regression([3, 3], [3, 4]).r2).toBeUndefined();
    expect(binaryClassification([0, 0], [0.1, 0.2], 0.5)).toMatchObject({ precision: undefined, recall: undefined, f1: undefined, auc: undefined });
    expect(binaryClassification([1, 0], [3, -1], 0.5)).toMatchObject({ logLoss: undefined, brier: undefined, auc: 1 });
    expect(populationStabilityIndex([1, 0], [0.5, 0.5])).toBe(Infinity);
  });

  it('refuses sides of different length', () => {
    expect(() => populationStabilityIndex([1], [0.5, 0.5])).toThrow(RangeError);
    expect(() => regression([1], [1, 2])).toThrow('same length');
    expect(() => jensenShannonDistance([0, 0], [1, 0], 2)).toThrow('above zero');
  });
});

describe('group fairness', () => {
  const groups = ['a', 'a', 'a', 'a', 'b', 'b', 'b', 'b', 'b'];
  const labels = [1, 1, 0, 0, 1, 1, 1, 0, 0];
  const predictions = [1, 0, 1, 0, 1, 1, 1, 0, 0];

  it('gives rates per group and gaps as Fairlearn defines them', () => {
    expect(groupFairness(groups, labels, predictions)).toEqual({
      selectionRate: { a: 0.5, b: 0.6 },
      truePositiveRate: { a: 0.5, b: 1 },
      falsePositiveRate: { a: 0.5, b: 0 },
      demographicParityDifference: expect.closeTo(0.1, 12),
      demographicParityRatio: expect.closeTo(0.5 / 0.6, 12),
      equalOpportunityDifference: 0.5,
      equalizedOddsDifference: 0.5,
    });
  });

  it('names no gap where a group has no positive or nobody is selected', () => {
    expect(groupFairness(['a', 'b'], [1, 0], [1, 0])).toMatchObject({
      truePositiveRate: { a: 1, b: undefined }, equalOpportunityDifference: undefined, equalizedOddsDifference: undefined,
    });
    expect(groupFairness(['a', 'b'], [1, 1], [0, 0])).toMatchObject({ demographicParityDifference: 0, demographicParityRatio: undefined });
    expect(groupFairness([], [], []).demographicParityDifference).toBeUndefined();
  });
});

describe('Clarify\'s documented attribution example', () => {
  it('gives 0.69 for three features in reverse order', () => {
    expect(ndcgAttribution({ a: 0.7, b: 0.5, c: 0.05 }, { a: 0.1, b: 0.2, c: 0.3 })).toBeCloseTo(0.68764, 5);
  });
});
