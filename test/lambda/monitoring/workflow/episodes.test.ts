import { requestsOf, rows, World } from './world';

const WHOLE = { windowStart: '2025-03-22T00:00:00Z', windowEnd: '2025-03-31T00:00:00Z' };

/** Beginnings of drift, as windows have it and as they were announced. */
async function judged(world: World): Promise<{ since?: string; announced: number }> {
  const { windows } = await world.run({ ...WHOLE, force: true });
  const last = windows.at(-1);
  return {
    since: last && world.result(last).episodes[0]?.since.slice(0, 10),
    announced: world.events.filter(({ type }) => type === 'Data Drift Detected').length,
  };
}

describe('an episode whose windows are judged anew', () => {
  test('is no second one where late records let it begin earlier', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, '2025-03-22T00:00:00Z', 3)));
    world.record(requestsOf(rows(4, '2025-03-27T00:00:00Z', 4, { shift: 1.5 })));
    expect(await judged(world)).toEqual({ since: '2025-03-28', announced: 1 });
    world.record(requestsOf(rows(5, '2025-03-25T00:00:00Z', 2, { shift: 1.5 })));
    expect(await judged(world)).toEqual({ since: '2025-03-26', announced: 1 });
  });

  test('is no second one where records that were overwritten let it begin later', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, '2025-03-22T00:00:00Z', 4)));
    world.record(requestsOf(rows(4, '2025-03-26T00:00:00Z', 5, { shift: 1.5 })));
    expect(await judged(world)).toEqual({ since: '2025-03-27', announced: 1 });
    world.record(requestsOf(rows(5, '2025-03-26T00:00:00Z', 1)));
    expect(await judged(world)).toEqual({ since: '2025-03-28', announced: 1 });
  });
});
