import { MonitorSpec } from '../../lib/monitoring/contract';
import type { Baseline } from './baseline';
import { ALL_MONTHS } from './profile';
import { monthOf } from './values';

/** Which part of the baseline a window is compared with. */
export interface Reference {
  readonly sentence: string;
  readonly includes: (month: string) => boolean;
}

/** All training rows, or those of the window's calendar months in earlier years; where these are too few, all again, and the sentence says so. */
export function chooseReference(baseline: Baseline, spec: MonitorSpec, windowStart: number, windowEnd: number): Reference {
  const all: Reference = { sentence: `all ${baseline.trainRows} training rows`, includes: () => true };
  if (spec.reference === 'TRAINING') {
    return all;
  }
  const touched = monthsOf(windowStart, windowEnd);
  const calendar = new Set(touched.map((month) => month.slice(5)));
  const [first] = touched;
  const isSeason = (month: string): boolean => month !== ALL_MONTHS && month < first && calendar.has(month.slice(5)) && !touched.includes(month);
  const rowsByMonth = trainingRowsByMonth(baseline);
  const found = Object.keys(rowsByMonth).filter(isSeason).sort();
  const rows = found.reduce((sum, month) => sum + rowsByMonth[month], 0);
  if (rows < spec.minimumRows) {
    const why = found.length === 0 ? 'holds no earlier year of these calendar months' : `holds only ${rows} rows of ${found.join(', ')}`;
    return { ...all, sentence: `${all.sentence}, because the training data ${why} (season wanted, ${spec.minimumRows} rows needed)` };
  }
  const absent = [...calendar].filter((month) => !found.some((candidate) => candidate.endsWith(`-${month}`)));
  const gap = absent.length === 0 ? '' : `; the training data holds nothing of calendar month ${absent.join(', ')}`;
  return { sentence: `the same season of the training data: ${rows} rows of ${found.join(', ')}${gap}`, includes: isSeason };
}

function trainingRowsByMonth(baseline: Baseline): Record<string, number> {
  const target = baseline.features.find((feature) => feature.role !== 'prediction');
  return Object.fromEntries(Object.entries(target?.months ?? {}).map(([month, counts]) => [month, counts.rows]));
}

/** `YYYY-MM` of every calendar month that the window touches; its end is not part of it. */
function monthsOf(start: number, end: number): string[] {
  const months: string[] = [];
  const cursor = new Date(start);
  cursor.setUTCDate(1);
  cursor.setUTCHours(0, 0, 0, 0);
  for (; cursor.getTime() < end; cursor.setUTCMonth(cursor.getUTCMonth() + 1)) {
    months.push(monthOf(cursor.getTime()));
  }
  return months;
}
