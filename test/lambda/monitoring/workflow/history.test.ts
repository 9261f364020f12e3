import type { MonitorResult, MonitorSpec, ReferenceSpec } from '../../../../lib/monitoring/contract';
import { requestsOf, rows, SPEC, World } from './world';

jest.setTimeout(30_000);

const HALF_DAYS: MonitorSpec = { ...SPEC, windowSeconds: 43_200 };

describe('a window that goes on with the quality of the window before', () => {
  const BOTH = { windowStart: '2025-03-29T12:00:00Z', windowEnd: '2025-03-30T12:00:00Z' };
  const NOON = { windowStart: '2025-03-30T00:00:00Z', windowEnd: '2025-03-30T12:00:00Z' };

  test('is judged anew when that one was, though its own requests and labels are the same', async () => {
    const world = new World(HALF_DAYS);
    await world.promote(1, '2025-03-01T00:00:00Z');
    const requests = requestsOf(rows(3, '2025-03-27T00:00:00Z', 4), 4);
    world.record(requests);
    world.label(requests, '2025-03-31T01:00:00Z');
    // Rows of days that were not judged yet are not among those that quality is judged on.
    const [midnight, noon] = (await world.run(BOTH)).windows.map((one) => world.result(one));
    expect(noon.quality).toEqual(midnight.quality);
    await world.run({ windowStart: '2025-03-27T00:00:00Z', windowEnd: '2025-03-29T12:00:00Z' });
    expect((await world.run(NOON)).unchanged).toBe(1);
    const [again] = (await world.run({ windowStart: '2025-03-29T12:00:00Z', windowEnd: '2025-03-30T00:00:00Z', force: true })).windows;
    expect(world.result(again).quality.rows).toBeGreaterThan(midnight.quality.rows);
    const { windows } = await world.run(NOON);
    expect(windows).toHaveLength(1);
    const after = world.result(windows[0]);
    expect(after.quality).toEqual(world.result(again).quality);
    expect(after.sources).not.toBe(noon.sources);
    expect((await world.run(NOON)).unchanged).toBe(1);
  });
});

describe('after a gap in the windows', () => {
  const judgedBy = async (references: readonly ReferenceSpec[], days: readonly string[]): Promise<MonitorResult['drift']> => {
    const world = new World({ ...SPEC, references });
    await world.promote(1, '2025-03-01T00:00:00Z');
    days.forEach((day, seed) => world.record(requestsOf(rows(seed + 10, `${day}T00:00:00Z`, 1, { shift: 0.2 * seed }))));
    const { windows } = await world.run({ windowStart: `${days[0]}T00:00:00Z`, windowEnd: '2025-03-27T00:00:00Z' });
    return world.result(windows.at(-1)!).drift;
  };
  const training: ReferenceSpec = { kind: 'TRAINING' };
  const day = (one: number): string => `2025-03-${one}`;
  const lastDays: ReferenceSpec = { kind: 'LAST_DAYS', days: 3 };
  const gap = [17, 18, 19, 20, 26].map(day);

  test('a window is judged together with the last ones that had traffic, whatever other references there are', async () => {
    const alone = (await judgedBy([training], gap)).comparisons[0];
    const beside = (await judgedBy([training, lastDays], gap)).comparisons[0];
    expect(alone.judgedScore).toBeDefined();
    expect(alone.judgedScore).not.toBe(alone.score);
    expect(beside.judgedScore).toBe(alone.judgedScore);
  });

  test('the last days end before the windows that are judged together', async () => {
    const { comparisons } = await judgedBy([training, lastDays], gap);
    expect(comparisons[1].sentence).toContain('2 blocks of 1 day (2025-03-16 to 2025-03-19)');
  });

  test('of more than a week and what persistence looks at, it is judged alone, which is one breach at most', async () => {
    const long = [14, 15, 16, 26].map(day);
    for (const references of [[training], [training, { kind: 'LAST_DAYS', days: 30 } as const]]) {
      const [comparison] = (await judgedBy(references, long)).comparisons;
      expect(comparison.score).toBeDefined();
      expect(comparison.judgedScore).toBeUndefined();
    }
  });
});

describe('metrics of a window', () => {
  const whenPublished = async (windowStart: string, windowEnd: string): Promise<unknown[]> => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, windowStart, 1)));
    await world.run({ windowStart, windowEnd });
    return [...new Set(world.times)];
  };

  test('that a scheduled run looks at are of now, since alarms look at the present', async () => {
    expect(await whenPublished('2025-03-30T00:00:00Z', '2025-03-31T00:00:00Z')).toEqual([undefined]);
    expect(await whenPublished('2025-03-28T00:00:00Z', '2025-03-29T00:00:00Z')).toEqual([undefined]);
  });

  test('that lies further back are of its end, so that they raise no alarm today', async () => {
    expect(await whenPublished('2025-03-27T00:00:00Z', '2025-03-28T00:00:00Z')).toEqual([Date.parse('2025-03-28T00:00:00Z')]);
    expect(await whenPublished('2025-03-18T00:00:00Z', '2025-03-19T00:00:00Z')).toEqual([Date.parse('2025-03-19T00:00:00Z')]);
  });

  test('of more than two weeks ago are not published, since CloudWatch takes none', async () => {
    expect(await whenPublished('2025-03-16T00:00:00Z', '2025-03-17T00:00:00Z')).toEqual([]);
  });
});
