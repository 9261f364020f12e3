import { Bench, ROLE, SCIKIT_LEARN_IMAGE, configRequest, modelRequest, trainingRequest } from './support';

jest.setTimeout(30_000);

describe('requests are checked against the real service model', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await Bench.start();
  });
  afterAll(() => bench.stop());

  const training = (changes: object) => bench.refused('CreateTrainingJob', trainingRequest('job', changes));

  test.each([
    [{ TrainingJobName: 'has_underscore' }, "Value 'has_underscore' at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular"],
    [{ TrainingJobName: 'a'.repeat(64) }, 'Member must have length less than or equal to 63'],
    [{ RoleArn: undefined }, "Value null at 'roleArn' failed to satisfy constraint: Member must not be null"],
    [{ ResourceConfig: { InstanceType: 'ml.huge', InstanceCount: 1 } }, "Value 'ml.huge' at 'resourceConfig.instanceType' failed"],
    [{ StoppingCondition: { MaxRuntimeInSeconds: 0 } }, "at 'stoppingCondition.maxRuntimeInSeconds' failed to satisfy constraint: Member must have"],
    [{ InputDataConfig: [{ DataSource: {} }] }, "Value null at 'inputDataConfig.1.member.channelName' failed to satisfy constraint"],
    [{ HyperParameters: { rounds: 'x'.repeat(3000) } }, "Value at 'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint"],
  ])('%j gives the ValidationException of the service', async (changes, message) => {
    const failure = await training(changes);
    expect(failure).toMatchObject({ status: 400, __type: 'ValidationException' });
    expect(failure.message).toMatch(/^\d+ validation errors? detected: /);
    expect(failure.message).toContain(message);
  });

  test('several findings are told at once', async () => {
    const failure = await bench.refused('CreateEndpoint', { EndpointName: '-' });
    expect(failure.message).toMatch(/^2 validation errors detected: .*'endpointConfigName'.*; .*'endpointName'/);
  });

  test('a value of the wrong type is a SerializationException', async () => {
    // Hyperparameters are strings: a number there is the classic mistake of a state machine.
    expect(await training({ HyperParameters: { rounds: 200 } })).toMatchObject({
      __type: 'SerializationException',
      message: "NUMBER_VALUE can not be converted to a String at 'hyperParameters'",
    });
  });

  test('an unknown field is an error of the engine, said to be one', async () => {
    const failure = await training({ ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 1, Spot: true } });
    expect(failure).toMatchObject({ __type: 'EngineUnknownField', message: expect.stringContaining('Spot in resourceConfig') });
  });

  test('operations that do not exist and those that are not played differ', async () => {
    expect((await bench.refused('CreateNothing', {})).__type).toBe('UnknownOperationException');
    expect((await bench.refused('CreateLabelingJob', {})).__type).toBe('EngineUnsupported');
  });

  test.each([
    ['no stopping condition', { StoppingCondition: undefined }, 'StoppingCondition is required'],
    ['spot without a wait', { EnableManagedSpotTraining: true }, 'MaxWaitTimeInSeconds must be specified'],
    ['a wait shorter than the run', { EnableManagedSpotTraining: true, StoppingCondition: waiting(60, 30) }, 'greater than'],
    ['a wait without spot', { StoppingCondition: waiting(60, 90) }, 'must not be specified'],
    ['two channels of one name', { InputDataConfig: [...trainingRequest('x').InputDataConfig, ...trainingRequest('x').InputDataConfig] }, 'unique'],
    ['no image', { AlgorithmSpecification: { TrainingInputMode: 'File' } }, 'Exactly one of TrainingImage and AlgorithmName'],
  ])('training with %s is refused', async (_, changes, message) => {
    expect(await training(changes)).toMatchObject({ __type: 'ValidationException', message: expect.stringContaining(message) });
  });

  test.each([
    ['Pipe mode', { AlgorithmSpecification: { ...trainingRequest('x').AlgorithmSpecification, TrainingInputMode: 'Pipe' } }],
    ['several instances', { ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 2, VolumeSizeInGB: 1 } }],
    [
      'no script where the image holds no algorithm',
      { HyperParameters: {}, AlgorithmSpecification: { TrainingImage: SCIKIT_LEARN_IMAGE, TrainingInputMode: 'File' } },
    ],
  ])('training with %s is named as a limit of the engine', async (_, changes) => {
    expect(await training(changes)).toMatchObject({ __type: 'EngineUnsupported', message: expect.stringContaining('local engine') });
  });

  const small = { MemorySizeInMB: 2048, MaxConcurrency: 5 };
  const variant = (changes: object) => ({ ProductionVariants: [{ VariantName: 'a', ModelName: 'm', ...changes }] });
  test.each([
    ['capture', { ...variant({ ServerlessConfig: small }), DataCaptureConfig: capture() }, 'DataCaptureConfig is not supported for serverless'],
    ['a VPC', { ...variant({ ServerlessConfig: small }), VpcConfig: { SecurityGroupIds: ['sg-1'], Subnets: ['subnet-1'] } }, 'VpcConfig is not'],
    ['an instance type', variant({ ServerlessConfig: small, InstanceType: 'ml.m5.large' }), 'cannot both be specified'],
    ['memory between two sizes', variant({ ServerlessConfig: { ...small, MemorySizeInMB: 1500 } }), 'Invalid MemorySizeInMB 1500'],
    ['too much memory', variant({ ServerlessConfig: { ...small, MemorySizeInMB: 8192 } }), 'less than or equal to 6144'],
    ['more provisioned than maximal', variant({ ServerlessConfig: { ...small, ProvisionedConcurrency: 6 } }), 'ProvisionedConcurrency'],
    ['two variants', { ProductionVariants: ['a', 'b'].map((name) => ({ VariantName: name, ModelName: 'm', ServerlessConfig: small })) }, 'only one'],
    ['neither serverless nor instances', variant({}), 'InstanceType must be specified'],
    ['no count', variant({ InstanceType: 'ml.m5.large' }), 'InitialInstanceCount must be specified'],
  ])('an endpoint configuration with %s is refused', async (_, changes, message) => {
    const failure = await bench.refused('CreateEndpointConfig', { EndpointConfigName: 'c', ...changes });
    expect(failure).toMatchObject({ __type: 'ValidationException', message: expect.stringContaining(message) });
  });

  test('a model needs one container with a known image and a script', async () => {
    const { PrimaryContainer } = modelRequest('m', 'j');
    const model = (changes: object) => bench.refused('CreateModel', { ModelName: 'm', ExecutionRoleArn: ROLE, ...changes });
    expect((await model({})).message).toContain('Either PrimaryContainer or Containers');
    const bare = { ...PrimaryContainer, Image: SCIKIT_LEARN_IMAGE, Environment: {} };
    expect((await model({ PrimaryContainer: bare })).__type).toBe('EngineUnsupported');
    const image = PrimaryContainer.Image.replace('3.0-5', '3.2-0');
    expect((await model({ PrimaryContainer: { ...PrimaryContainer, Image: image } })).message).toMatch(/xgboost 3\.2\.0, the local engine 3\.0\.5/);
    expect((await bench.refused('CreateEndpointConfig', configRequest('c', 'unknown'))).message).toContain('Could not find model');
  });

  test('a page token from elsewhere is refused', async () => {
    expect((await bench.refused('ListModels', { NextToken: 'made-up' })).__type).toBe('ValidationException');
  });
});

function waiting(MaxRuntimeInSeconds: number, MaxWaitTimeInSeconds: number) {
  return { MaxRuntimeInSeconds, MaxWaitTimeInSeconds };
}

function capture() {
  return { InitialSamplingPercentage: 100, DestinationS3Uri: 's3://data/capture', CaptureOptions: [{ CaptureMode: 'Input' }] };
}
