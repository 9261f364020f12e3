import path from 'node:path';
import { byDay, hoursOf, inferenceIdOf, readHours, REQUEST_COLUMNS, requestCsv, trainingCsv } from '../../../cli/demo/bike-data';

const hours = readHours(path.join(__dirname, '../../../examples/bike-sharing/data/hour.csv'));

describe('the bike-sharing data', () => {
  test('every record becomes an hour, in time order, with a number as truth', () => {
    expect(hours).toHaveLength(17_379);
    expect(hours[0].timestamp).toBe('2011-01-01T00:00:00Z');
    expect(hours.every((hour, index) => index === 0 || hours[index - 1].timestamp < hour.timestamp)).toBe(true);
    expect(hours.every((hour) => Number.isFinite(hour.count))).toBe(true);
  });

  test('parts of the target never reach a request', () => {
    for (const part of ['casual', 'registered', 'cnt']) expect(REQUEST_COLUMNS).not.toContain(part);
  });

  test('a request row is a training row without its last column', () => {
    const [first] = byDay(hoursOf(hours, '2012-03'));
    const [header, row] = trainingCsv(first.hours).split('\n');
    expect(header).toBe([...REQUEST_COLUMNS, 'cnt'].join(','));
    expect(row.startsWith(`${requestCsv(first.hours).split('\n')[0]},`)).toBe(true);
  });

  test('the days of a month hold all of its hours, and each request has an id of its own', () => {
    const days = byDay(hoursOf(hours, '2012-02'));
    expect(days).toHaveLength(29);
    expect(days.flatMap((day) => day.hours)).toEqual(hoursOf(hours, '2012-02'));
    expect(new Set(days.map((day) => inferenceIdOf(day.hours))).size).toBe(29);
    expect(inferenceIdOf(days[0].hours).length).toBeLessThanOrEqual(64);
    expect(inferenceIdOf(days[0].hours.slice(0, 1))).not.toBe(inferenceIdOf(days[0].hours));
  });
});
