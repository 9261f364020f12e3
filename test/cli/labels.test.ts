import fc from 'fast-check';
import { parseLabels } from '../../cli/labels/parse';

const NOW = new Date('2026-03-01T10:00:00Z');

describe('labels', () => {
  test('of JSON lines get the defaults of the contract', () => {
    expect(parseLabels('{"inferenceId":"a","value":3}\n\n{"inferenceId":"b","value":"yes","rowIndex":2,"labelVersion":4}\n', NOW)).toEqual([
      { inferenceId: 'a', rowIndex: 0, value: 3, observedAt: NOW.toISOString(), labelVersion: 1 },
      { inferenceId: 'b', rowIndex: 2, value: 'yes', observedAt: NOW.toISOString(), labelVersion: 4 },
    ]);
  });

  test('of CSV are numbers only where they are written as numbers', () => {
    const csv = '\ufeffinferenceId,rowIndex,value,observedAt\n1,0,1.50,2026-01-31T23:00:00+01:00\n2,1,007,\n';
    expect(parseLabels(csv, NOW)).toEqual([
      { inferenceId: '1', rowIndex: 0, value: 1.5, observedAt: '2026-01-31T22:00:00.000Z', labelVersion: 1 },
      { inferenceId: '2', rowIndex: 1, value: '007', observedAt: NOW.toISOString(), labelVersion: 1 },
    ]);
  });

  test('of Model Monitor are one for each row of the request', () => {
    const line = (data: string, encoding: string): string =>
      JSON.stringify({ groundTruthData: { data, encoding }, eventMetadata: { eventId: 'e1' }, eventVersion: '0' });
    const observedAt = NOW.toISOString();
    expect(parseLabels(line('1\n0.5\n', 'CSV'), NOW)).toEqual([
      { inferenceId: 'e1', rowIndex: 0, value: 1, observedAt, labelVersion: 1 },
      { inferenceId: 'e1', rowIndex: 1, value: 0.5, observedAt, labelVersion: 1 },
    ]);
    const yes = { inferenceId: 'e1', rowIndex: 0, value: 'yes', observedAt, labelVersion: 1 };
    expect(parseLabels(line('{"label":"yes"}', 'JSON'), NOW)).toEqual([yes]);
  });

  test('that are null take an earlier label back', () => {
    expect(parseLabels('{"inferenceId":"a","value":null,"labelVersion":2}', NOW)).toMatchObject([{ value: null, labelVersion: 2 }]);
  });

  test.each([
    ['{"groundTruthData":{"data":"1,2","encoding":"CSV"},"eventMetadata":{"eventId":"e"}}', 'line 1: the ground truth has several columns'],
    ['{"groundTruthData":{"data":"1"},"eventMetadata":{}}', 'line 1: the line is no ground truth'],
    ['{"groundTruthData":{"data":"{","encoding":"JSON"},"eventMetadata":{"eventId":"e"}}', 'line 1: the ground truth says that it is JSON'],
    ['{"inferenceId":"a","value":1}\n{"value":1}', 'line 2: inferenceId'],
    ['{"inferenceId":"a","value":1}\n{oops', 'line 2: is not JSON'],
    ['{"inferenceId":"a","value":1,"rowIndex":-1}', 'line 1: rowIndex'],
    ['{"inferenceId":"a","value":1,"observedAt":"yesterday"}', 'line 1: observedAt: must be an ISO 8601 time'],
    ['{"inferenceId":"a","value":1,"label":2}', 'line 1: '],
    ['inferenceId,value\na,1\nb,\n', 'line 3: value'],
    ['id,value\na,1\n', 'unknown column id'],
    ['inferenceId,value\na,1,2\n', 'line 2'],
    ['{"inferenceId":"a","value":1}\n{"inferenceId":"a","value":2}', 'line 2: differs from line 1'],
    ['', 'holds no labels'],
  ])('with a mistake are refused by line: %j', (content, message) => {
    expect(() => parseLabels(content, NOW)).toThrow(message);
  });

  test('with many mistakes show the first ten', () => {
    const content = Array.from({ length: 30 }, () => '{"value":1}').join('\n');
    expect(() => parseLabels(content, NOW)).toThrow('and 20 more');
  });

  test('survive a round trip', () => {
    const label = fc.record({
      inferenceId: fc.uuid(),
      rowIndex: fc.nat(1000),
      value: fc.oneof(fc.integer(), fc.float({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0), fc.string({ minLength: 1 })),
      observedAt: fc.date({ noInvalidDate: true, min: new Date(0), max: NOW }).map((time) => time.toISOString()),
      labelVersion: fc.nat(10),
    });
    fc.assert(
      fc.property(fc.uniqueArray(label, { minLength: 1, selector: ({ inferenceId }) => inferenceId }), (labels) => {
        expect(parseLabels(labels.map((one) => JSON.stringify(one)).join('\n'), NOW)).toEqual(labels);
      }),
    );
  });
});
