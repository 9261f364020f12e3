import type { MonitorResult } from '../../../../lib/monitoring/contract';
import { random } from '../../../fakes/random';
import { requestsOf, rows, type Sent, World } from './world';

jest.setTimeout(30_000);

const WHOLE = { windowStart: '2025-03-27T00:00:00Z', windowEnd: '2025-03-30T00:00:00Z' };
const SHARDS = { smallBytes: 0, shardBytes: 6_000, inlineShards: 40 };
const CLAIM = 'reports/monitoring/Rides/claim.json';

/** A sound day, then two that drifted. */
async function drifting(late: readonly Sent[] = []): Promise<World> {
  const world = new World();
  await world.promote(1, '2025-03-01T00:00:00Z');
  const requests = [...requestsOf(rows(3, '2025-03-27T00:00:00Z', 1)), ...requestsOf(rows(4, '2025-03-28T00:00:00Z', 2, { shift: 1.5 }))];
  world.record(requests.filter(({ id }) => !late.some((one) => one.id === id)));
  return world;
}

/** Every call of S3 takes some turns of the event loop, so that executions come between one another in another way for each seed. */
function interleave({ bucket }: World, seed: number): void {
  const next = random(seed);
  const send = bucket.send.bind(bucket);
  bucket.send = async (command) => {
    for (let turns = Math.floor(next() * 6); turns > 0; turns -= 1) await new Promise(setImmediate);
    return send(command);
  };
}

const resultsOf = ({ bucket }: World): string[] =>
  [...bucket.objects].filter(([key]) => key.endsWith('/result.json')).map(([key, text]) => `${key} ${text}`).sort();

describe('two executions of one monitor at the same time', () => {
  test.each([1, 2, 3])('leave what one alone would, and announce an episode once (order %i)', async (seed) => {
    const alone = await drifting();
    await alone.run(WHOLE);
    const world = await drifting();
    interleave(world, seed);
    await Promise.all([world.run(WHOLE), world.run({ ...WHOLE, force: true }, seed % 2 === 0 ? SHARDS : undefined)]);
    expect(resultsOf(world)).toEqual(resultsOf(alone));
    expect(world.events.filter(({ type }) => type === 'Data Drift Detected')).toHaveLength(1);
    expect(world.busy).toBeGreaterThan(0);
    expect((await world.run(WHOLE)).unchanged).toBe(3);
  });

  test.each([5, 6, 7])('forget no object that came when one of them had been planned (order %i)', async (seed) => {
    const late = requestsOf(rows(3, '2025-03-27T00:00:00Z', 1)).filter(({ id }) => id.includes('2025-03-27T1'));
    const whole = await drifting();
    await whole.run(WHOLE);
    const world = await drifting(late);
    interleave(world, seed);
    let runs = 0;
    world.planned = async () => {
      runs += 1;
      if (runs === 1) world.record(late);
    };
    await Promise.all([world.run(WHOLE, SHARDS), world.run({ ...WHOLE, force: true }, seed % 2 === 0 ? SHARDS : undefined)]);
    await world.run(WHOLE);
    expect(resultsOf(world).map(withoutDigest)).toEqual(resultsOf(whole).map(withoutDigest));
    expect((await world.run(WHOLE)).unchanged).toBe(3);
  });
});

/** The late requests lie in objects of their own hours in one world, and not in the other. */
const withoutDigest = (text: string): Partial<MonitorResult> => ({
  ...(JSON.parse(text.slice(text.indexOf('{'))) as MonitorResult),
  sources: '',
});

describe('the claim to judge', () => {
  test('is refused while another one holds, with the name of the error that is tried again', async () => {
    const world = await drifting();
    const client = world.client();
    const claim = await client.claim(world.now, world.now + 1000);
    expect(await client.claim(world.now + 999, Infinity)).toBeUndefined();
    await client.release(claim!);
    const next = await client.claim(world.now, world.now + 1000);
    expect(next).toBeDefined();
    // One that was cut off holds nobody up for good.
    expect(await client.claim(world.now + 1000, Infinity)).toBeDefined();
    // And does not take it from who has it now.
    await expect(client.release(next!)).rejects.toMatchObject({ name: 'PreconditionFailed' });
  });

  test('goes to one of many that ask at once', async () => {
    const world = await drifting();
    interleave(world, 9);
    const clients = Array.from({ length: 8 }, () => world.client());
    for (let round = 1; round <= 5; round += 1) {
      const claims = await Promise.all(clients.map((client) => client.claim(round, round + 1)));
      expect(claims.filter((claim) => claim !== undefined)).toHaveLength(1);
    }
  });

  test('is given back by a judge that fails', async () => {
    const world = await drifting();
    world.bucket.before = (command) => {
      if ('Body' in (command as { input: object }).input && JSON.stringify(command).includes('report.html')) throw new Error('no space');
    };
    await expect(world.run(WHOLE)).rejects.toThrow('no space');
    expect(JSON.parse(world.bucket.objects.get(CLAIM) ?? '{}')).toMatchObject({ until: 0 });
  });
});
