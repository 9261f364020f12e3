import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { BillsClient } from '../../../lambda/pipeline/bills.client';

const NOW = Date.UTC(2026, 0, 1, 1);
const before = (seconds: number): Date => new Date(NOW - seconds * 1000);
const ResourceConfig = { InstanceType: 'ml.m5.large', InstanceCount: 2 };

/** SageMaker that answers commands by their names; what it does not know was never there. */
const billsOf = (answers: Record<string, (input: Record<string, string>) => object>) => {
  const client = new SageMakerClient({ region: 'eu-west-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
  client.send = (async ({ constructor, input }: { constructor: { name: string }; input: Record<string, string> }) => {
    const answer = answers[constructor.name.replace(/Command$/, '')];
    if (!answer) throw Object.assign(new Error('Requested resource not found.'), { name: 'ValidationException' });
    return answer(input);
  }) as never;
  return new BillsClient(client, () => NOW);
};
const training = (job: object) => ({ DescribeTrainingJob: () => ({ TrainingJobName: 'j', ResourceConfig, ...job }) });
const told = { kind: 'training', name: 'j', instanceType: 'ml.m5.large' };

describe('a job is billed for', () => {
  test.each<[string, object, number]>([
    ['what SageMaker says, on each of its instances', { BillableTimeInSeconds: 40, TrainingStartTime: before(100) }, 80],
    ['its time until now while it runs', { TrainingStartTime: before(100) }, 200],
    ['nothing before it has its instances', {}, 0],
  ])('%s', async (_, job, instanceSeconds) => {
    expect(await billsOf(training(job)).ask({ kind: 'training', name: 'j' })).toEqual({ ...told, instanceSeconds });
  });

  test.each<[string, object, number]>([
    ['its time', { TransformStartTime: before(100), TransformEndTime: before(70) }, 30],
    ['its time until now', { TransformStartTime: before(100) }, 100],
    ['nothing', {}, 0],
  ])('%s where it only scores', async (_, job, instanceSeconds) => {
    const TransformResources = { InstanceType: 'ml.m5.xlarge', InstanceCount: 1 };
    const bills = billsOf({ DescribeTransformJob: () => ({ TransformJobName: 't', TransformResources, ...job }) });
    expect(await bills.ask({ kind: 'transform', name: 't' })).toMatchObject({ instanceType: 'ml.m5.xlarge', instanceSeconds });
  });

  test('its time until now where it processes', async () => {
    const ProcessingResources = { ClusterConfig: ResourceConfig };
    const bills = billsOf({ DescribeProcessingJob: () => ({ ProcessingJobName: 'p', ProcessingResources, ProcessingStartTime: before(10) }) });
    expect(await bills.ask({ kind: 'processing', name: 'p' })).toMatchObject({ instanceType: 'ml.m5.large', instanceSeconds: 20 });
  });
});

describe('a tuning is billed for the jobs that it made', () => {
  const children = [
    { TrainingJobName: 't-1', TrainingStartTime: before(100), TrainingEndTime: before(60) },
    { TrainingJobName: 't-2', TrainingStartTime: before(30) },
    { TrainingJobName: 't-3' },
  ];
  const answers = (isSpot: boolean) => ({
    DescribeHyperParameterTuningJob: () => ({
      ...{ HyperParameterTuningJobName: 't', ConsumedResources: { RuntimeInSeconds: 5 } },
      TrainingJobDefinition: { ResourceConfig, EnableManagedSpotTraining: isSpot },
    }),
    // One a page.
    ListTrainingJobsForHyperParameterTuningJob: ({ NextToken = '0' }: Record<string, string>) => {
      const index = Number(NextToken);
      return { TrainingJobSummaries: [children[index]], NextToken: index < 2 ? String(index + 1) : undefined };
    },
  });

  test('all of them, also those that ran side by side', async () => {
    expect(await billsOf(answers(false)).ask({ kind: 'tuning', name: 't' })).toEqual({
      ...{ kind: 'tuning', name: 't', instanceType: 'ml.m5.large' },
      instanceSeconds: (40 + 30) * 2,
    });
  });

  test('on spare capacity by what each of them says', async () => {
    const bills = billsOf({ ...answers(true), ...training({ BillableTimeInSeconds: 5 }) });
    expect(await bills.ask({ kind: 'tuning', name: 't' })).toMatchObject({ instanceSeconds: 3 * 5 * 2 });
  });
});

test('a job that was never made is told from one that nobody may look at', async () => {
  expect(await billsOf({}).ask({ kind: 'training', name: 'j' })).toBe('none');
  const closed = billsOf({
    DescribeTrainingJob: () => {
      throw Object.assign(new Error('no'), { name: 'AccessDeniedException' });
    },
  });
  expect(await closed.ask({ kind: 'training', name: 'j' })).toBeUndefined();
  expect(await billsOf({}).ask({ kind: 'auto-ml', name: 'j' })).toBeUndefined();
});
