import path from 'node:path';
import { readHours } from '../../../cli/demo/bike-data';
import { scorePeriods } from '../../../cli/demo/review';
import { eventually, followRun } from '../../../cli/demo/runs';
import { Story } from '../../../cli/demo/story';
import { findPlatform, type Platform } from '../../../cli/platform';
import type { LabelRecord } from '../../../lib/serving/contract';
import { countsOf, DemoWorld, MODEL } from './world';

process.env.AWS_REGION = 'eu-west-1';

const hours = readHours(path.join(__dirname, '../../../examples/bike-sharing/data/hour.csv'));
const tell = (): void => undefined;

let world: DemoWorld;
let platform: Platform;
let story: Story;

beforeEach(async () => {
  world = new DemoWorld().install();
  platform = await findPlatform({});
  story = new Story(platform, MODEL, hours);
});
afterEach(() => jest.restoreAllMocks());

const timesOf = (rows: readonly string[][]): string[] => rows.flat().map((row) => row.slice(0, row.indexOf(',')));

const labels = (): LabelRecord[] =>
  [...world.bucket.objects]
    .filter(([key]) => key.startsWith('predictions/labels/'))
    .flatMap(([, text]) => text.trim().split('\n').map((line) => JSON.parse(line) as LabelRecord));

test('the first version is asked for by hand, with the data of 2011 alone', async () => {
  const told: string[] = [];
  expect(await story.firstVersion((line) => told.push(line))).toMatchObject({ outcome: 'promoted', version: 1 });
  expect(told).toEqual(['Train', 'FinishPromoted']);
  const data = world.bucket.text('s3://data/datasets/BikeDemand/2011.csv').trim().split('\n').slice(1);
  expect(data).toHaveLength(8645);
  expect(data.every((row) => row.startsWith('2011'))).toBe(true);
  expect((await story.decisions()).map(({ decision, cause }) => [decision, cause.kind])).toEqual([['started', 'manual']]);
});

test('a good month sends each hour once, delivers its truth afterwards and adds it to the data', async () => {
  await world.promote();
  const told: string[] = [];
  expect(await story.month('2012-01', (line) => told.push(line))).toBeUndefined();
  expect(timesOf(world.answered).sort()).toEqual(hours.filter(({ timestamp }) => timestamp.startsWith('2012-01')).map(({ timestamp }) => timestamp));
  const truth = new Map(hours.map((hour) => [hour.timestamp, hour.count]));
  expect(labels().reduce((sum, { value }) => sum + Number(value), 0)).toBe(timesOf(world.answered).reduce((sum, time) => sum + truth.get(time)!, 0));
  expect(labels().every(({ observedAt }) => observedAt === '2012-02-01T00:00:00.000Z')).toBe(true);
  expect(world.bucket.text('s3://data/datasets/BikeDemand/2012-01.csv')).toContain('2012-01-31T23:00:00Z');
  expect(told).toEqual(['2012-01-15: 741 rows, RMSE 64.3 (ok), drift: ok', '2012-02-01: 741 rows, RMSE 64.3 (ok), drift: ok']);
  expect(countsOf(story.client)).toEqual({ requests: 31, failures: 0, firstFailure: undefined });
});

