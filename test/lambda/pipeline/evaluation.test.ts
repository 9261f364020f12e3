import { blockBootstrap } from '../../../lambda/pipeline/bootstrap';
import { recordedStep } from '../../../lambda/pipeline/recorded-step';
import { ScoreReader } from '../../../lambda/pipeline/score-reader';
import { MemoryBucket } from '../../fakes/memory-s3';

const URIS = { holdoutUri: 's3://data/holdout.csv', candidateScoresUri: 's3://art/scores/candidate', championScoresUri: 's3://art/scores/champion' };
const TASK = { kind: 'REGRESSION', target: 'cnt', timeColumn: 'timestamp' };
const HOLDOUT = 'timestamp,hr,cnt\n2012-01-01T23:30:00-01:00,1,5\n2012-01-02T01:00:00Z,2,6\n';

const reader = (objects: Record<string, string>, task = TASK) => {
  const bucket = new MemoryBucket();
  for (const [key, text] of Object.entries(objects)) bucket.objects.set(key, text);
  return new ScoreReader(bucket.files(), task);
};

describe('scores', () => {
  test('of both models stand beside the truth, row by row, with the day in UTC', async () => {
    const objects = { 'data/holdout.csv': HOLDOUT, 'art/scores/candidate/h.csv.out': '4.5\n\n6.5\n', 'art/scores/champion/h.csv.out': '1\n2\n' };
    expect(await reader(objects).read(URIS, 'Completed', true)).toEqual({
      truth: [5, 6],
      candidate: [4.5, 6.5],
      champion: [1, 2],
      days: ['2012-01-02', '2012-01-02'],
    });
  });

  test('of a champion are not looked for where there is none', async () => {
    const scored = await reader({ 'data/holdout.csv': HOLDOUT, 'art/scores/candidate/h.csv.out': '4\n6\n' }).read(URIS, 'Completed', false);
    expect(scored).not.toHaveProperty('champion');
  });

  test.each<[string, Record<string, string>, string, RegExp]>([
    ['are missing', { 'data/holdout.csv': HOLDOUT }, 'Completed', /scores of the candidate cannot be read/],
    [
      'are no numbers',
      { 'data/holdout.csv': HOLDOUT, 'art/scores/candidate/h.out': 'yes\nno\n' },
      'Completed',
      /score 1 of the candidate is not what a REGRESSION model answers/,
    ],
    ['come from a job that was stopped', {}, 'Stopped', /training job ended as Stopped/],
    ['meet a holdout without truth', { 'data/holdout.csv': 'timestamp,cnt\n2012-01-01,\n' }, 'Completed', /target of holdout row 1 cannot be read/],
  ])('that %s fail closed', async (_, objects, status, message) => {
    await expect(reader(objects).read(URIS, status, false)).rejects.toMatchObject({
      name: 'GateIncomplete',
      message: expect.stringMatching(message),
    });
  });
});

describe('the interval', () => {
  const blocks = Array.from({ length: 30 }, (_, index) => [index]);
  const mean = (rows: readonly number[]): number => rows.reduce((sum, row) => sum + row, 0) / rows.length;

  test('holds the figure it is made of and is about as wide as theory says', () => {
    const interval = blockBootstrap(blocks, 'row', mean, 1)!;
    // Standard error of the mean of 0 to 29: sqrt(899 / 12 / 30) = 1.58.
    expect(interval.low).toBeLessThan(14.5 - 2.5);
    expect(interval.low).toBeGreaterThan(14.5 - 3.7);
    expect(interval.high).toBeGreaterThan(14.5 + 2.5);
    expect(interval.high).toBeLessThan(14.5 + 3.7);
  });

  test('is the same for the same seed and another for another', () => {
    expect(blockBootstrap(blocks, 'row', mean, 1)).toEqual(blockBootstrap(blocks, 'row', mean, 1));
    expect(blockBootstrap(blocks, 'row', mean, 1)).not.toEqual(blockBootstrap(blocks, 'row', mean, 2));
  });

  test('is left out where one block says nothing about others, or the figure is mostly open', () => {
    expect(blockBootstrap([[0, 1, 2]], 'day', mean, 1)).toBeUndefined();
    expect(blockBootstrap(blocks, 'row', (rows) => (rows.includes(0) ? 1 : undefined), 1)).toBeUndefined();
  });

  test('draws less often from a large holdout', () => {
    const large = Array.from({ length: 500 }, (_, day) => Array.from({ length: 100 }, (__, row) => day * 100 + row));
    expect(blockBootstrap(large, 'day', (rows) => rows.length, 1)!.resamples).toBe(200);
  });
});

describe('a recorded step', () => {
  const recorder = () => {
    const steps: unknown[] = [];
    return { steps, runs: { recordStep: async (_: string, step: unknown) => void steps.push(step) } };
  };

  test('is on record while it runs and when it has ended', async () => {
    const { steps, runs } = recorder();
    expect(await recordedStep(runs, 'r', 'evaluate', { inputs: { a: 'b' } }, async () => ({ result: 7, outputs: { c: 'd' } }))).toBe(7);
    expect(steps).toEqual([
      expect.objectContaining({ name: 'evaluate', status: 'RUNNING', inputs: { a: 'b' } }),
      expect.objectContaining({ status: 'FINISHED', outputs: { c: 'd' }, endTime: expect.any(String) }),
    ]);
  });

  test('that fails throws its own error, also where the record cannot be written', async () => {
    const { steps, runs } = recorder();
    const failing = () => Promise.reject(new Error('data is bad'));
    await expect(recordedStep(runs, 'r', 'x', {}, failing)).rejects.toThrow('data is bad');
    expect(steps.at(-1)).toMatchObject({ status: 'FAILED', error: 'data is bad' });
    let calls = 0;
    const broken = {
      recordStep: async () => {
        calls += 1;
        if (calls > 1) throw new Error('table is gone');
      },
    };
    await expect(recordedStep(broken, 'r', 'x', {}, failing)).rejects.toThrow('data is bad');
  });
});
