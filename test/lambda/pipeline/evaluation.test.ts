import type { BlockValue } from '../../../lambda/monitoring/quality/block-value';
import { figureOf } from '../../../lambda/monitoring/quality/sums';
import { blockBootstrap } from '../../../lambda/pipeline/bootstrap';
import { evaluate, figuresOfHoldout } from '../../../lambda/pipeline/evaluation/evaluate';
import { keysOf } from '../../../lambda/pipeline/evaluation/scored-holdout';
import { recordedStep } from '../../../lambda/pipeline/recorded-step';
import { ScoreReader } from '../../../lambda/pipeline/score-reader';
import { gateReportKey } from '../../../lib/artifacts/contract';
import { MemoryBucket } from '../../fakes/memory-s3';
import { BINARY, CLASSES, holdoutOf, normals, REGRESSION } from './gate-samples';

const URIS = { holdoutUri: 's3://data/holdout.csv', candidateScoresUri: 's3://art/scores/candidate', championScoresUri: 's3://art/scores/champion' };
const HOLDOUT = 'timestamp,hr,cnt\n2012-01-01T23:30:00-01:00,1,5\n2012-01-02T01:00:00Z,2,6\n';

interface Task {
  readonly kind: string;
  readonly target: string;
  readonly timeColumn?: string;
  readonly positiveLabel?: string;
}

const reader = (objects: Record<string, string>, task: Task = REGRESSION) => {
  const bucket = new MemoryBucket();
  for (const [key, text] of Object.entries(objects)) bucket.objects.set(key, text);
  return new ScoreReader(bucket.files(), task);
};

