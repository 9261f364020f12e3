import { duration, fields, localTime, metrics, state, table } from '../../cli/format';
import { fakeIo } from './fake-io';

describe('times', () => {
  test('are local and name their offset', () => {
    const text = localTime('2026-03-01T12:05:09Z');
    expect(text).toMatch(/^2026-0[23]-\d\d \d\d:\d\d:09 [+-]\d\d:\d\d$/);
    expect(Date.parse(text.replace(' ', 'T').replace(' ', ''))).toBe(Date.parse('2026-03-01T12:05:09Z'));
  });

  test('that are absent or odd are shown as they are', () => {
    expect(localTime(undefined)).toBe('-');
    expect(localTime('soon')).toBe('soon');
  });

  test.each([
    [4.25, '4.3 s'],
    [75, '75 s'],
    [200, '3 min 20 s'],
    [119.6, '2 min 0 s'],
    [7199, '2 h 0 min'],
    [7500, '2 h 5 min'],
  ])('that last %d seconds take %s', (seconds, text) => {
    expect(duration(new Date(0).toISOString(), new Date(seconds * 1000).toISOString())).toBe(text);
  });
});

test('a table of metrics stays short', () => {
  expect(metrics({ rmse: 64.23456, mae: 41, mse: 4125.123, r2: 0.9 })).toBe('rmse 64.235, mae 41, mse 4125.1, 1 more');
  expect(metrics({})).toBe('-');
});

test('columns line up, and nothing trails', () => {
  expect(table(fakeIo().io, ['a', 'b'], [['long one', 'x'], ['s', 'y']])).toBe('a         b\nlong one  x\ns         y\n');
  expect(fields(fakeIo().io, { one: '1', longer: '2', absent: undefined })).toBe('one     1\nlonger  2\n');
});

test('colours appear only where a person looks', () => {
  expect(state(fakeIo().io, 'FAILED')).toBe('FAILED');
  expect(state(fakeIo({ colours: true }).io, 'FAILED')).toContain('\u001b[31m');
});
