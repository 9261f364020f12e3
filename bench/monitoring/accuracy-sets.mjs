import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { FEATURES, LIVE_DAYS, REFERENCE_DAYS, ROWS_PER_DAY, rowsOfHistory } from './mixed-histories.mjs';

/** Windows of a simulated history, in days. */
const WINDOWS = { day: 1, week: 7 };

const BIKE = [
  { name: 'temp', kind: 'numeric' },
  { name: 'atemp', kind: 'numeric' },
  { name: 'hum', kind: 'numeric' },
  { name: 'windspeed', kind: 'numeric' },
  { name: 'hr', kind: 'numeric' },
  { name: 'weathersit', kind: 'categorical' },
  { name: 'weekday', kind: 'categorical' },
  { name: 'workingday', kind: 'categorical' },
  { name: 'holiday', kind: 'categorical' },
];

const DAY_MS = 86_400_000;

/** Rows of the bike data by day, in time order, as numbers in the order of BIKE. */
const bikeDays = (root) => {
  const [header, ...lines] = readFileSync(path.join(root, 'examples/bike-sharing/data/hour.csv'), 'utf8').trim().split(/\r?\n/);
  const columns = header.split(',');
  const positions = BIKE.map(({ name }) => columns.indexOf(name));
  const date = columns.indexOf('dteday');
  const days = new Map();
  for (const line of lines) {
    const cells = line.split(',');
    const rows = days.get(cells[date]) ?? [];
    rows.push(positions.map((position) => Number(cells[position])));
    days.set(cells[date], rows);
  }
  return [...days].map(([day, rows]) => ({ day, index: Math.round(Date.parse(`${day}T00:00:00Z`) / DAY_MS), rows }));
};

const groupsOf = (days, size) => Array.from({ length: Math.floor(days.length / size) }, (_, group) => days.slice(group * size, (group + 1) * size));

const rowsOf = (days) => days.flatMap(({ rows }) => rows);

const bikeSets = (root) => {
  const days = bikeDays(root);
  const between = (from, to) => days.filter(({ day }) => day >= from && day < to);
  const year = between('2011-01-03', '2012-01-02');
  const even = between('2011-01-01', '2013-01-01').filter(({ index }) => index % 2 === 0);
  const odd = between('2011-01-01', '2013-01-01').filter(({ index }) => index % 2 === 1);
  const make = (name, reference, live, days) => ({
    name,
    features: BIKE,
    referenceBlocks: groupsOf(reference, 7).map((group) => rowsOf(group).length),
    windowRows: groupsOf(live, 7).map((group) => rowsOf(group).length),
    daysPerWindow: days,
    rows: [...groupsOf(reference, 7), ...groupsOf(live, 7)].flatMap(rowsOf),
  });
  return [
    // Seven odd days span two weeks, and so does each block of the reference.
    make('bike, odd days of two years against even ones', even, odd, 14),
    make('bike, weeks of 2012 against 2011', year, between('2012-01-02', '2012-12-31'), 7),
  ];
};

const simulated = (kind, seed, window, shift) => {
  const days = WINDOWS[window];
  const rows = days * ROWS_PER_DAY;
  return {
    name: `${shift ? `shifted ${shift}` : 'no change'}, ${kind}, ${window}, ${seed}`,
    group: { kind, window, shift },
    features: FEATURES,
    referenceBlocks: new Array(REFERENCE_DAYS / days).fill(rows),
    windowRows: new Array(Math.floor(LIVE_DAYS / days)).fill(rows),
    daysPerWindow: days,
    seed,
  };
};

/** Writes the sets for programs in any language: `sets.json`, and rows of 32-bit floats one set a file. Answers the sets. */
export const writeSets = (root, directory, { histories, shift }) => {
  mkdirSync(directory, { recursive: true });
  const bike = bikeSets(root).map((set, index) => {
    const file = `bike-${index}.f32`;
    writeFileSync(path.join(directory, file), Float32Array.from(set.rows.flat()));
    return { ...set, rows: undefined, group: { bike: set.name }, file };
  });
  const made = [];
  for (const kind of ['independent', 'dependent']) {
    for (let seed = 1; seed <= histories; seed += 1) {
      for (const moved of [0, shift]) {
        const file = `${kind}-${seed}-${moved}.f32`;
        writeFileSync(path.join(directory, file), rowsOfHistory(kind, seed, moved));
        // Found or not found is asked of weeks; a shift seen by the day only doubles the work.
        for (const window of moved ? ['week'] : Object.keys(WINDOWS)) made.push({ ...simulated(kind, seed, window, moved), file });
      }
    }
  }
  const sets = [...bike, ...made].map((set) => ({ ...set, referenceRows: set.referenceBlocks.reduce((sum, rows) => sum + rows, 0) }));
  writeFileSync(path.join(directory, 'sets.json'), JSON.stringify(sets));
  return sets;
};
