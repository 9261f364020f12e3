import { mergeRequestCounts, RequestProfiler } from '../../../../lambda/monitoring/profile';
import { hashString } from '../../../../lambda/monitoring/profile/hash';
import { HashSet, RecentIds } from '../../../../lambda/monitoring/profile/hash-set';
import { idHash } from '../../../../lambda/monitoring/profile/requests';
import type { ScoredRow } from '../../../../lambda/monitoring/quality/types';
import { Rejections } from '../../../../lambda/monitoring/rejections';
import { numeric, textRow } from './samples';

const START = Date.parse('2026-01-01T00:00:00Z');
const HOUR = 3_600_000;
const iso = (time: number): string => new Date(time).toISOString();

const setUp = (timeColumn?: string) => {
  const rejections = new Rejections();
  const scored: ScoredRow[] = [];
  const profiler = new RequestProfiler({
    features: [
      { name: 'x', role: 'feature', column: 1, shape: numeric([0]) },
      { name: 'prediction', role: 'prediction', shape: numeric([0]) },
    ],
    columns: ['at', 'x', 'who'],
    task: { kind: 'REGRESSION', target: 'y', ...(timeColumn && { timeColumn }) },
    window: { start: START, end: START + HOUR },
    promotions: [{ version: 3, at: START + 10 }, { version: 4, at: START + HOUR / 2 }],
    groupColumns: ['who', 'elsewhere'],
    rejections,
    onScored: ({ request, continues: _, ...row }) => scored.push({ inferenceId: request.inferenceId, ...row }),
  });
  const send = (id: string, time: number, rows: readonly (readonly string[])[], prediction: string | undefined = '1', inferenceId = id) => {
    const wanted = profiler.begin({ eventId: id, inferenceId, time }, `line ${id}`);
    rows.forEach((row, index) => wanted && (index % 2 === 0 ? profiler.text(textRow(row), prediction) : profiler.cells(row, prediction)));
    return wanted;
  };
  return { profiler, rejections, scored, send };
};

describe('requests of a window', () => {
  test('are those with a time in it; each row is scored with its version and groups', () => {
    const { profiler, scored, send } = setUp();
    send('a', START, [['', '1', 'ann'], ['', '2', '']], '0.5', 'caller-a');
    send('b', START + HOUR / 2, [['', 'x', 'bob']]);
    expect(send('c', START + HOUR, [['', '1', 'eve']])).toBe(false);
    expect(profiler.toCounts()).toEqual({
      requests: 2,
      rows: 3,
      servedBy: [{ version: 3, rows: 2 }, { version: 4, rows: 1 }],
      lateRows: 0,
      outsideRows: 0,
      newestRow: START + HOUR / 2,
    });
    expect(scored).toEqual([
      { inferenceId: 'caller-a', rowIndex: 0, time: START, version: 3, prediction: 0.5, groups: ['ann', undefined] },
      { inferenceId: 'caller-a', rowIndex: 1, time: START, version: 3, prediction: 0.5, groups: [undefined, undefined] },
      { inferenceId: 'b', rowIndex: 0, time: START + HOUR / 2, version: 4, prediction: 1, groups: ['bob', undefined] },
    ]);
    expect(profiler.toProfile().features.get('x')).toMatchObject({ rows: 3, invalid: 1 });
    expect(profiler.toProfile().features.get('prediction')).toMatchObject({ rows: 3 });
  });

  test('take the time of each row where the task has a column of it', () => {
    const { profiler, rejections, send } = setUp('at');
    const late = START + 3 * HOUR;
    send('a', late, [[iso(START), '1', ''], [iso(START + HOUR), '1', ''], ['noon', '1', ''], ['1', '2']]);
    expect(profiler.toCounts()).toMatchObject({ requests: 1, rows: 1, lateRows: 1, outsideRows: 1, newestRow: START });
    expect(rejections.counts()).toEqual({ 'row-time': 1, 'column-count': 1 });
  });

  test('that were delivered twice, or name an id again, are counted once and told by cause', () => {
    const { profiler, rejections, send } = setUp('at');
    const rows = [[iso(START), '1', ''], [iso(START), '2', '']];
    send('a', START, rows, '1', 'caller');
    send('a', START, rows, '1', 'caller');
    send('b', START, rows, '1', 'caller');
    // Rows outside belong to another window, and so does the duplicate.
    send('o', START, [[iso(START + HOUR), '1', '']]);
    send('o', START, [[iso(START + HOUR), '1', '']]);
    expect(profiler.toCounts()).toMatchObject({ requests: 1, rows: 2 });
    expect(rejections.counts()).toEqual({ 'duplicate-record': 1, 'duplicate-id': 1 });
    expect(rejections.samples()['duplicate-record']).toContain('line a');
  });

  test('without a prediction are profiled, not scored; answers that are no prediction are told', () => {
    const { profiler, rejections, scored, send } = setUp();
    send('a', START, [['', '1', '']], 'no number');
    profiler.begin({ eventId: 'b', inferenceId: 'b', time: START }, 'line b');
    profiler.text(textRow(['', '1', '']), undefined);
    expect(scored).toEqual([]);
    expect(profiler.toProfile().features.get('prediction')).toMatchObject({ rows: 1, invalid: 1 });
    expect(rejections.counts()).toEqual({ 'prediction-value': 1 });
  });

  test('of parts add up in any order', () => {
    const parts = [START, START + HOUR / 2, START + HOUR / 4].map((time, index) => {
      const { profiler, send } = setUp();
      send(`r${index}`, time, [['', '1', '']]);
      return profiler.toCounts();
    });
    const [a, b, c] = parts;
    const whole = mergeRequestCounts(mergeRequestCounts(a, b), c);
    expect(whole).toEqual(mergeRequestCounts(c, mergeRequestCounts(b, a)));
    expect(whole).toMatchObject({ requests: 3, rows: 3, servedBy: [{ version: 3, rows: 2 }, { version: 4, rows: 1 }], newestRow: START + HOUR / 2 });
  });
});

