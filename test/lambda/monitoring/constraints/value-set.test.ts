import fc from 'fast-check';
import { ValueSet } from '../../../../lambda/monitoring/constraints/value-set';

test('tells values that came before from new ones, as a set of them would', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ maxLength: 4 }), fc.integer({ min: 0, max: 50 }).map(String))), (values) => {
      const own = new ValueSet();
      const known = new Set<string>();
      for (const value of values) {
        expect(own.add(value)).toBe(!known.has(value));
        known.add(value);
      }
      expect(own.size).toBe(known.size);
    }),
  );
});

test('takes no two ids of two hundred thousand for one, whatever they look like', () => {
  const forms = [String, (id: number) => `user-${String(id).padStart(9, '0')}@example.org`, (id: number) => (id / 1000).toFixed(3)];
  for (const form of forms) {
    const own = new ValueSet();
    for (let id = 0; id < 200_000; id += 1) own.add(form(id));
    expect(own.size).toBe(200_000);
    expect(own.add(form(199_999))).toBe(false);
  }
});
