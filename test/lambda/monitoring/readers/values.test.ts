import { readCategory, readNumeric, readTime } from '../../../../lambda/monitoring/values';

const FIVE = Date.parse('2012-03-01T05:00:00Z');

test.each([['2012-03-01T05:00:00Z'], ['2012-03-01T05:00:00'], ['2012-03-01 05:00'], ['2012-03-01T06:00:00+01:00'], ['2012-03-01T00:00:00-0500']])(
  'the time %s is five in the morning, UTC',
  (text) => expect(readTime(text)).toBe(FIVE),
);

test('a day is its midnight, and no time is no time', () => {
  expect(readTime('2012-03-01')).toBe(Date.parse('2012-03-01T00:00:00Z'));
  ['', '2012', 'March 1', '2012-13-01', '2012-03-01T25:00', 7, null].forEach((text) => expect(readTime(text)).toBeUndefined());
});

test('numbers, gaps and slips are told apart', () => {
  expect(['1e3', ' 2 ', true, '', 'NaN', null, undefined, NaN, 'x', Infinity, '1e999'].map(readNumeric)).toEqual([
    ...[1000, 2, 1],
    ...['missing', 'missing', 'missing', 'missing', 'missing'],
    ...['invalid', 'invalid', 'invalid'],
  ]);
});

test('equal numbers are one category however they are written', () => {
  expect(['1', '1.0', 1, ' 1 ', '01'].map(readCategory)).toEqual(['1', '1', '1', '1', '1']);
  expect(['', null, NaN, 'a '].map(readCategory)).toEqual([undefined, undefined, undefined, 'a']);
});
