import type { Promotion } from '../../../../lambda/monitoring/monitor.client';
import { Rejections } from '../../../../lambda/monitoring/rejections';
import { answerOf } from '../../../../lambda/monitoring/workflow/answer';
import { readLines } from '../../../../lambda/monitoring/workflow/label-lines';
import { shardsOf } from '../../../../lambda/monitoring/workflow/plan';
import { ReadAhead } from '../../../../lambda/monitoring/workflow/read-ahead';
import { digestOf, hourOf, isOf } from '../../../../lambda/monitoring/workflow/sources';
import { servingVersion, versionAt } from '../../../../lambda/monitoring/workflow/versions';
import { requestedWindows } from '../../../../lambda/monitoring/workflow/windows';
import type { MonitorResult } from '../../../../lib/monitoring/contract';
import { DAY, HOUR, SPEC } from './world';

const NOON = Date.parse('2025-04-01T12:00:00Z');
const ends = (request: Parameters<typeof requestedWindows>[0], spec = SPEC, now = NOON): string[] =>
  requestedWindows(request, spec, now).windows.map(({ end }) => new Date(end).toISOString().slice(0, 13));

describe('the windows of a run', () => {
  test('by schedule are the last three that have ended and had their delay', () => {
    expect(ends({})).toEqual(['2025-03-30T00', '2025-03-31T00', '2025-04-01T00']);
    expect(ends({}, { ...SPEC, delaySeconds: 13 * 3600 })).toEqual(['2025-03-29T00', '2025-03-30T00', '2025-03-31T00']);
    expect(ends({}, { ...SPEC, windowSeconds: 6 * 3600 })).toEqual(['2025-03-31T18', '2025-04-01T00', '2025-04-01T06']);
  });

  test('of a retry are those of the time that was scheduled', () => {
    expect(ends({ scheduledTime: '2025-03-20T01:00:00Z' })).toEqual(['2025-03-18T00', '2025-03-19T00', '2025-03-20T00']);
  });

  test('on demand are those that end in the range, weeks from Monday on', () => {
    expect(ends({ windowStart: '2025-03-01', windowEnd: '2025-03-04' })).toEqual(['2025-03-02T00', '2025-03-03T00', '2025-03-04T00']);
    expect(ends({ windowStart: '2025-03-01', windowEnd: '2025-03-31' }, { ...SPEC, windowSeconds: 7 * 86_400 })).toEqual([
      '2025-03-03T00', '2025-03-10T00', '2025-03-17T00', '2025-03-24T00', '2025-03-31T00',
    ]);
    expect(ends({ windowEnd: '2025-03-04T07:00:00Z' })).toEqual(['2025-03-04T00']);
    expect(ends({ windowStart: '2025-03-30T07:00:00Z' })).toEqual(['2025-03-31T00', '2025-04-01T00']);
  });

  test.each([
    [{ windowStart: '2025-03-04', windowEnd: '2025-03-04' }, /must end after it starts/],
    [{ windowStart: '2020-01-01', windowEnd: '2025-01-01' }, /holds 1827 windows, one run judges at most 100/],
    [{ windowStart: 'yesterday' }, /must be an ISO 8601 time/],
  ])('%j is refused', (request, message) => {
    expect(() => requestedWindows(request, SPEC, NOON)).toThrow(message);
  });
});

describe('the version that a window is judged under', () => {
  const promotions: Promotion[] = [
    { version: 1, at: Date.parse('2025-01-10T06:00:00Z') },
    { version: 2, at: Date.parse('2025-01-20T06:00:00Z') },
  ];
  const day = (text: string) => ({ start: Date.parse(text), end: Date.parse(text) + DAY });
  const range = (at: string, requested: string) => {
    const time = Date.parse(at);
    return { key: 'k', etag: 'e', from: time, to: time, requested: Date.parse(requested) };
  };

  test('is the one that served at its end', () => {
    expect(servingVersion(promotions, day('2025-01-15'), [])).toBe(1);
    expect(servingVersion(promotions, day('2025-01-19'), [])).toBe(1);
    expect(servingVersion(promotions, day('2025-01-20'), [])).toBe(2);
    expect(servingVersion([], day('2025-01-20'), [])).toBeUndefined();
  });

  test('of a replay is the one that answered its newest row, before they are read the one that serves', () => {
    const window = day('2024-05-01');
    expect(servingVersion(promotions, window, [])).toBe(2);
    expect(servingVersion(promotions, window, [range('2024-05-01', '2025-01-12'), range('2024-06-01', '2025-01-25')])).toBe(1);
    expect(versionAt(promotions, 0)).toBe(1);
  });
});