describe('ids', () => {
  test('are a set like any other', () => {
    const set = new HashSet(4);
    const model = new Set<string>();
    let state = 7;
    for (let step = 0; step < 2000; step += 1) {
      state = (Math.imul(state, 1103515245) + 12345) | 0;
      const [low, high] = [(state >>> 8) % 64, 1 + ((state >>> 16) % 20)];
      expect(set.has(low, high)).toBe(model.has(`${low} ${high}`));
      expect(set.add(low, high)).toBe(!model.has(`${low} ${high}`));
      model.add(`${low} ${high}`);
    }
    expect(set.size).toBe(model.size);
  });

  test('are remembered as far back as is said, and no farther', () => {
    const recent = new RecentIds(1000);
    for (let id = 0; id < 5000; id += 1) expect(recent.add(Math.imul(id, 2654435761), id)).toBe(true);
    for (let id = 4000; id < 5000; id += 1) expect(recent.add(Math.imul(id, 2654435761), id)).toBe(false);
    expect(recent.add(Math.imul(3999, 2654435761), 3999)).toBe(true);
  });

  test('are recognised whether they wait for their place or have it, while the tables grow', () => {
    const recent = new RecentIds(100_000);
    const hash = (id: number): [number, number] => [Math.imul(id, 2654435761), Math.imul(id + 1, 0x9e3779b1) >>> 3];
    let wrong = 0;
    for (let id = 0; id < 60_000; id += 1) {
      wrong += recent.add(...hash(id)) ? 0 : 1;
      wrong += id % 7 === 0 && (recent.add(...hash(id)) || recent.add(...hash(id >> 1))) ? 1 : 0;
    }
    expect(wrong).toBe(0);
  });

  test('are told apart and forgotten in order, however much their hashes have in common', () => {
    const recent = new RecentIds(300);
    const last: string[] = [];
    let state = 11;
    for (let step = 0; step < 5000; step += 1) {
      state = (Math.imul(state, 1103515245) + 12345) | 0;
      const [low, high] = [((state >>> 7) % 40) << 3, ((state >>> 16) % 20) << ((state >>> 28) % 2 === 0 ? 0 : 26)];
      const id = `${low} ${high}`;
      expect(recent.add(low, high)).toBe(!last.includes(id));
      if (!last.includes(id)) last.push(id);
      if (last.length > 300) last.shift();
    }
  });

  test('have the same hash in the text of a record as by themselves', () => {
    const hashes = new Int32Array(4);
    for (const id of ['0000-5eed', 'Grüße', '', 'x'.repeat(200)]) {
      const text = new TextEncoder().encode(`{"${id}"\n`);
      expect(hashString(text, 2, hashes, 2)).toBe(text.length - 2);
      expect([...hashes.subarray(2)]).toEqual(idHash(id));
    }
    expect(['a\\u0062"', 'a\n"', 'a'].map((text) => hashString(new TextEncoder().encode(text), 0, hashes, 0))).toEqual([-1, -1, -1]);
  });
});