test('a degraded month starts a run, during which the client goes on and a person’s request joins it', async () => {
  await world.promote();
  const told: string[] = [];
  const started = await story.month('2012-04', (line) => told.push(line));
  expect(started).toMatchObject({ decision: 'started', cause: { kind: 'quality' } });
  expect(told.at(-1)).toBe('governor: started: the rules say so');
  const before = world.answered.length;
  expect(await story.whileRunning(started!, (line) => told.push(line))).toMatchObject({ outcome: 'promoted', version: 2 });

  const sentMeanwhile = timesOf(world.answered.slice(before));
  // Hour by hour while the run was under way, then to the end of the second day; no hour twice, none left out.
  expect(world.answered.slice(before).length).toBeGreaterThan(2);
  const days = hours.filter(({ timestamp }) => timestamp >= '2012-05-01' && timestamp < '2012-05-03');
  expect(sentMeanwhile).toEqual(days.map(({ timestamp }) => timestamp));
  expect((await story.decisions()).map(({ decision }) => decision)).toEqual(['started', 'coalesced']);

  // May goes on where the days of the run ended.
  expect(await story.month('2012-05', tell)).toBeUndefined();
  expect(new Set(timesOf(world.answered)).size).toBe(timesOf(world.answered).length);
  expect(story.months.map(({ month, servedVersion, verdict, features }) => ({ month, servedVersion, ...verdict, features }))).toEqual([
    { month: '2012-04', servedVersion: 1, drift: 'drift', quality: 'degraded', features: ['temp'] },
    { month: '2012-05', servedVersion: 2, drift: 'ok', quality: 'ok', features: [] },
  ]);
  // The report to look at is the one that saw something.
  expect(story.report?.reportUri).toContain('2012-05-01T');

  const review = await story.review();
  const april = hours.filter(({ timestamp }) => timestamp.startsWith('2012-04'));
  const rmse = Math.sqrt(april.reduce((sum, { count }) => sum + (count - 100) ** 2, 0) / april.length);
  // The world answers 100 always, so that what clients got is as wrong as the first version is.
  expect(review.map(({ month }) => month)).toEqual(['2012-04', '2012-05']);
  expect(review[0].rmse).toBeCloseTo(rmse, 6);
  expect(review[0].rmseOfFirstVersion).toBeCloseTo(rmse, 6);
}, 30_000);

test('a month whose requests all fail ends with their first cause, and without labels', async () => {
  await world.promote();
  world.refusal = { statusCode: 503, body: 'busy' };
  await expect(story.month('2012-01', tell)).rejects.toThrow('no request of 2012-01 was answered: HTTP 503: busy');
  expect(countsOf(story.client)).toEqual({ requests: 31, failures: 31, firstFailure: 'HTTP 503: busy' });
  expect(labels()).toEqual([]);
});

test('a monitor that fails is told with its error', async () => {
  world.machines.answers.set(`arn:aws:states:eu-west-1:111122223333:stateMachine:monitor-${MODEL}`, () => {
    throw Object.assign(new Error('no baseline'), { name: 'BaselineMissing' });
  });
  await expect(story.client.monitor({})).rejects.toThrow('the monitor ended FAILED: BaselineMissing no baseline');
});

test('a month without a version that serves says what went wrong before', async () => {
  await expect(story.month('2012-01', tell)).rejects.toThrow('BikeDemand has no champion: the first run did not promote one');
});

test('a run that fails is told with its state and cause', async () => {
  world.runStatus = 'FAILED';
  await expect(story.firstVersion(tell)).rejects.toThrow(/^run BikeDemand-1 ended FAILED in Train: AlgorithmError no memory$/);
  await expect(followRun(platform, MODEL, 'never', tell)).rejects.toThrow('Execution Does Not Exist');
});

test('records that never come are counted in the error', async () => {
  await story.client.predict(hours.slice(0, 2));
  await story.client.recordsDelivered(1);
  await expect(story.client.recordsDelivered(2, 0.3)).rejects.toThrow('only 1 of 2 requests were recorded within 0.3 s');
});

test('a review whose job fails is told with its reason', async () => {
  world.transformStatus = 'Failed';
  const periods = [{ name: '2012-01', hours: hours.slice(0, 24) }];
  await expect(scorePeriods(platform, MODEL, 'first-model', periods)).rejects.toThrow(/transform job bikedemand-review-\d+ ended Failed: no memory/);
  await expect(scorePeriods(platform, MODEL, 'other', periods)).rejects.toThrow('Could not find model "other"');
});

test('what does not happen in time is named', async () => {
  await expect(eventually('the decision', 0, async () => undefined)).rejects.toThrow('the decision did not happen within 0 s');
});