describe('scores', () => {
  test('of both models stand beside the truth, row by row, in blocks of days in UTC', async () => {
    const objects = { 'data/holdout.csv': HOLDOUT, 'art/scores/candidate/h.csv.out': '4.5\n\n6.5\n', 'art/scores/champion/h.csv.out': '1\n2\n' };
    const { candidate, champion, ...rest } = await reader(objects).read(URIS, 'Completed', { championPresent: true });
    const columns = [candidate.truth, candidate.prediction, champion!.prediction];
    expect(columns.map((column) => [...column.slice(0, 2)])).toEqual([[5, 6], [4.5, 6.5], [1, 2]]);
    expect(rest).toMatchObject({ rows: 2, blocks: { unit: 'day', count: 1 }, from: Date.UTC(2012, 0, 2, 0, 30), to: Date.UTC(2012, 0, 2, 1) });
    expect(rest.rowsUpTo(Date.UTC(2012, 0, 2, 0, 30))).toBe(1);
  });

  test('of a champion are not looked for where there is none', async () => {
    const objects = { 'data/holdout.csv': HOLDOUT, 'art/scores/candidate/h.csv.out': '4\n6\n' };
    expect(await reader(objects).read(URIS, 'Completed', { championPresent: false })).not.toHaveProperty('champion');
  });

  test('come as numbers, CSV, JSON or labels, with or without a newline at the end, in as many objects as the job left', async () => {
    const holdout = `y\n${'yes\nno\n'.repeat(3)}`;
    const objects = {
      'data/holdout.csv': holdout,
      'art/scores/candidate/a.out': '0.1,x\r\n[0.2, 0.8]\n{"score": 0.3}\n',
      'art/scores/candidate/b.out': ' 4e-1\n{"prediction": "0.5"}\n"0.6"',
    };
    const task = { kind: 'BINARY_CLASSIFICATION', target: 'y', positiveLabel: 'yes' };
    const plain = { ...objects, 'art/scores/candidate/b.out': objects['art/scores/candidate/b.out'].replace('"0.6"', '0.6') };
    const { candidate } = await reader(plain, task).read(URIS, 'Completed', { championPresent: false });
    expect([...candidate.prediction.slice(0, 6)]).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    expect([...candidate.truth.slice(0, 6)]).toEqual([1, 0, 1, 0, 1, 0]);
    await expect(reader(objects, task).read(URIS, 'Completed', { championPresent: false })).rejects.toThrow('score 6 of the candidate');
  });

  test('of permuted rows are none of the holdout, and are told by themselves, or why there are none', async () => {
    const objects = {
      'data/holdout.csv': HOLDOUT,
      'art/scores/candidate/holdout-features.csv.out': '4.5\n6.5\n',
      'art/scores/candidate/permuted-rows.csv.out': '1\n2\n3\n4\n',
    };
    const ref = { uri: 's3://data/permuted-rows.csv', features: ['hr', 'timestamp'], repeats: 1, sample: [0, 1] };
    const { candidate } = await reader(objects).read(URIS, 'Completed', { championPresent: false });
    expect([...candidate.prediction.slice(0, 2)]).toEqual([4.5, 6.5]);
    expect(await reader(objects).readPermuted(URIS.candidateScoresUri, ref)).toMatchObject({ count: 4 });
    const unreadable = { ...objects, 'art/scores/candidate/permuted-rows.csv.out': '1\nx\n' };
    const unscored = { 'art/scores/candidate/holdout-features.csv.out': '4.5\n6.5\n' };
    for (const [left, why] of [[unreadable, 'score 2 of the permuted rows'], [unscored, 'did not score the permuted rows']] as const) {
      expect(await reader(left).readPermuted(URIS.candidateScoresUri, ref)).toEqual({ why: expect.stringContaining(why) });
    }
  });

  test('that are classes are names, however a number is written', async () => {
    const objects = { 'data/holdout.csv': 'y\n1\n2.0\nb\n', 'art/scores/candidate/a.out': '1.0\n2\nc\n' };
    const { candidate } = await reader(objects, CLASSES).read(URIS, 'Completed', { championPresent: false });
    expect(figuresOfHoldout({ candidate } as never).candidate.metrics.accuracy.value).toBeCloseTo(2 / 3, 12);
  });

  test('of rows without a time stand in blocks of consecutive rows', async () => {
    const rows = Array.from({ length: 1200 }, (_, row) => row);
    const objects = { 'data/holdout.csv': `cnt\n${rows.join('\n')}\n`, 'art/scores/candidate/a.out': rows.join('\n') };
    const task = { kind: 'REGRESSION', target: 'cnt' };
    const { blocks } = await reader(objects, task).read(URIS, 'Completed', { championPresent: false });
    expect(blocks).toEqual({ unit: 'rows', count: 400, rowsPerBlock: 3 });
  });

  test('bring groups and the keys of rows with them', async () => {
    const objects = { 'data/holdout.csv': 'timestamp,hr,cnt\n2012-01-01,1,5\n2012-01-02,,6\n', 'art/scores/candidate/h.out': '4\n6\n' };
    const options = { championPresent: false, groupColumns: ['hr'], keyColumns: [['timestamp', 'hr'], ['gone']] };
    const { candidate, keys } = await reader(objects).read(URIS, 'Completed', options);
    expect(candidate.groups[0].list).toEqual(['1', '(no value)']);
    expect([...keys.keys()]).toEqual([keysOf(['timestamp', 'hr'])]);
    expect(keys.get(keysOf(['timestamp', 'hr']))?.count).toBe(2);
  });

  const good = { 'art/scores/candidate/h.out': '1\n2\n', 'data/holdout.csv': HOLDOUT };
  test.each<[string, Record<string, string>, string, RegExp, object?]>([
    ['are missing', { 'data/holdout.csv': HOLDOUT }, 'Completed', /scores of the candidate cannot be read/],
    [
      'are no numbers',
      { 'data/holdout.csv': HOLDOUT, 'art/scores/candidate/h.out': 'yes\nno\n' },
      'Completed',
      /score 1 of the candidate is not what a REGRESSION model answers/,
    ],
    ['are infinite', { ...good, 'art/scores/candidate/h.out': '1\nInfinity\n' }, 'Completed', /score 2 of the candidate/],
    ['are broken JSON', { ...good, 'art/scores/candidate/h.out': '{"score\n2\n' }, 'Completed', /scores of the candidate cannot be read/],
    ['are too few', { ...good, 'art/scores/candidate/h.out': '1\n' }, 'Completed', /candidate has 1 scores for 2 holdout rows/],
    ['are too many', { ...good, 'art/scores/candidate/h.out': '1\n2\n3\n' }, 'Completed', /candidate has 3 scores for 2 holdout rows/],
    [
      'are too many of the champion',
      { ...good, 'art/scores/champion/h.out': '1\n2\n3\n' },
      'Completed',
      /champion has 3 scores for 2/,
      { championPresent: true },
    ],
    ['come from a job that was stopped', {}, 'Stopped', /training job ended as Stopped/],
    ['meet a holdout without truth', { ...good, 'data/holdout.csv': 'timestamp,cnt\n2012-01-01,\n' }, 'Completed', /target of holdout row 1/],
    ['meet a holdout with an odd time', { ...good, 'data/holdout.csv': 'timestamp,cnt\nsoon,1\n' }, 'Completed', /time of holdout row 1/],
    ['meet a holdout without its groups', good, 'Completed', /no group column 'town'/, { groupColumns: ['town'] }],
    ['meet a holdout without a row', { ...good, 'data/holdout.csv': 'timestamp,cnt\n' }, 'Completed', /holdout holds no row/],
    ['meet no holdout', { 'art/scores/candidate/h.out': '1\n' }, 'Completed', /holdout cannot be read/],
  ])('that %s fail closed', async (_, objects, status, message, options = {}) => {
    await expect(reader(objects).read(URIS, status, { championPresent: false, ...options })).rejects.toMatchObject({
      name: 'GateIncomplete',
      message: expect.stringMatching(message),
    });
  });

  test('that S3 does not hand out just now are worth another try', async () => {
    const bucket = new MemoryBucket();
    bucket.objects.set('art/scores/candidate/h.out', '1\n');
    const slow = Object.assign(new Error('slow down'), { name: 'SlowDown', $metadata: {} });
    bucket.before = () => {
      throw slow;
    };
    await expect(new ScoreReader(bucket.files(), REGRESSION).read(URIS, 'Completed', { championPresent: false })).rejects.toBe(slow);
  });
});

