import { captureLine, DAY, predictionOf, requestsOf, rows, SPEC, World } from './world';

const SMALL_SHARDS = { smallBytes: 0, shardBytes: 4_000, inlineShards: 40 };
const MANY_SHARDS = { smallBytes: 0, shardBytes: 2_000, inlineShards: 3 };

/** A world that served for a month, with a day of requests that are awkward in every way. */
async function awkward(): Promise<World> {
  const world = new World({ ...SPEC, qualityRules: [{ metric: 'rmse', higherIsBetter: false, worseThan: 12 }] });
  await world.promote(1, '2025-03-01T00:00:00Z');
  const requests = requestsOf(rows(3, '2025-03-29T00:00:00Z', 3), 4);
  world.record(requests);
  world.label(requests, '2025-03-31T02:00:00Z');
  // Delivered twice, in another file; and another request with an id that was taken.
  world.record(requests.slice(30, 34), { name: 'b' });
  world.put('2025/03/30/23/taken.jsonl', `${captureLine(rows(9, '2025-03-30T23:00:00Z', 1).slice(0, 3), requests[40].id, { eventId: 'other' })}\n`);
  world.put('2025/03/30/04/poison.jsonl', 'not json\n{"captureData":{}}\n');
  world.put('2025/03/30/05/short.jsonl', `${captureLine([['2025-03-30T05:00:00Z', '1', 'rome', '']], 'short').replace(',rome', '')}\n`);
  world.put('2025/03/30/06/base64.jsonl', `${base64(captureLine(rows(8, '2025-03-30T06:00:00Z', 1).slice(0, 4), 'base64'))}\n`);
  // A release sent rows of the holdout once more, some of them of this very day.
  const proving = rows(9, '2025-03-30T07:00:00Z', 1).slice(0, 3);
  world.put('2025/03/30/07/smoke.jsonl', proving.map((row, index) => `${captureLine([row], `smoke-v1-${index + 1}`)}\n`).join(''));
  return world;
}

const base64 = (line: string): string => {
  const record = JSON.parse(line) as { captureData: { endpointInput: { data: string; encoding: string } } };
  const { endpointInput } = record.captureData;
  Object.assign(endpointInput, { encoding: 'BASE64', data: Buffer.from(endpointInput.data).toString('base64') });
  return JSON.stringify(record);
};

const DAY_30 = { windowStart: '2025-03-30T00:00:00Z', windowEnd: '2025-03-31T00:00:00Z' };

