import { Rejections } from '../../../../lambda/monitoring/rejections';

const rejectionsOf = (...added: [string, string][]): Rejections => {
  const rejections = new Rejections();
  added.forEach(([cause, where]) => rejections.add(cause, where, 'why'));
  return rejections;
};

test('a cause has its count and the place of the first one', () => {
  const rejections = rejectionsOf(['a', 'x'], ['a', 'y'], ['b', 'z']);
  rejections.add('b', 'u', 'why', 5);
  expect(rejections.counts()).toEqual({ a: 2, b: 6 });
  expect(rejections.samples()).toEqual({ a: 'x: why', b: 'z: why' });
  expect(rejections.total).toBe(8);
});

test('those of parts add up in any order to the same', () => {
  const parts = [rejectionsOf(['a', 'x'], ['b', 'y']), rejectionsOf(['a', 'u']), rejectionsOf()];
  const merged = (order: number[]): unknown => {
    const all = new Rejections();
    order.forEach((part) => all.merge(parts[part].counts(), parts[part].samples()));
    return [Object.entries(all.counts()).sort(), Object.entries(all.samples()).sort()];
  };
  expect(merged([0, 1, 2])).toEqual([[['a', 2], ['b', 1]], [['a', 'u: why'], ['b', 'y: why']]]);
  expect(merged([2, 1, 0])).toEqual(merged([0, 1, 2]));
});

test('however many causes there are, the memory is bounded and the total is right', () => {
  const rejections = new Rejections();
  for (let cause = 0; cause < 1000; cause += 1) {
    rejections.add(`cause ${cause}`, 'x'.repeat(10_000), 'why');
  }
  const counts = rejections.counts();
  expect(Object.keys(counts).length).toBeLessThanOrEqual(101);
  expect(rejections.total).toBe(1000);
  expect(JSON.stringify(rejections.samples()).length).toBeLessThan(100_000);
});
