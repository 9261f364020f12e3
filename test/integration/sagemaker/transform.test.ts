import { setTimeout as sleep } from 'node:timers/promises';
import { Bench, modelRequest, prepare, rows } from './support';

jest.setTimeout(60_000);

/** Answers one line per row: the row's number within its request and the sum of its cells. */
const SUMS = {
  'inference.py': [
    'import time',
    'def model_fn(directory):\n    return None',
    'def input_fn(body, content_type):',
    '    if "slow" in body:\n        time.sleep(600)',
    '    return [[float(cell) for cell in line.split(",")] for line in body.split("\\n") if line]',
    'def predict_fn(rows, model):\n    return ["%d,%g" % (number, sum(row)) for number, row in enumerate(rows)]',
    'def output_fn(lines, accept):\n    return "\\n".join(lines), "text/csv"',
  ].join('\n'),
};

describe('transform jobs', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await Bench.start(0.1);
    await prepare(bench);
    await bench.call('CreateModel', modelRequest('sums', 'first', { SAGEMAKER_SUBMIT_DIRECTORY: bench.code('sums', SUMS) }));
    bench.engine.put('data/batch/a.csv', '1,2\n3,4\n5,6\n');
    bench.engine.put('data/batch/deep/b.csv', '7,8\n');
  });
  afterAll(() => bench.stop());

  const request = (name: string, changes: Record<string, object | string | number> = {}, input: object = {}, output: object = {}) => ({
    TransformJobName: name,
    ModelName: 'sums',
    TransformInput: {
      DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/batch/' } },
      ContentType: 'text/csv',
      SplitType: 'Line',
      ...input,
    },
    TransformOutput: { S3OutputPath: `s3://artifacts/${name}`, Accept: 'text/csv', AssembleWith: 'Line', ...output },
    TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 1 },
    ...changes,
  });
  const run = async (name: string, ...changes: Parameters<typeof request> extends [string, ...infer R] ? R : never) => {
    await bench.call('CreateTransformJob', request(name, ...changes));
    return bench.transformed(name);
  };

  test('every object below the prefix goes through the model in batches and comes out under its own name', async () => {
    expect(await run('many')).toMatchObject({
      TransformJobStatus: 'Completed',
      TransformStartTime: expect.any(Number),
      TransformEndTime: expect.any(Number),
      BatchStrategy: 'MultiRecord',
    });
    expect(bench.engine.keys('artifacts/many/')).toEqual(['artifacts/many/a.csv.out', 'artifacts/many/deep/b.csv.out']);
    expect(bench.engine.text('artifacts/many/a.csv.out')).toBe('0,3\n1,7\n2,11\n');
    expect(bench.engine.text('artifacts/many/deep/b.csv.out')).toBe('0,15\n');
    const states = bench.engine.events.filter(({ Detail }) => Detail.TransformJobName === 'many').map(({ Detail }) => Detail.TransformJobStatus);
    expect(states).toEqual(['InProgress', 'Completed']);
  });

  test('single records are sent one by one, in order also when several are under way', async () => {
    await run('single', { BatchStrategy: 'SingleRecord', MaxConcurrentTransforms: 3, MaxPayloadInMB: 1 });
    expect(bench.engine.text('artifacts/single/a.csv.out')).toBe('0,3\n0,7\n0,11\n');
  });

  test('without a split the object is one request', async () => {
    await run('whole', {}, { SplitType: 'None' }, { AssembleWith: 'None' });
    expect(bench.engine.text('artifacts/whole/a.csv.out')).toBe('0,3\n1,7\n2,11');
  });

  test('filters select columns and the join puts input and prediction on one line', async () => {
    bench.engine.put('data/ids/rows.csv', 'x1,1,2\n"x,2",3,4\n');
    const input = { DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/ids' } } };
    await run('joined', { DataProcessing: { InputFilter: '$[1:]', JoinSource: 'Input', OutputFilter: '$[0,-1]' } }, input);
    expect(bench.engine.text('artifacts/joined/rows.csv.out')).toBe('x1,3\n"x,2",7\n');
    await run('all', { DataProcessing: { InputFilter: '$[1:]', JoinSource: 'Input' } }, input);
    expect(bench.engine.text('artifacts/all/rows.csv.out')).toBe('x1,1,2,0,3\n"x,2",3,4,1,7\n');
  });

  test('the real model predicts a batch', async () => {
    const known = rows(20).trim().split('\n').slice(1).map((line) => line.split(',').map(Number));
    bench.engine.put('data/known/rows.csv', known.map(([a, b]) => `${a},${b}\n`).join(''));
    const input = { DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/known/' } } };
    expect((await run('real', { ModelName: 'model-1' }, input)).TransformJobStatus).toBe('Completed');
    const predictions = bench.engine.text('artifacts/real/rows.csv.out')!.trim().split('\n').map(Number);
    expect(predictions).toHaveLength(20);
    predictions.forEach((prediction, row) => expect(Math.abs(prediction - known[row][2])).toBeLessThan(3));
  });

  test('one malformed row fails the job with the words of the model', async () => {
    bench.engine.put('data/bad/rows.csv', '1,2\nx,4\n');
    const job = await run('bad', {}, { DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/bad/' } } });
    expect(job.TransformJobStatus).toBe('Failed');
    expect(job.FailureReason).toMatch(/^AlgorithmError: Bad HTTP status received from algorithm: 400\. .*could not convert string to float/);
    expect(bench.engine.keys('artifacts/bad/')).toEqual([]);
  });

  test('a job is stopped in the middle of a request', async () => {
    bench.engine.put('data/slow/rows.csv', 'slow\n');
    const input = { DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/slow/' } } };
    await bench.call('CreateTransformJob', request('slow', {}, input));
    await sleep(600);
    await bench.call('StopTransformJob', { TransformJobName: 'slow' });
    expect((await bench.transformed('slow')).TransformJobStatus).toBe('Stopped');
  });

  test('nothing to read, a used name, an unknown job and what the engine does not play are refused', async () => {
    const nothing = await run('nothing', {}, { DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/none/' } } });
    expect(nothing).toMatchObject({ TransformJobStatus: 'Failed', FailureReason: expect.stringContaining('No S3 objects found') });
    expect((await bench.refused('CreateTransformJob', request('many'))).__type).toBe('ResourceInUse');
    const unknown = await bench.refused('DescribeTransformJob', { TransformJobName: 'never' });
    expect(unknown.message).toBe('Could not find requested job with name: never');
    const path = await bench.refused('CreateTransformJob', request('path', { DataProcessing: { OutputFilter: "$['a']" } }));
    expect(path.__type).toBe('EngineUnsupported');
    const join = request('join', { DataProcessing: { JoinSource: 'Input' } }, {}, { AssembleWith: 'None' });
    expect((await bench.refused('CreateTransformJob', join)).__type).toBe('ValidationException');
  });
});
