import * as fc from 'fast-check';
import { type BatchAnswer, type BatchPair, readBatchJoined, readBatchPairs } from '../../../../lambda/monitoring/readers/batch';
import { chunksOf, cutsOf, Recorder } from './samples';

const HEAD = { eventId: 'job-1/x.csv', inferenceId: 'job-1/x.csv', time: 5 };
const PAIR: BatchPair = { where: 'x.csv', head: HEAD, inputFormat: 'csv', outputFormat: 'csv', columns: ['a', 'b'] };

const read = async (input: string, output: string, pair: Partial<BatchPair> = {}, cuts: number[][] = [[], []]): Promise<[Recorder, BatchAnswer]> => {
  const recorder = new Recorder();
  const chunks = [chunksOf(input, cuts[0]), chunksOf(output, cuts[1])] as const;
  return [recorder, await readBatchPairs(...chunks, { ...PAIR, ...pair }, recorder, recorder.rejections)];
};

test('rows and predictions are joined by their order, rejected rows included', async () => {
  const [recorder, answer] = await read('1,2\n3\n\n5,6\n7,8', '0.1\n0.2\n0.3,x\n"yes"\n');
  expect(recorder.requests).toEqual([
    {
      head: HEAD,
      where: 'x.csv',
      rows: [
        { values: ['1', '2'], prediction: 0.1 },
        { values: ['5', '6'], prediction: 0.3 },
        { values: ['7', '8'], prediction: 'yes' },
      ],
    },
  ]);
  expect(recorder.rejections.counts()).toEqual({ 'column-count': 1 });
  expect(answer).toEqual({ rows: 3, predictions: 4, aligned: true });
});

test('JSON Lines, a header that has no answer, and predictions in JSON', async () => {
  const answers = '{"score":0.1}\n{"predictions":[{"score":0.2}]}\n';
  const [lines] = await read('{"b":2,"a":1}\n[3,4]\n', answers, { inputFormat: 'jsonl', outputFormat: 'jsonl' });
  expect(lines.requests[0].rows).toEqual([{ values: [1, 2], prediction: 0.1 }, { values: [3, 4], prediction: 0.2 }]);
  const [header] = await read('a,b\n1,2\n', '{"score":0.1}', { header: true, outputFormat: 'jsonl' });
  expect(header.requests[0].rows).toEqual([{ values: ['1', '2'], prediction: 0.1 }]);
});

test.each([
  ['too few', '1,2\n3,4\n', '0.1\n', 1],
  ['too many', '1,2\n', '0.1\n0.2\n0.3\n', 3],
  ['none', '1,2\n', '', 0],
])('%s predictions are said', async (_, input, output, predictions) => {
  const [recorder, answer] = await read(input, output);
  expect(answer).toMatchObject({ predictions, aligned: false });
  expect(recorder.rejections.counts()).toEqual({ 'prediction-count': 1 });
});

test('an unreadable prediction keeps the others in place', async () => {
  const [recorder, { aligned }] = await read('1,2\n3,4\n', '{"score"\n{"score":2}\n', { outputFormat: 'jsonl' });
  expect(aligned).toBe(true);
  expect(recorder.requests[0].rows.map(({ prediction }) => prediction)).toEqual([undefined, 2]);
  expect(recorder.rejections.counts()).toEqual({ 'prediction-unreadable': 1 });
});

test('any chunking of both gives the same', async () => {
  const rows = fc.array(fc.constantFrom('1,2', '3', '"a\nb",4', 'é,"x', '', '5,6,7', '"8",9'), { maxLength: 12 }).map((lines) => lines.join('\n'));
  const outputs = fc.array(fc.constantFrom('1', '0.5,a', '"x"', '', '"'), { maxLength: 12 }).map((lines) => lines.join('\n'));
  await fc.assert(
    fc.asyncProperty(rows, outputs, cutsOf(60), cutsOf(30), async (input, output, one, other) => {
      const [whole, answer] = await read(input, output);
      const [parts, again] = await read(input, output, {}, [one, other]);
      expect([parts.outcome, again]).toEqual([whole.outcome, answer]);
    }),
    { numRuns: 500 },
  );
});

test('an output that was joined with its input has the prediction last', async () => {
  const recorder = new Recorder();
  await readBatchJoined(chunksOf('1,2,0.5\n3,4\n5,6,no\n'), PAIR, recorder, recorder.rejections);
  expect(recorder.requests[0].rows).toEqual([{ values: ['1', '2'], prediction: 0.5 }, { values: ['5', '6'], prediction: 'no' }]);
  expect(recorder.rejections.counts()).toEqual({ 'column-count': 1 });
});