describe('a run of the monitor', () => {
  test('judges the last complete windows, then finds them unchanged', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, '2025-03-20T00:00:00Z', 12)));
    const { windows, unchanged } = await world.run();
    expect(windows.map(({ windowEnd, rows: count, driftVerdict }) => [windowEnd, count, driftVerdict])).toEqual([
      ['2025-03-29T00:00:00.000Z', 96, 'ok'],
      ['2025-03-30T00:00:00.000Z', 96, 'ok'],
      ['2025-03-31T00:00:00.000Z', 96, 'ok'],
    ]);
    expect(unchanged).toBe(0);
    expect(await world.run()).toEqual({ windows: [], unchanged: 3, modes: [] });
  });

  test('an object that comes late is merged in, and the windows after are judged anew', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    const requests = requestsOf(rows(3, '2025-03-28T00:00:00Z', 4));
    const late = requests.filter(({ id }) => id.includes('2025-03-29T0'));
    world.record(requests.filter((request) => !late.includes(request)));
    const first = await world.run();
    expect(first.windows.map(({ rows: count }) => count)).toEqual([96, 48, 96]);
    world.record(late, { name: 'late' });
    const second = await world.run();
    expect(second.unchanged).toBe(1);
    expect(second.windows.map(({ windowEnd, rows: count }) => [windowEnd, count])).toEqual([
      ['2025-03-30T00:00:00.000Z', 96],
      ['2025-03-31T00:00:00.000Z', 96],
    ]);
  });

  test('labels that come in judge the newest window anew, and no other', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    const requests = requestsOf(rows(3, '2025-03-28T00:00:00Z', 4));
    world.record(requests);
    await world.run();
    world.label(requests, '2025-04-01T00:00:00Z');
    const { windows, unchanged } = await world.run();
    expect([windows.length, unchanged]).toEqual([1, 2]);
    expect(world.result(windows[0]).quality).toMatchObject({ rows: 288, labelled: 288, coverage: 1 });
  });

  test('judges quality where a day ends; the other windows of the day go on with what was found, and count for no episode', async () => {
    const world = new World({ ...SPEC, windowSeconds: 43_200, qualityRules: [{ metric: 'rmse', higherIsBetter: false, worseThan: 12 }] });
    await world.promote(1, '2025-03-01T00:00:00Z');
    const requests = requestsOf(rows(3, '2025-03-10T00:00:00Z', 21), 4);
    world.record(requests);
    world.label(requests, '2025-03-31T01:00:00Z', { worse: 40 });
    const { windows } = await world.run({ windowStart: '2025-03-15T00:00:00Z', windowEnd: '2025-03-30T12:00:00Z' });
    const [midnight, noon] = windows.slice(-2).map((window) => world.result(window));
    expect(midnight.quality).toMatchObject({ verdict: 'degraded', to: '2025-03-30T00:00:00.000Z' });
    expect(noon.windowEnd).toBe('2025-03-30T12:00:00.000Z');
    expect(noon.quality).toEqual(midnight.quality);
    expect(noon.episodes).toEqual(midnight.episodes);
  });

  test('reads no object again that holds nothing of a window', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, '2025-03-24T00:00:00Z', 8)));
    await world.run();
    world.record(requestsOf(rows(4, '2025-04-01T00:00:00Z', 1)));
    world.now += DAY;
    const read: string[] = [];
    world.bucket.before = (command) => {
      const { Key = '', IfMatch } = (command as { input: { Key?: string; IfMatch?: string } }).input;
      if (IfMatch !== undefined) read.push(Key.slice(-16, -8));
    };
    const { windows, unchanged } = await world.run();
    expect([windows.map(({ windowEnd }) => windowEnd), unchanged]).toEqual([['2025-04-01T00:00:00.000Z'], 2]);
    expect(read.filter((hour) => hour < '03/31/00')).toEqual([]);
  });

  test('the same objects give the same result, byte for byte, judged in one piece, by shards and by many shards', async () => {
    const results: string[] = [];
    for (const limits of [undefined, SMALL_SHARDS, MANY_SHARDS]) {
      const world = await awkward();
      const { windows, modes } = await world.run(DAY_30, limits);
      expect(modes).toEqual([limits === undefined ? 'small' : limits === SMALL_SHARDS ? 'map' : 'distributed']);
      results.push(world.bucket.text(windows[0].resultUri));
    }
    expect(results[1]).toBe(results[0]);
    expect(results[2]).toBe(results[0]);
    const result = JSON.parse(results[0]) as ReturnType<World['result']>;
    expect(result).toMatchObject({ requests: 25, rows: 100, quality: { rows: 100, labelled: 96 } });
    expect(result.rejected).toMatchObject({ 'column-count': 1, 'duplicate-id': 1, 'duplicate-record': 4, 'record-malformed': 2 });
  });

  test('the same objects give the same result whether or not it is known already what they hold', async () => {
    const world = await awkward();
    const [first] = (await world.run(DAY_30)).windows;
    const text = world.bucket.text(first.resultUri);
    await world.run({ ...DAY_30, force: true });
    expect(world.bucket.text(first.resultUri)).toBe(text);
  });

  test('names the states of a window, with their counts', async () => {
    const world = await awkward();
    const { windows } = await world.run(DAY_30);
    expect(world.result(windows[0]).states.map(({ state, count }) => [state, count])).toEqual([
      ['unreadable-lines', 2],
      ['changed-schema', 1],
      ['mixed-encodings', 1],
      ['duplicate-records', 5],
      ['smoke-requests', 3],
    ]);
  });

  test('no traffic and no labels are states, not verdicts', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, '2025-03-29T00:00:00Z', 1)));
    const { windows } = await world.run();
    const states = windows.map((each) => world.result(each).states.map(({ state }) => state));
    expect(states).toEqual([['no-traffic'], ['no-labels'], ['no-traffic', 'no-labels']]);
    expect(windows.map(({ driftVerdict }) => driftVerdict)).toEqual(['no-traffic', 'ok', 'no-traffic']);
  });

  test('fewer records than the endpoint answered requests are named', async () => {
    const world = new World({ ...SPEC, servingKind: 'REAL_TIME', samplingPercentage: 50 });
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, '2025-03-30T00:00:00Z', 1), 1));
    world.invocations = 192;
    expect(world.result((await world.run(DAY_30)).windows[0]).states.map(({ state }) => state)).not.toContain('partial-capture');
    world.invocations = 400;
    const result = world.result((await world.run({ ...DAY_30, force: true })).windows[0]);
    expect(result.states).toContainEqual(expect.objectContaining({ state: 'partial-capture', count: 104 }));
    expect(result.invocations).toBe(400);
  });

  test('an object that is overwritten after it was listed is read as it is then', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    const requests = requestsOf(rows(3, '2025-03-30T00:00:00Z', 1));
    world.record(requests);
    let overwritten = false;
    world.bucket.before = (command) => {
      if (!overwritten && 'IfMatch' in (command as { input: object }).input && (command as { input: { IfMatch?: string } }).input.IfMatch) {
        overwritten = true;
        world.put('2025/03/30/00/a.jsonl', `${captureLine(requests[0].rows.slice(0, 5), requests[0].id)}\n`);
      }
    };
    const { windows } = await world.run(DAY_30);
    expect(windows[0].rows).toBe(96 - 12 + 5);
    world.bucket.before = () => undefined;
    expect((await world.run(DAY_30)).unchanged).toBe(1);
  });

  test('an episode is announced once, goes on through its windows, and is not announced again when a window is judged anew', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, '2025-03-22T00:00:00Z', 4)));
    world.record(requestsOf(rows(4, '2025-03-26T00:00:00Z', 5, { shift: 1.5 })));
    const whole = { windowStart: '2025-03-22T00:00:00Z', windowEnd: '2025-03-31T00:00:00Z' };
    const { windows } = await world.run(whole);
    expect(windows.map(({ driftVerdict }) => driftVerdict)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'drift', 'drift', 'drift', 'drift']);
    expect(world.events.filter(({ type }) => type === 'Data Drift Detected')).toHaveLength(1);
    expect(world.events.find(({ type }) => type === 'Data Drift Detected')?.detail).toMatchObject({
      features: expect.arrayContaining(['temp']),
      version: 1,
      windowStart: '2025-03-27T00:00:00.000Z',
      occurredAt: '2025-03-28T00:00:00.000Z',
    });
    expect(world.result(windows[8]).episodes).toMatchObject([{ rule: 'drift', since: '2025-03-27T00:00:00.000Z', windows: 4, quiet: 0 }]);
    const texts = windows.map(({ resultUri }) => world.bucket.text(resultUri));
    await world.run({ ...whole, force: true });
    expect(windows.map(({ resultUri }) => world.bucket.text(resultUri))).toEqual(texts);
    expect(world.events.filter(({ type }) => type === 'Data Drift Detected')).toHaveLength(1);
    expect(world.events.filter(({ type }) => type === 'Monitor Run Completed')).toHaveLength(18);
  });

  test('quality that is surely worse than its bound is announced with the version that answered', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    const requests = requestsOf(rows(3, '2025-03-10T00:00:00Z', 21));
    world.record(requests);
    world.label(requests, '2025-03-31T01:00:00Z', { worse: 30 });
    const { windows } = await world.run({ windowStart: '2025-03-10T00:00:00Z', windowEnd: '2025-03-31T00:00:00Z' });
    expect(windows.at(-1)?.qualityVerdict).toBe('degraded');
    const degraded = world.events.filter(({ type }) => type === 'Model Quality Degraded');
    expect(degraded).toHaveLength(1);
    expect(degraded[0].detail).toMatchObject({ metric: 'rmse', bound: 12, version: 1 });
  });

  test('rows that were replayed are judged under the version that answered them', async () => {
    const world = new World();
    await world.promote(1, '2026-01-01T00:00:00Z');
    await world.promote(2, '2026-01-02T00:00:00Z');
    world.now = Date.parse('2026-01-03T00:00:00Z');
    const march = requestsOf(rows(3, '2025-03-30T00:00:00Z', 1));
    world.record(march, { hour: '2026-01-01T05:00:00Z' });
    const { windows } = await world.run(DAY_30);
    expect(windows[0]).toMatchObject({ version: 1, rows: 96, driftVerdict: 'ok' });
    const text = world.bucket.text(windows[0].resultUri);
    expect((await world.run(DAY_30)).unchanged).toBe(1);
    await world.run({ ...DAY_30, force: true });
    expect(world.bucket.text(windows[0].resultUri)).toBe(text);
  });

  test('before anything serves the schedule finds nothing to do, and who asks is told so', async () => {
    const world = new World();
    expect(await world.run()).toEqual({ windows: [], unchanged: 0, modes: [] });
    const { windows } = await world.run(DAY_30);
    expect(windows[0]).toMatchObject({ driftVerdict: 'no-baseline', constraintsVerdict: 'no-constraints', rows: 0 });
  });

  test('constraints that somebody stored take the place of those suggested, and broken ones stop nothing', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    world.record(requestsOf(rows(3, '2025-03-30T00:00:00Z', 1)));
    const features = [{ name: 'temp', nonNegative: { severity: 'error' } }];
    const file = { schemaVersion: 1, model: 'Rides', origin: 'edited', features, consistency: [] };
    world.bucket.objects.set('data/constraints/Rides.json', JSON.stringify(file));
    const violated = (await world.run(DAY_30)).windows[0];
    expect(violated).toMatchObject({ constraintsVerdict: 'violated', episodes: ['constraints'] });
    const event = world.events.find(({ type }) => type === 'Data Quality Violated');
    expect(event?.detail).toMatchObject({ violations: ['temp: nonNegative'], version: 1 });
    world.bucket.objects.set('data/constraints/Rides.json', '{"schemaVersion":1');
    const broken = (await world.run({ ...DAY_30, force: true })).windows[0];
    expect(broken).toMatchObject({ constraintsVerdict: 'violated', driftVerdict: 'ok' });
    expect(world.result(broken).constraints.reason).toContain('it is not JSON');
  });

  test('publishes what was judged and nothing else', async () => {
    const world = new World();
    await world.promote(1, '2025-03-01T00:00:00Z');
    const requests = requestsOf(rows(3, '2025-03-28T00:00:00Z', 3));
    world.record(requests);
    world.label(requests, '2025-03-31T01:00:00Z');
    const { windows } = await world.run();
    const metrics = Object.assign({}, ...world.metrics.slice(-3)) as Record<string, number>;
    const squares = requests.flatMap((request) => request.rows).map((row) => (predictionOf(row) - Number(row[3])) ** 2);
    const error = Math.sqrt(squares.reduce((sum, square) => sum + square, 0) / 288);
    expect(windows.at(-1)?.metrics.rmse).toBeCloseTo(error, 9);
    expect(metrics).toMatchObject({ MonitoredRows: 96, ConstraintsViolated: 0, LabelCoverage: 1, 'Quality.rmse': windows.at(-1)?.metrics.rmse });
    expect(metrics).not.toHaveProperty('RejectedRows');
    expect(metrics).not.toHaveProperty('QualityDegraded');
    expect(metrics['FeatureDriftScore temp']).toBeGreaterThanOrEqual(0);
  });
});
