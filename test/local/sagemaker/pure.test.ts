import fc from 'fast-check';
import { cellsOf, columnFilter } from '../../../local/sagemaker/csv-paths';
import { Records } from '../../../local/sagemaker/records';
import { locationOf, relativeName } from '../../../local/sagemaker/storage';

describe('columns of a transform', () => {
  const cell = fc.oneof(fc.stringMatching(/^[a-z0-9 .-]*$/), fc.stringMatching(/^[a-z,]*$/).map((text) => `"${text}"`));

  test('cells joined again are the line, whatever is quoted', () => {
    fc.assert(fc.property(fc.array(cell, { minLength: 1 }), (cells) => expect(cellsOf(cells.join(','))).toEqual(cells)));
  });

  test.each([
    ['$', 'a,b,c,d'],
    ['$[1:]', 'b,c,d'],
    ['$[:-1]', 'a,b,c'],
    ['$[-1]', 'd'],
    ['$[0,3]', 'a,d'],
    ['$[1:3]', 'b,c'],
  ])('%s of a,b,c,d is %s', (path, expected) => expect(columnFilter(path)('a,b,c,d')).toBe(expected));

  test.each(['$.a', "$['a']", '$[?(@.x)]', '$[]', '$[::2]'])('%s is refused as a limit of the engine', (path) => {
    expect(() => columnFilter(path)).toThrow(/local engine does not support/);
  });
});

describe('names below a prefix', () => {
  test.each([
    ['data/train/a.csv', 'data/train/', 'a.csv'],
    ['data/train/a.csv', 'data/train', 'a.csv'],
    ['data/train/a.csv', 'data/train/a.csv', 'a.csv'],
    ['data/train/a.csv', 'data/tr', 'train/a.csv'],
    ['data/train/deep/a.csv', 'data/train', 'deep/a.csv'],
    ['a.csv', '', 'a.csv'],
  ])('%s below %s is %s', (key, prefix, expected) => expect(relativeName(key, prefix)).toBe(expected));

  test.each(['s3://bucket/a/b', 'https://s3.us-east-1.amazonaws.com/bucket/a/b', 'https://bucket.s3.us-east-1.amazonaws.com/a/b'])('%s is read', (uri) => {
    expect(locationOf(uri)).toEqual({ bucket: 'bucket', key: 'a/b' });
  });
});

test('pages hold every record exactly once, also while records are added behind them', () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 40 });
  const order = fc.constantFrom('Name', 'CreationTime', 'Status');
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 7 }), order, fc.boolean(), (all, MaxResults, SortBy, late) => {
      const records = new Records({ kind: 'model', unknown: () => new Error() }, 'us-east-1', '000000000000');
      const add = (name: string, time: number) =>
        records.add({ name, arn: '', created: new Date(time), modified: new Date(time), status: time % 2 ? 'odd' : 'even' });
      all.forEach((name, index) => add(name, Math.floor(index / 3)));
      const seen: string[] = [];
      let NextToken: string | undefined;
      do {
        const page = records.page({ MaxResults, SortBy, NextToken });
        seen.push(...page.items.map(({ name }) => name));
        ({ NextToken } = page);
        if (late && SortBy === 'CreationTime') add('ZZ-late', 1e6);
      } while (NextToken);
      expect(seen.filter((name) => name !== 'ZZ-late').sort()).toEqual([...all].sort());
    }),
  );
});