describe('the objects of a window', () => {
  const window = { start: NOON, end: NOON + DAY };
  const object = (hour: number) => ({ hour });

  test('are those whose rows reach into it', () => {
    const range = (from: number, to: number) => ({ key: 'k', etag: 'e', from, to });
    expect(isOf(window, object(0), range(NOON - DAY, NOON))).toBe(true);
    expect(isOf(window, object(0), range(NOON - DAY, NOON - 1))).toBe(false);
    expect(isOf(window, object(0), range(NOON + DAY, NOON + DAY))).toBe(false);
    expect(isOf(window, object(0), range(NOON + DAY - 1, NOON + 9 * DAY))).toBe(true);
  });

  test('without a readable row count once: in the window of their hour', () => {
    const unread = { key: 'k', etag: 'e' };
    expect([NOON - HOUR, NOON, NOON + DAY - HOUR, NOON + DAY, NOON + 8 * DAY].map((hour) => isOf(window, object(hour), unread))).toEqual([
      false, true, true, false, false,
    ]);
  });

  test('have one digest in any order, and another one when any of them changes', () => {
    const [a, b] = [{ key: 'a', etag: '1' }, { key: 'b', etag: '2' }];
    expect(digestOf([a, b])).toBe(digestOf([b, a]));
    expect(digestOf([a, b])).not.toBe(digestOf([a, { ...b, etag: '3' }]));
    expect(digestOf([a], 'v1')).not.toBe(digestOf([a], 'v2'));
  });

  test('tell their hour by their key', () => {
    expect(hourOf('capture/e/primary/2025/04/01/12/x.jsonl')).toBe(NOON);
    expect(hourOf('capture/e/primary/readme.txt')).toBeUndefined();
  });

  test('fill shards in their order, so that one more changes the last shard alone', () => {
    const objects = Array.from({ length: 7 }, (_, index) => ({ key: `k${index}`, etag: 'e', bytes: 40, hour: 0 }));
    const before = shardsOf(objects.slice(0, 6), 100, 1);
    const after = shardsOf(objects, 100, 1);
    expect(after.map(({ objects: members }) => members?.length)).toEqual([2, 2, 2, 1]);
    expect(after.slice(0, 3)).toEqual(before);
    expect(shardsOf([{ ...objects[0], bytes: 1000 }, objects[1]], 100)).toHaveLength(2);
    expect(shardsOf(objects, 100, 2)[0].digest).not.toBe(after[0].digest);
  });
});

describe('reading ahead', () => {
  const read = async (sizes: readonly number[]) => {
    let [open, most] = [0, 0];
    const objects = sizes.map((bytes, index) => ({ bytes, index }));
    const ahead = new ReadAhead(objects, async function* ({ index }) {
      open += 1;
      most = Math.max(most, open);
      await new Promise((resolve) => setTimeout(resolve, 1));
      yield Buffer.from(String(index));
      open -= 1;
    });
    const texts: string[] = [];
    for (const { index } of objects) for await (const chunk of ahead.chunks(index)) texts.push(Buffer.from(chunk).toString());
    return { texts, most };
  };

  test('hands small objects out in their order, some under way at once', async () => {
    const { texts, most } = await read(new Array<number>(50).fill(1000));
    expect(texts).toEqual(Array.from({ length: 50 }, (_, index) => String(index)));
    expect(most).toBe(16);
  });

  test('streams large objects one at a time, and bounds the bytes of the others', async () => {
    expect((await read(new Array<number>(4).fill(2 ** 30))).most).toBe(1);
    expect((await read(new Array<number>(40).fill(4 * 2 ** 20))).most).toBeLessThanOrEqual(8);
  });

  test('an object that fails does so in its turn', async () => {
    const ahead = new ReadAhead([{ bytes: 1 }, { bytes: 1 }], async function* ({ bytes }) {
      yield Buffer.from([bytes]);
      throw new Error('gone');
    });
    const consume = async () => {
      for await (const chunk of ahead.chunks(1)) expect(chunk).toHaveLength(1);
    };
    await expect(consume()).rejects.toThrow('gone');
  });
});

test('lines of labels come with their places, in any line ends and chunks; what is no UTF-8 is rejected', async () => {
  const rejections = new Rejections();
  const lines: string[] = [];
  const bytes = Buffer.concat([Buffer.from('\uFEFFone\r\ntwö\n'), Buffer.from([0xff, 0x0a]), Buffer.from('\nlast')]);
  await readLines(
    (async function* () {
      for (const byte of bytes) yield Uint8Array.of(byte);
    })(),
    'labels.jsonl',
    rejections,
    (line, place) => lines.push(`${place}: ${line}`),
  );
  expect(lines).toEqual(['labels.jsonl line 1: one', 'labels.jsonl line 2: twö', 'labels.jsonl line 4: ', 'labels.jsonl line 5: last']);
  expect(rejections.counts()).toEqual({ 'not-utf8': 1 });
});

test('an answer stays small however many features drift', () => {
  const features = Array.from({ length: 600 }, (_, index) => ({ name: `a long name of a feature ${index}`, drifted: true }));
  const result = {
    model: 'm', windowStart: 's', windowEnd: 'e', rows: 1, resultUri: 'r', reportUri: 'r',
    drift: { verdict: 'drift', comparisons: [{ verdict: 'drift', features }] },
    quality: { verdict: 'ok', metrics: {} }, groups: { verdict: 'ok' }, constraints: { verdict: 'ok' }, episodes: [],
  } as unknown as MonitorResult;
  const answer = answerOf(result);
  expect(answer.driftedFeatures).toHaveLength(16);
  expect(Buffer.byteLength(JSON.stringify(answer))).toBeLessThanOrEqual(2000);
});
