import * as fc from 'fast-check';
import { decodeProfile, emptyProfile, encodeProfile, mergeProfiles, Profiler, UNLISTED_NAMES } from '../../../../lambda/monitoring/profile';
import type { Profile } from '../../../../lambda/monitoring/profile/types';
import type { SampleRow } from './samples';
import { categorical, FEATURES, numeric, rows, textRow } from './samples';

const profileOf = (sample: readonly SampleRow[]): Profile => {
  const profiler = new Profiler(FEATURES);
  for (const { cells, prediction } of sample) {
    profiler.cells(cells);
    profiler.prediction(prediction);
  }
  return profiler.toProfile();
};

describe('profiles', () => {
  test('are the same for any chunking of the rows and any order of merges', () => {
    fc.assert(
      fc.property(rows, fc.nat(), fc.nat(), (sample, a, b) => {
        const [first, second] = [a % (sample.length + 1), b % (sample.length + 1)].sort((x, y) => x - y);
        const parts = [sample.slice(0, first), sample.slice(first, second), sample.slice(second)].map(profileOf);
        const whole = profileOf(sample);
        expect(mergeProfiles(mergeProfiles(parts[0], parts[1]), parts[2])).toEqual(whole);
        expect(mergeProfiles(parts[2], mergeProfiles(parts[1], parts[0]))).toEqual(whole);
        expect(profileOf([...sample].reverse())).toEqual(whole);
      }),
    );
  });

  test('merged with an empty one stay as they are', () => {
    fc.assert(fc.property(rows, (sample) => expect(mergeProfiles(profileOf(sample), emptyProfile(FEATURES))).toEqual(profileOf(sample))));
  });

  test('come back from their bytes as they were', () => {
    fc.assert(fc.property(rows, (sample) => expect(decodeProfile(encodeProfile(profileOf(sample), FEATURES), FEATURES)).toEqual(profileOf(sample))));
  });

  test('of text and of cells are the same', () => {
    fc.assert(
      fc.property(rows, (sample) => {
        const text = new Profiler(FEATURES);
        const cells = new Profiler(FEATURES);
        for (const row of sample) {
          const fields = row.cells.map((cell) => (cell === null || cell === undefined ? '' : String(cell)));
          text.text(textRow(fields));
          cells.cells(fields);
        }
        expect(text.toProfile()).toEqual(cells.toProfile());
      }),
    );
  });

  test('keep the same unlisted names, with exact counts, however many there are and however they are merged', () => {
    const features = [{ name: 'c', role: 'feature' as const, column: 0, shape: categorical(['a']) }];
    const names = Array.from({ length: 3 * UNLISTED_NAMES }, (_, index) => `n${index % (2.5 * UNLISTED_NAMES)}`);
    const of = (part: readonly string[]): Profile => {
      const profiler = new Profiler(features);
      part.forEach((name) => profiler.text(textRow([name])));
      return profiler.toProfile();
    };
    const whole = of(names);
    const thirds = [0, 1, 2].map((third) => of(names.slice(third * UNLISTED_NAMES, (third + 1) * UNLISTED_NAMES)));
    expect(mergeProfiles(thirds[2], mergeProfiles(thirds[0], thirds[1]))).toEqual(whole);
    expect(of([...names].reverse())).toEqual(whole);
    const unlisted = whole.features.get('c')!.unlisted!;
    expect(Object.keys(unlisted)).toHaveLength(UNLISTED_NAMES);
    expect(unlisted).toEqual(Object.fromEntries(Object.keys(unlisted).map((name) => [name, Number(name.slice(1)) < 500 ? 2 : 1])));
  });

  test('name missing, invalid, negative and fractional values, and take 1e308 without an overflow', () => {
    const profiler = new Profiler([{ name: 'x', role: 'feature', column: 0, shape: numeric([0, 1]) }]);
    ['-1.5', '2', '', 'NA', 'text', 'Infinity', '1e308', '-1e308', '-0'].forEach((field) => profiler.text(textRow([field])));
    const counts = profiler.toProfile().features.get('x')!;
    expect(counts).toMatchObject({ rows: 9, missing: 2, invalid: 2, counts: [3, 0, 2], minimum: -1e308, maximum: 1e308, negative: 2, fractional: 1 });
    expect(counts.offsets!.every(Number.isSafeInteger)).toBe(true);
  });

  test('of other features are not mixed up: neither merged nor read from bytes', () => {
    const others = [FEATURES[0]];
    expect(() => mergeProfiles(profileOf([]), emptyProfile(others))).toThrow('different features');
    expect(() => decodeProfile(encodeProfile(profileOf([]), FEATURES), others)).toThrow('other features');
  });

  test('that were cut off or damaged are refused', () => {
    const bytes = encodeProfile(profileOf([{ cells: [1, 'a'], prediction: 0.5 }]), FEATURES);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => decodeProfile(bytes.subarray(0, length), FEATURES)).toThrow(/cut off/);
    }
    expect(() => decodeProfile(Uint8Array.of(...bytes, 0), FEATURES)).toThrow('too many');
    expect(() => decodeProfile(Uint8Array.of(1, 2, 3, 4), FEATURES)).toThrow('no stored profile');
  });

  test('stay within 16 KB for a numeric feature and 12 bytes a level for a categorical one', () => {
    const edges = Array.from({ length: 999 }, (_, index) => index / 1000);
    const levels = Array.from({ length: 200 }, (_, index) => `v${index}`);
    const features = [
      { name: 'x', role: 'feature' as const, column: 0, shape: numeric(edges, 0.5, 0.29) },
      { name: 'c', role: 'feature' as const, column: 1, shape: categorical(levels) },
    ];
    const profiler = new Profiler(features);
    for (let row = 0; row < 100_000; row += 1) {
      profiler.cells([(row * 0.618034) % 1, levels[row % 200]]);
    }
    const profile = profiler.toProfile();
    const sizeOf = (index: number): number => encodeProfile({ rows: profile.rows, features: profile.features }, [features[index]]).length;
    expect(sizeOf(0)).toBeLessThan(16 * 1024);
    expect(sizeOf(1)).toBeLessThan(12 * 200);
  });
});