describe('the bootstrap', () => {
  const meanOf = (values: readonly number[]): BlockValue =>
    figureOf([Float64Array.from(values), new Float64Array(values.length).fill(1)], ([sum, n]) => sum / n, ([, n]) => n)!;
  const blocks = Array.from({ length: 30 }, (_, index) => index);

  test('holds the figure it is made of and is about as wide as Student’s t says', () => {
    const { low, high } = blockBootstrap(meanOf(blocks), 30, 0.025, 1)!;
    // Standard error of the mean of 0 to 29: sqrt(775 / 10 / 30) = 1.607; t of 29 degrees of freedom: 2.045.
    expect(low).toBeLessThan(14.5 - 2.9);
    expect(low).toBeGreaterThan(14.5 - 3.7);
    expect(high).toBeGreaterThan(14.5 + 2.9);
    expect(high).toBeLessThan(14.5 + 3.7);
  });

  test('is the same for the same seed and another for another', () => {
    expect(blockBootstrap(meanOf(blocks), 30, 0.05, 1)).toEqual(blockBootstrap(meanOf(blocks), 30, 0.05, 1));
    expect(blockBootstrap(meanOf(blocks), 30, 0.05, 1)).not.toEqual(blockBootstrap(meanOf(blocks), 30, 0.05, 2));
  });

  test('draws more often where an end lies further out', () => {
    expect(blockBootstrap(meanOf(blocks), 30, 0.05, 1)!.resamples).toBe(1000);
    expect(blockBootstrap(meanOf(blocks), 30, 0.005, 1)!.resamples).toBeGreaterThan(5000);
  });

  test('is left out where one block says nothing about others, or the figure is mostly open', () => {
    expect(blockBootstrap(meanOf([3]), 1, 0.05, 1)).toBeUndefined();
    const open = { ...meanOf(blocks), drawn: (times: Float64Array) => (times[0] > 0 ? 1 : NaN) };
    expect(blockBootstrap(open, 30, 0.05, 1)).toBeUndefined();
    expect(blockBootstrap({ ...meanOf(blocks), drawn: undefined }, 30, 0.05, 1)).toBeUndefined();
  });

  test('of every metric is what the metric of the drawn rows is', () => {
    const normal = normals(9);
    const days = Array.from({ length: 400 }, (_, row) => row % 25);
    const times = Float64Array.from({ length: 25 }, (_, day) => (day * 5) % 4);
    const drawnRows = days.flatMap((day, row) => Array.from({ length: times[day] }, () => row));
    const names = ['a', 'b', 'c', 'd'];
    const cases = [
      [REGRESSION, days.map(() => normal()), days.map(() => normal())],
      [BINARY, days.map((_, row) => row % 3 && 1), days.map(() => Math.round(50 * Math.abs(Math.sin(normal()))) / 50)],
      [CLASSES, days.map((_, row) => names[row % 4]), days.map((_, row) => names[Math.floor(Math.abs(normal()) * 2) % 4 || row % 4])],
    ] as const;
    for (const [task, truth, candidate] of cases) {
      const { metrics } = figuresOfHoldout(holdoutOf(task, { truth, candidate, days })).candidate;
      const drawnOf = (values: readonly (number | string)[]) => drawnRows.map((row) => values[row]);
      const again = holdoutOf(task, { truth: drawnOf(truth), candidate: drawnOf(candidate), days: drawnRows.map((_, row) => row) });
      const expected = figuresOfHoldout(again).candidate.metrics;
      for (const [name, { drawn }] of Object.entries(metrics)) {
        expect([name, drawn!(times)]).toEqual([name, expect.closeTo(expected[name].value, 9)]);
      }
    }
  });
});

