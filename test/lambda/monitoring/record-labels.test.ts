import { ARTIFACTS_ENV } from '../../../lib/artifacts/contract';
import { COMMON_ENV } from '../../../lib/common/contract';
import { MONITORING_ENV } from '../../../lib/monitoring/contract';
import { MemoryBucket } from '../../fakes/memory-s3';

const event = (detail: object, more: object = {}): object => ({
  id: 'event-1',
  time: '2026-03-01T10:59:59Z',
  source: 'cdk-mlops',
  'detail-type': 'Labels Observed',
  detail: { platform: 'city', model: 'Demand', labels: [{ inferenceId: 'a', value: 3 }], ...detail },
  ...more,
});

describe('labels that come as events', () => {
  let bucket: MemoryBucket;
  let handler: (event: unknown) => Promise<void>;

  beforeEach(async () => {
    process.env[COMMON_ENV.platform] = 'city';
    process.env[ARTIFACTS_ENV.predictionsBucket] = 'predictions';
    process.env[MONITORING_ENV.labelModels] = '["Demand"]';
    bucket = new MemoryBucket();
    bucket.install();
    ({ handler } = await import('../../../lambda/monitoring/record-labels.lambda'));
  });

  afterEach(() => jest.restoreAllMocks());

  test('are written where label files are, with what the event tells', async () => {
    const corrected = { inferenceId: 'b', rowIndex: 2, value: null, observedAt: '2026-02-28T12:00:00+01:00', labelVersion: 3 };
    await handler(event({ labels: [{ inferenceId: 'a', value: 3 }, corrected] }));
    expect(bucket.written).toEqual([expect.stringMatching(/^predictions\/labels\/Demand\/2026\/03\/01\/10\/event-[0-9a-f]{32}\.jsonl$/)]);
    const lines = [...bucket.objects.values()][0].trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([
      { inferenceId: 'a', rowIndex: 0, value: 3, observedAt: '2026-03-01T10:59:59.000Z', labelVersion: 1 },
      { ...corrected, observedAt: '2026-02-28T11:00:00.000Z' },
    ]);
  });

  test('are written once, however often the event is delivered', async () => {
    await handler(event({}));
    await handler(event({}));
    expect(bucket.written).toHaveLength(1);
    await handler(event({}, { id: 'event-2' }));
    expect(bucket.objects.size).toBe(2);
  });

  test.each([
    ['another platform', event({ platform: 'town' }), 'UnknownPlatform'],
    ['a model that the platform does not have', event({ model: 'Weather' }), 'UnknownModel'],
    ['a name that is no model', event({ model: '../x' }), 'ZodError'],
    ['no labels', event({ labels: [] }), 'ZodError'],
    ['a label without a value', event({ labels: [{ inferenceId: 'a' }] }), 'ZodError'],
    ['another kind of event', event({}, { 'detail-type': 'Data Drift Detected' }), 'ZodError'],
  ])('of %s fail as a whole', async (_, input, name) => {
    await expect(handler(input)).rejects.toMatchObject({ name });
    expect(bucket.written).toEqual([]);
  });

  test('that cannot be written fail', async () => {
    bucket.before = () => {
      throw Object.assign(new Error('slow down'), { name: 'SlowDown' });
    };
    await expect(handler(event({}))).rejects.toThrow('slow down');
  });
});
