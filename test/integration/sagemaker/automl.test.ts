import { setTimeout as sleep } from 'node:timers/promises';
import { Bench, ROLE, configRequest } from './support';

jest.setTimeout(90_000);

const table = (count: number): string => {
  const lines = Array.from({ length: count }, (_, index) => {
    const [a, b] = [(index * 7919) % 100, (index * 104_729) % 50];
    return `2026-01-01T00:00:00Z,${a},${b},${a > 50 ? 1 : 0},${a * 2 + b}`;
  });
  return `at,a,b,large,y\n${lines.join('\n')}\n`;
};

interface Job {
  readonly [field: string]: unknown;
  readonly BestCandidate?: {
    readonly CandidateName: string;
    readonly FinalAutoMLJobObjectiveMetric: { readonly Value: number };
    readonly InferenceContainers: ReadonlyArray<{ readonly ModelDataUrl: string }>;
  };
}

describe('AutoML jobs', () => {
  let bench: Bench;

  const request = (name: string, changes: object = {}, tabular: object = {}) => ({
    AutoMLJobName: name,
    AutoMLJobInputDataConfig: [
      {
        ChannelType: 'training',
        ContentType: 'text/csv;header=present',
        DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/table/' } },
      },
    ],
    OutputDataConfig: { S3OutputPath: 's3://artifacts/automl' },
    AutoMLProblemTypeConfig: {
      TabularJobConfig: { TargetAttributeName: 'y', ProblemType: 'Regression', CompletionCriteria: { MaxCandidates: 3 }, ...tabular },
    },
    AutoMLJobObjective: { MetricName: 'RMSE' },
    RoleArn: ROLE,
    ...changes,
  });

  const ended = async (name: string): Promise<Job> =>
    (await bench.until('DescribeAutoMLJobV2', { AutoMLJobName: name }, 'AutoMLJobStatus', ['InProgress', 'Stopping'])) as Job;

  beforeAll(async () => {
    bench = await Bench.start();
    bench.engine.put('data/table/rows.csv', table(1000));
  });
  afterAll(() => bench.stop());

  test('search over the columns of numbers, and the best candidate’s container serves', async () => {
    await bench.call('CreateAutoMLJobV2', request('search'));
    const job = await ended('search');
    expect(job).toMatchObject({ AutoMLJobStatus: 'Completed', AutoMLJobSecondaryStatus: 'Completed', AutoMLProblemTypeConfigName: 'Tabular' });
    expect(job.BestCandidate).toMatchObject({
      ObjectiveStatus: 'Succeeded',
      FinalAutoMLJobObjectiveMetric: { Type: 'Minimize', MetricName: 'RMSE' },
    });
    expect(job.BestCandidate!.FinalAutoMLJobObjectiveMetric.Value).toBeLessThan(20);

    // A column of times is no column of numbers.
    expect(bench.engine.objects.get('artifacts/automl/search/preprocessed-data/train/rows.csv')?.toString().split('\n')[1].split(',')).toHaveLength(
      4,
    );
    const Containers = job.BestCandidate!.InferenceContainers;
    await bench.call('CreateModel', { ModelName: 'best', ExecutionRoleArn: ROLE, Containers });
    await bench.call('CreateEndpointConfig', configRequest('best', 'best'));
    await bench.call('CreateEndpoint', { EndpointName: 'best', EndpointConfigName: 'best' });
    expect(await bench.settled('best')).toMatchObject({ EndpointStatus: 'InService' });
    const prediction = Number(await (await bench.invoke('best', '10,20,0')).text());
    expect(Math.abs(prediction - 40)).toBeLessThan(20);
  });

  test('classes are judged by the metric that is asked for; a search that is stopped stops its trainings', async () => {
    const classes = { TargetAttributeName: 'large', ProblemType: 'BinaryClassification', CompletionCriteria: { MaxCandidates: 1 } };
    await bench.call('CreateAutoMLJobV2', request('classes', { AutoMLJobObjective: { MetricName: 'F1' } }, classes));
    const best = (await ended('classes')).BestCandidate!.FinalAutoMLJobObjectiveMetric;
    expect(best).toMatchObject({ MetricName: 'F1', Type: 'Maximize' });
    expect(best.Value).toBeGreaterThan(0.9);

    await bench.call('CreateAutoMLJobV2', request('stopped'));
    const trainings = async () =>
      (await bench.call<{ TrainingJobSummaries: object[] }>('ListTrainingJobs', { NameContains: 'stopped' })).TrainingJobSummaries;
    while ((await trainings()).length === 0) await sleep(20);
    await bench.call('StopAutoMLJob', { AutoMLJobName: 'stopped' });
    expect(await ended('stopped')).toMatchObject({ AutoMLJobStatus: 'Stopped' });
    expect(await trainings()).not.toContainEqual(expect.objectContaining({ TrainingJobStatus: 'InProgress' }));
    const { AutoMLJobSummaries } = await bench.call<{ AutoMLJobSummaries: object[] }>('ListAutoMLJobs', { StatusEquals: 'Stopped' });
    expect(AutoMLJobSummaries).toEqual([expect.objectContaining({ AutoMLJobName: 'stopped' })]);
  });

  test('what the search cannot take fails the job or is refused, and says why', async () => {
    const words = { TargetAttributeName: 'at' };
    await bench.call('CreateAutoMLJobV2', request('words', {}, words));
    expect(await ended('words')).toMatchObject({ AutoMLJobStatus: 'Failed', FailureReason: 'the target at holds values that are no numbers' });
    const message = async (changes: object, tabular = {}) => (await bench.refused('CreateAutoMLJobV2', request('refused', changes, tabular))).message;
    expect(await message({}, { Mode: 'ENSEMBLING' })).toContain('ENSEMBLING');
    expect(await message({ AutoMLJobObjective: { MetricName: 'F1' } })).toContain('decides by F1 for Regression');
    expect(await message({ AutoMLProblemTypeConfig: { TextClassificationJobConfig: { ContentColumn: 'a', TargetLabelColumn: 'b' } } })).toContain(
      'AutoML of TextClassification',
    );
  });
});