describe('the evaluation', () => {
  const days = Array.from({ length: 600 }, (_, row) => Math.floor(row / 20));
  const normal = normals(4);

  test('of probabilities tells calibration, curves and the confusion matrix', () => {
    const score = days.map((_, row) => (row % 100) / 100 + 0.005);
    const truth = score.map((value, row) => ((row * 37) % 100) / 100 < value && 1 || 0);
    const rows = { truth, candidate: score, champion: score.map(() => 0.4), days, groups: { town: days.map((day) => (day % 3 ? 'a' : 'b')) } };
    const holdout = holdoutOf(BINARY, rows);
    const found = evaluate(holdout, 'logLoss', figuresOfHoldout(holdout));
    const { calibration, curves, confusion, groups, overTime, improvements, championCalibration } = found;
    expect(calibration).toHaveLength(10);
    expect(calibration!.reduce((sum, { rows: count }) => sum + count, 0)).toBe(600);
    for (const { predicted, observed } of calibration!) expect(Math.abs(predicted - observed.value)).toBeLessThan(0.25);
    expect(championCalibration).toHaveLength(1);
    expect(curves!.roc[0]).toEqual([0, 0]);
    expect(curves!.roc.at(-1)).toEqual([1, 1]);
    curves!.roc.slice(1).forEach(([x, y], index) => expect(x >= curves!.roc[index][0] && y >= curves!.roc[index][1]).toBe(true));
    // The area below the points is the AUC but for the steps between them.
    const area = curves!.roc.slice(1).reduce((sum, [x, y], index) => sum + (x - curves!.roc[index][0]) * ((y + curves!.roc[index][1]) / 2), 0);
    expect(area).toBeCloseTo(figuresOfHoldout(holdout).candidate.metrics.auc.value, 2);
    const count = (positive: number, selected: boolean): number => truth.filter((y, row) => y === positive && score[row] >= 0.5 === selected).length;
    const counts = [0, 1].map((positive) => [count(positive, false), count(positive, true)]);
    expect(confusion).toEqual({ labels: ['not 1', '1'], threshold: 0.5, counts });
    expect(groups[0].groups.map(({ group, rows: size }) => [group, size])).toEqual([['a', 400], ['b', 200]]);
    expect(overTime).toHaveLength(30);
    expect(overTime[0]).toMatchObject({ name: '1970-01-01', rows: 20, candidate: expect.any(Number), champion: expect.any(Number) });
    expect(improvements!.logLoss.low).toBeGreaterThan(0);
  });

  test('of scores that are no probabilities tells no calibration', () => {
    const holdout = holdoutOf(BINARY, { truth: days.map((_, row) => row % 2), candidate: days.map(() => 3 * normal()), days });
    expect(evaluate(holdout, 'auc', figuresOfHoldout(holdout))).not.toHaveProperty('calibration');
  });

  test('of a regression tells what came of predictions, by bins of as many rows', () => {
    const truth = days.map(() => 100 + 20 * normal());
    const holdout = holdoutOf(REGRESSION, { truth, candidate: truth.map((value) => value + normal()), days });
    const { calibration, curves, confusion, overTime } = evaluate(holdout, 'rmse', figuresOfHoldout(holdout));
    expect(calibration!.map(({ rows }) => rows)).toEqual(new Array(10).fill(60));
    for (const { predicted, observed } of calibration!) {
      expect(observed.low! < predicted + 1 && predicted - 1 < observed.high!).toBe(true);
    }
    expect([curves, confusion]).toEqual([undefined, undefined]);
    // The mean of the days' squares is the square of the whole.
    const whole = Math.sqrt(overTime.reduce((sum, { candidate, rows }) => sum + (candidate! ** 2 * rows) / 600, 0));
    expect(whole).toBeCloseTo(figuresOfHoldout(holdout).candidate.metrics.rmse.value, 9);
  });

  test('of many classes puts the rare ones together', () => {
    const truth = days.map((_, row) => `class ${String(row % 40).padStart(2, '0')}`);
    const holdout = holdoutOf(CLASSES, { truth, candidate: truth, days });
    const { confusion } = evaluate(holdout, 'accuracy', figuresOfHoldout(holdout));
    expect(confusion!.labels).toHaveLength(20);
    expect(confusion!.labels.at(-1)).toBe('(other classes)');
    expect(confusion!.counts.flat().reduce((sum, one) => sum + one, 0)).toBe(600);
  });

  test('of years shows neighbouring days together', () => {
    const long = Array.from({ length: 800 }, (_, day) => day);
    const holdout = holdoutOf(REGRESSION, { truth: long, candidate: long.map((day) => day + 1), days: long });
    const { overTime } = evaluate(holdout, 'mae', figuresOfHoldout(holdout));
    expect(overTime).toHaveLength(115);
    expect(overTime.every(({ candidate }) => candidate === 1)).toBe(true);
  });
});

test('a candidate that is judged once more gets a report of its own', () => {
  expect([gateReportKey('Bikes', 'r'), gateReportKey('Bikes', 'r', 1)]).toEqual(['gate/Bikes/r/gate.json', 'gate/Bikes/r/gate-1.json']);
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
