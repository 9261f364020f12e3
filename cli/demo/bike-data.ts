import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { parse } from 'csv-parse/sync';

/** Columns of a request row, in order; the training data has the target behind them. */
export const REQUEST_COLUMNS = ['timestamp', 'hr', 'weekday', 'workingday', 'holiday', 'weathersit', 'temp', 'atemp', 'hum', 'windspeed'] as const;
const TARGET = 'cnt';

/** One hour: what was known before (a request row) and the true count. */
export interface Hour {
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly features: readonly string[];
  readonly count: number;
}

/** Reads the hourly file of the bike-sharing data set; hours without record are simply absent. */
export const readHours = (file: string): Hour[] => {
  const rows = parse(fs.readFileSync(file), { columns: true }) as Record<string, string>[];
  return rows.map((row) => {
    const timestamp = `${row.dteday}T${row.hr.padStart(2, '0')}:00:00Z`;
    return {
      timestamp,
      features: REQUEST_COLUMNS.map((column) => (column === 'timestamp' ? timestamp : row[column])),
      count: Number(row.cnt),
    };
  });
};

/** Hours of a month (`2012-03`), a year (`2011`) or a day, by the start of their time stamp. */
export const hoursOf = (hours: readonly Hour[], period: string): Hour[] => hours.filter((hour) => hour.timestamp.startsWith(period));

/** The hours of each day, oldest day first. */
export const byDay = (hours: readonly Hour[]): { readonly day: string; readonly hours: Hour[] }[] => {
  const days = new Map<string, Hour[]>();
  for (const hour of hours) {
    const day = hour.timestamp.slice(0, 10);
    days.set(day, [...(days.get(day) ?? []), hour]);
  }
  return [...days].map(([day, list]) => ({ day, hours: list }));
};

export const requestCsv = (hours: readonly Hour[]): string => `${hours.map((hour) => hour.features.join(',')).join('\n')}\n`;

export const trainingCsv = (hours: readonly Hour[]): string =>
  `${[[...REQUEST_COLUMNS, TARGET].join(','), ...hours.map((hour) => `${hour.features.join(',')},${hour.count}`)].join('\n')}\n`;

/** The id under which a request's predictions and labels meet. */
export const inferenceIdOf = (hours: readonly Hour[]): string =>
  `bike-${hours[0].timestamp.slice(0, 13)}-${createHash('sha256').update(requestCsv(hours)).digest('hex').slice(0, 8)}`;
