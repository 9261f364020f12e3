import fc from 'fast-check';
import { Labels } from '../../../../lambda/monitoring/quality';
import { LabelStore } from '../../../../lambda/monitoring/quality/label-store';
import { Rejections } from '../../../../lambda/monitoring/rejections';
import type { RuntimeTask } from '../../../../lambda/monitoring/task-metrics';
import { BINARY, REGRESSION } from './samples';

const ARRIVED = Date.UTC(2026, 2, 5);
const MULTICLASS: RuntimeTask = { kind: 'MULTICLASS_CLASSIFICATION', target: 'y' };

const line = (value: unknown, more: object = {}): string =>
  JSON.stringify({ inferenceId: 'a', value, observedAt: '2026-03-01T00:00:00Z', ...more });

function labelsOf(task: RuntimeTask, lines: readonly string[]): { labels: Labels; rejections: Rejections } {
  const rejections = new Rejections();
  const labels = new Labels(task, rejections);
  lines.forEach((one, index) => labels.add(one, `line ${index + 1}`, ARRIVED));
  return { labels, rejections };
}

describe('labels', () => {
  test('that were corrected count by the last version, then the last observation, then the larger value', () => {
    const truth = (...lines: string[]): unknown => labelsOf(REGRESSION, lines).labels.find('a', 0)?.truth;
    expect(truth(line(1, { labelVersion: 2 }), line(9))).toBe(1);
    expect(truth(line(1), line(9, { observedAt: '2026-02-01T00:00:00Z' }))).toBe(1);
    expect(truth(line(1), line(9))).toBe(9);
    expect(truth(line(1, { observedAt: undefined }), line(9))).toBe(1);
  });

  test('that were delivered twice count once', () => {
    const { labels } = labelsOf(REGRESSION, [line(4), line(4)]);
    expect(labels.size).toBe(1);
  });

  test('that were taken back leave the row without one', () => {
    const { labels } = labelsOf(REGRESSION, [line(4), line(null, { labelVersion: 2 })]);
    expect(labels.find('a', 0)?.truth).toBeUndefined();
    labels.add(line(5, { labelVersion: 3 }), 'later', ARRIVED);
    expect(labels.find('a', 0)?.truth).toBe(5);
  });

  test('that never came are not found', () => {
    expect(labelsOf(REGRESSION, [line(4)]).labels.find('a', 1)).toBeUndefined();
  });

  test('of Model Monitor are one for each row of the request and observed when they arrived', () => {
    const truth = (data: string, encoding: string): string =>
      JSON.stringify({ groundTruthData: { data, encoding }, eventMetadata: { eventId: 'e' }, eventVersion: '0' });
    for (const one of [truth('yes\nno\n', 'CSV'), truth('["yes","no"]', 'JSON'), truth(Buffer.from('yes\r\nno').toString('base64'), 'BASE64')]) {
      const { labels } = labelsOf(BINARY, [one]);
      expect([labels.find('e', 0), labels.find('e', 1), labels.find('e', 2)]).toEqual([
        { truth: 1, observedAt: ARRIVED },
        { truth: 0, observedAt: ARRIVED },
        undefined,
      ]);
    }
    expect(labelsOf(BINARY, [truth('{"predictions":{"label":"yes"}}', 'JSON')]).labels.find('e', 0)?.truth).toBe(1);
  });

  test('that cannot be used are counted by cause, with the place of the first', () => {
    const { labels, rejections } = labelsOf(REGRESSION, [
      'oops',
      line('many'),
      '{"value":1}',
      line(1, { observedAt: 'yesterday' }),
      JSON.stringify({ groundTruthData: { data: '1,2', encoding: 'CSV' }, eventMetadata: { eventId: 'e' } }),
      JSON.stringify({ groundTruthData: { data: '{"a":1,"b":2}', encoding: 'JSON' }, eventMetadata: { eventId: 'e' } }),
      JSON.stringify({ groundTruthData: {}, eventMetadata: {} }),
      '',
      line(3, { inferenceId: 'known' }),
      line(3, { inferenceId: 'stranger' }),
    ]);
    labels.find('known', 0);
    expect(labels.rejectUnknown('labels/Demand/')).toBe(1);
    expect(rejections.counts()).toEqual({ 'label-malformed': 6, 'label-value': 1, 'label-unknown-id': 1 });
    expect(rejections.samples()['label-value']).toMatch(/^line 2: /);
  });

  const known = fc.record({
    id: fc.constantFrom('a', 'b', 'c'),
    rowIndex: fc.nat(1),
    value: fc.option(fc.constantFrom('x', 'y', 'z')),
    labelVersion: fc.nat(2),
    observedAt: fc.constantFrom('2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z'),
  });

  test('mean the same in any order', () => {
    fc.assert(
      fc.property(
        fc.array(known, { maxLength: 30 }).chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        (orders) => {
          const [first, second] = orders.map((order) => {
            const { labels } = labelsOf(
              MULTICLASS,
              order.map(({ id, ...rest }) => JSON.stringify({ inferenceId: id, ...rest })),
            );
            return ['a', 'b', 'c'].flatMap((id) => [labels.find(id, 0), labels.find(id, 1)]);
          });
          expect(second).toEqual(first);
        },
      ),
    );
  });
});

describe('the store of labels', () => {
  test('holds many labels without mixing them up', () => {
    const store = new LabelStore((a, b) => a > b);
    for (let index = 0; index < 120_000; index += 1) store.put(`id-${index >> 2}`, index & 3, index, 1, index);
    expect(store.size).toBe(120_000);
    for (let index = 0; index < 120_000; index += 1) {
      const at = store.find(`id-${index >> 2}`, index & 3);
      if (store.value(at) !== index) throw new Error(`label ${index} is ${store.value(at)}`);
    }
    expect(store.find('id-1', 4)).toBe(-1);
    expect(store.unmarked()).toBe(120_000);
    store.mark(70_000);
    expect(store.unmarked()).toBe(119_999);
  });
});
