import { Bench, IMAGE, SCIKIT_LEARN_IMAGE, configRequest, modelRequest, trainingRequest, unpacked } from './support';

jest.setTimeout(60_000);

/** Target first and no header, as the algorithm takes it; a cell may be empty. */
const numbers = (count: number, offset = 0): string =>
  Array.from({ length: count }, (_, index) => [(index + offset) * 7919, (index + offset) * 104729].map((seed, at) => seed % (at ? 50 : 100)))
    .map(([a, b], index) => `${a * 2 + b},${a},${index % 10 ? b : ''}\n`)
    .join('');

const channel = (name: string, ContentType?: string) => ({
  ChannelName: name,
  ContentType,
  DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: `s3://data/${name}/` } },
});

describe("XGBoost's built-in algorithm", () => {
  let bench: Bench;

  const request = (name: string, HyperParameters: Record<string, string>, changes: object = {}) => ({
    ...trainingRequest(name),
    AlgorithmSpecification: { TrainingImage: IMAGE, TrainingInputMode: 'File' },
    HyperParameters,
    InputDataConfig: [channel('train', 'text/csv'), channel('validation', 'text/csv;label_size=1')],
    ...changes,
  });

  const train = async (name: string, hyperParameters: Record<string, string>, changes: object = {}) => {
    await bench.call('CreateTrainingJob', request(name, hyperParameters, changes));
    return bench.trained(name);
  };

  const ofImage = (name: string, job: string, Environment = {}) => {
    const { PrimaryContainer, ...model } = modelRequest(name, job);
    return { ...model, PrimaryContainer: { ...PrimaryContainer, Environment } };
  };

  beforeAll(async () => {
    bench = await Bench.start();
    bench.engine.put('data/train/a.csv', numbers(600));
    bench.engine.put('data/train/b.csv', numbers(400, 600));
    bench.engine.put('data/validation/rows.csv', numbers(200, 1000));
    bench.engine.put('data/libsvm/rows', '1 0:1 1:2\n0 0:3\n1 0:1 1:1\n0 0:4\n');
  });
  afterAll(() => bench.stop());

  test('trains on all files of both channels and tells its metrics as the image does', async () => {
    const job = await train('built-in', {
      num_round: '20',
      objective: 'reg:squarederror',
      max_depth: '4',
      learning_rate: '0.5',
      eval_metric: 'rmse,r2',
    });
    expect(job).toMatchObject({ TrainingJobStatus: 'Completed', SecondaryStatus: 'Completed' });
    const final = job.FinalMetricDataList as Array<{ MetricName: string; Value: number }>;
    const valueOf = Object.fromEntries(final.map(({ MetricName, Value }) => [MetricName, Value]));
    expect(Object.keys(valueOf).sort()).toEqual(['train:r2', 'train:rmse', 'validation:r2', 'validation:rmse']);
    expect(valueOf['validation:rmse']).toBeLessThan(15);
    expect(valueOf['validation:r2']).toBeGreaterThan(0.9);

    const lines = bench.engine.logLines('/aws/sagemaker/TrainingJobs/built-in/algo-1-');
    expect(lines.find((line) => line.startsWith('[19]'))).toMatch(/^\[19\]#011train-rmse:\d+\.\d+#011train-r2:\d+\.\d+#011validation-rmse:\d/);
    expect(lines.join('\n')).toContain('Train matrix has 1000 rows and 2 columns');
    expect(Object.keys(unpacked(bench.engine.objects.get('artifacts/models/built-in/output/model.tar.gz')!))).toContain('xgboost-model');
  });

  test('serves what it trained: a line for each row, JSON on request, and says which requests are wrong', async () => {
    await train('served', { num_round: '30', objective: 'reg:squarederror' });
    await bench.call('CreateModel', ofImage('served', 'served'));
    await bench.call('CreateEndpointConfig', configRequest('served', 'served'));
    await bench.call('CreateEndpoint', { EndpointName: 'served', EndpointConfigName: 'served' });
    expect(await bench.settled('served')).toMatchObject({ EndpointStatus: 'InService' });

    const answer = await bench.invoke('served', '10,20\n30,40\n');
    expect(answer.headers.get('content-type')).toBe('text/csv');
    const [first, second, ...rest] = (await answer.text()).split('\n').map(Number);
    expect(Math.abs(first - 40)).toBeLessThan(10);
    expect(Math.abs(second - 100)).toBeLessThan(10);
    expect(rest).toEqual([0]);
    const json = await bench.invoke('served', '10,20', { accept: 'application/json' });
    expect(await json.json()).toEqual({ predictions: [{ score: first }] });

    const status = async (body: string, headers = {}) => (await bench.invoke('served', body, headers)).status;
    expect(await status('10,twenty')).toBe(424);
    expect(await status('1,2,3,4')).toBe(424);
    expect(await (await bench.invoke('served', '1,2,3,4')).json()).toMatchObject({
      OriginalStatusCode: 400,
      OriginalMessage: expect.stringContaining('Unable to evaluate payload provided'),
    });
    expect(await (await bench.invoke('served', '1,2', { accept: 'application/x-npy' })).json()).toMatchObject({ OriginalStatusCode: 406 });

    bench.engine.put('data/rows/rows.csv', '10,20\n30,40\n');
    await bench.call('CreateTransformJob', {
      TransformJobName: 'served',
      ModelName: 'served',
      TransformInput: {
        DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/rows/' } },
        ContentType: 'text/csv',
        SplitType: 'Line',
      },
      TransformOutput: { S3OutputPath: 's3://artifacts/scores', AssembleWith: 'Line', Accept: 'text/csv' },
      TransformResources: { InstanceType: 'ml.m5.large', InstanceCount: 1 },
    });
    expect(await bench.transformed('served')).toMatchObject({ TransformJobStatus: 'Completed' });
    expect(bench.engine.objects.get('artifacts/scores/rows.csv.out')?.toString()).toBe(`${first}\n${second}\n`);
  });

  test('two classes are answered with probabilities, judged by the metrics of the image, and stopped early where nothing improves', async () => {
    bench.engine.put(
      'data/classes/rows.csv',
      Array.from({ length: 400 }, (_, index) => `${index % 40 >= 20 ? 1 : 0},${index % 40},${index % 7}\n`).join(''),
    );
    const source = [channel('train', 'text/csv'), channel('validation', 'text/csv')].map((each) => ({
      ...each,
      DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/classes/' } },
    }));
    const hyperParameters = {
      num_round: '100',
      objective: 'binary:logistic',
      eval_metric: 'logloss,accuracy',
      early_stopping_rounds: '3',
      seed: '7',
    };
    const job = await train('classes', hyperParameters, { InputDataConfig: source });
    expect(job).toMatchObject({ TrainingJobStatus: 'Completed' });
    expect(job.FinalMetricDataList).toContainEqual(expect.objectContaining({ MetricName: 'validation:accuracy', Value: 1 }));
    expect(bench.engine.logLines('/aws/sagemaker/TrainingJobs/classes/algo-1-').filter((line) => /^\[\d+\]/.test(line)).length).toBeLessThan(20);
  });

  test('a tuning decides by a metric that nobody has to define', async () => {
    await bench.call('CreateHyperParameterTuningJob', {
      HyperParameterTuningJobName: 'depths',
      HyperParameterTuningJobConfig: {
        Strategy: 'Grid',
        HyperParameterTuningJobObjective: { Type: 'Minimize', MetricName: 'validation:mae' },
        ResourceLimits: { MaxParallelTrainingJobs: 2 },
        ParameterRanges: { CategoricalParameterRanges: [{ Name: 'max_depth', Values: ['1', '6'] }] },
      },
      TrainingJobDefinition: {
        ...request('', { num_round: '15' }),
        TrainingJobName: undefined,
        HyperParameters: undefined,
        StaticHyperParameters: { num_round: '15' },
      },
    });
    const name = { HyperParameterTuningJobName: 'depths' };
    const job = await bench.until('DescribeHyperParameterTuningJob', name, 'HyperParameterTuningJobStatus', ['InProgress']);
    expect(job).toMatchObject({ HyperParameterTuningJobStatus: 'Completed', BestTrainingJob: { TunedHyperParameters: { max_depth: '6' } } });
  });

  test('libsvm is read, and is what a channel without a type holds', async () => {
    const source = { ...channel('train'), DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://data/libsvm/' } } };
    expect(await train('libsvm', { num_round: '2' }, { InputDataConfig: [source] })).toMatchObject({ TrainingJobStatus: 'Completed' });
  });

  test('what the algorithm refuses fails the job and says what to mend', async () => {
    const refused: ReadonlyArray<readonly [string, Record<string, string>, object, string]> = [
      ['missing', { eta: '0.1' }, {}, 'Missing required hyperparameter: num_round'],
      ['unknown', { num_round: '2', depth: '3' }, {}, 'Extraneous hyperparameter found: depth'],
      ['no-number', { num_round: 'many' }, {}, 'Hyperparameter num_round: could not parse value'],
      ['out-of-range', { num_round: '2', eta: '1.5' }, {}, 'Hyperparameter eta: 1.5 is not in [0, 1]'],
      ['labels', { num_round: '2', objective: 'binary:logistic' }, {}, 'base_score must be in (0,1) for logistic loss'],
      ['channels', { num_round: '2' }, { InputDataConfig: [channel('validation', 'text/csv')] }, 'Missing required channel: train'],
      ['untyped', { num_round: '2' }, { InputDataConfig: [channel('train')] }, "is not 'LIBSVM' format"],
    ];
    const jobs = await Promise.all(refused.map(([name, hyperParameters, changes]) => train(name, hyperParameters, changes)));
    jobs.forEach(({ TrainingJobStatus, FailureReason }, index) => {
      expect(TrainingJobStatus).toBe('Failed');
      expect(FailureReason).toContain('AlgorithmError: framework error: \nUserError: ');
      expect(FailureReason).toContain(refused[index][3]);
    });
  });

  test('what only AWS can run is refused by name', async () => {
    const refused = async (operation: string, body: object) => (await bench.refused(operation, body)).message;
    const parquet = { InputDataConfig: [channel('train', 'application/x-parquet')] };
    expect(await refused('CreateTrainingJob', request('parquet', { num_round: '2' }, parquet))).toContain('reads text/csv and text/libsvm');
    expect(await refused('CreateTrainingJob', request('folds', { num_round: '2', _kfold: '3' }))).toContain('cross validation');
    const other = { AlgorithmSpecification: { TrainingImage: SCIKIT_LEARN_IMAGE, TrainingInputMode: 'File' } };
    expect(await refused('CreateTrainingJob', request('none', { num_round: '2' }, other))).toContain('this image has no algorithm here');
    const learner = '382416733822.dkr.ecr.us-east-1.amazonaws.com/linear-learner:1';
    const linear = { AlgorithmSpecification: { TrainingImage: learner, TrainingInputMode: 'File' } };
    expect(await refused('CreateTrainingJob', request('linear', {}, linear))).toContain('and this image has no algorithm here');
    expect(await refused('CreateModel', ofImage('selected', 'built-in', { SAGEMAKER_INFERENCE_OUTPUT: 'probability' }))).toContain(
      'SAGEMAKER_INFERENCE_OUTPUT',
    );
  });
});
