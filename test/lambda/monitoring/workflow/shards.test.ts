import type { MonitorResult } from '../../../../lib/monitoring/contract';
import { random } from '../../../fakes/random';
import { captureLine, requestsOf, rows, SPEC, World } from './world';

jest.setTimeout(30_000);

const DAY_30 = { windowStart: '2025-03-30T00:00:00Z', windowEnd: '2025-03-31T00:00:00Z' };
const ways = (shardBytes: number) => ({ smallBytes: 0, shardBytes, inlineShards: 3 });

describe('a window that is judged by shards', () => {
  test('of replayed rows goes by the version that answered them, as when it is read in one go, also across promotions', async () => {
    const results: string[] = [];
    for (const limits of [undefined, ways(2_000), ways(7_000), ways(1_000_000)]) {
      const world = new World();
      for (const [version, at] of [[1, '2026-01-01'], [2, '2026-01-02'], [3, '2026-01-03']] as const) await world.promote(version, `${at}T00:00:00Z`);
      world.now = Date.parse('2026-01-04T00:00:00Z');
      const requests = requestsOf(rows(3, '2025-03-30T00:00:00Z', 1), 4);
      world.record(requests.slice(0, 20), { hour: '2026-01-01T05:00:00Z' });
      world.record(requests.slice(20), { hour: '2026-01-02T05:00:00Z' });
      const { windows } = await world.run(DAY_30, limits);
      expect(windows[0]).toMatchObject({ version: 2, rows: 96 });
      expect(world.result(windows[0]).servedBy).toEqual([{ version: 1, rows: 80 }, { version: 2, rows: 16 }]);
      expect((await world.run(DAY_30, limits)).unchanged).toBe(1);
      results.push(world.bucket.text(windows[0].resultUri));
    }
    expect(new Set(results).size).toBe(1);
  });

  test('counts ids once, whichever objects of other days, not yet read, hold them too', async () => {
    const found: Record<string, number> = {};
    for (const seed of [1, 2, 3, 4]) {
      const results: string[] = [];
      for (const limits of [undefined, ways(1_500), ways(9_000)]) {
        const world = new World();
        await world.promote(1, '2025-03-01T00:00:00Z');
        const next = random(seed);
        const pick = (count: number): number => Math.floor(next() * count);
        // Requests of three days share few ids, in objects whose keys have nothing to do with the days.
        for (let object = 0; object < 12; object += 1) {
          const day = 29 + pick(3);
          const data = rows(seed * 100 + object, `2025-03-${day}T00:00:00Z`, 1);
          const lines = Array.from({ length: 3 + pick(8) }, (_, line) =>
            captureLine(data.slice(line * 5, line * 5 + 1 + pick(5)), `id-${pick(40)}`, next() < 0.6 ? { eventId: `event-${pick(40)}` } : {}),
          );
          world.put(`2025/03/30/${String(object).padStart(2, '0')}/o.jsonl`, `${lines.join('\n')}\n`);
        }
        const { windows } = await world.run(DAY_30, limits);
        results.push(world.bucket.text(windows[0].resultUri));
      }
      expect(new Set(results).size).toBe(1);
      for (const [cause, count] of Object.entries((JSON.parse(results[0]) as MonitorResult).rejected)) found[cause] = (found[cause] ?? 0) + count;
    }
    expect(found['duplicate-record']).toBeGreaterThan(0);
    expect(found['duplicate-id']).toBeGreaterThan(0);
  });

  test('profiles what was planned under other data rules once more', async () => {
    const [edited, fresh] = await Promise.all([true, false].map(async (change) => {
      const world = new World();
      await world.promote(1, '2025-03-01T00:00:00Z');
      world.record(requestsOf(rows(3, '2025-03-30T00:00:00Z', 1), 4));
      if (change) await world.run(DAY_30, ways(3_000));
      const features = [{ name: 'temp', nonNegative: { severity: 'error' } }];
      const file = { schemaVersion: 1, model: 'Rides', origin: 'edited', features, consistency: [] };
      world.bucket.objects.set('data/constraints/Rides.json', JSON.stringify(file));
      return world.result((await world.run({ ...DAY_30, force: true }, ways(3_000))).windows[0]);
    }));
    expect(edited).toEqual(fresh);
    expect(edited.constraints.verdict).toBe('violated');
  });
});

test('work files of shards lie apart from what is kept', async () => {
  const world = new World(SPEC);
  await world.promote(1, '2025-03-01T00:00:00Z');
  world.record(requestsOf(rows(3, '2025-03-30T00:00:00Z', 1), 4));
  await world.run(DAY_30, ways(3_000));
  const written = world.bucket.written.filter((key) => !key.includes('baselines/'));
  expect(written.filter((key) => /shard\.bin|manifest\.json/.test(key)).every((key) => key.startsWith('reports/work/monitoring/Rides/'))).toBe(true);
  expect(written.some((key) => key.includes('monitoring/Rides/work/'))).toBe(false);
  expect(written.filter((key) => key.startsWith('reports/work/')).length).toBeGreaterThan(3);
});
