import { Duration, Size, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Task } from '../../../lib/common/task';
import { Framework } from '../../../lib/pipeline/framework';
import { Training } from '../../../lib/pipeline/training';
import type { TrainingScriptOptions } from '../../../lib/pipeline/training-options';
import { everyTrainingOption, imageTraining, metricDefinitions } from './every-builder';
import { definitionOf, directoryWith, ENV, samplePipeline, type State } from './samples';

jest.setTimeout(30_000);

const script = { directory: directoryWith({ 'train.py': '' }), entryPoint: 'train.py', framework: Framework.xgboost('3.0-5') };
const trainOf = (options: (stack: Stack) => Partial<TrainingScriptOptions>): { readonly stack: Stack; readonly train: State } => {
  const { stack } = samplePipeline({ within: (scope) => ({ training: Training.script({ ...script, ...options(scope) }) }) });
  return { stack, train: definitionOf(stack).States.Train };
};

interface Statement {
  readonly Action: string | string[];
  readonly Resource: unknown;
}

const statementsOf = (stack: Stack, role: RegExp): Statement[] =>
  Object.entries(Template.fromStack(stack).findResources('AWS::IAM::Role'))
    .filter(([id]) => role.test(id))
    .flatMap(([, { Properties }]) => Properties.Policies[0].PolicyDocument.Statement as Statement[]);

test('a training without options asks for nothing that costs or hides', () => {
  const { train } = trainOf(() => ({}));
  expect(Object.keys(train.Parameters!).sort()).toEqual(
    ['AlgorithmSpecification', 'HyperParameters.$', 'InputDataConfig', 'OutputDataConfig', 'ResourceConfig', 'RoleArn', 'StoppingCondition'].concat(
      'TrainingJobName.$',
    ),
  );
});

test('every option reaches SageMaker under its own name', () => {
  const { train } = trainOf((stack) => ({ ...everyTrainingOption(stack), metricDefinitions }));
  expect(train.Parameters).toMatchObject({
    AlgorithmSpecification: { MetricDefinitions: [{ Name: 'holdout:rmse', Regex: 'rmse: ([0-9.]+)' }] },
    ResourceConfig: { InstanceCount: 2, VolumeSizeInGB: 50, VolumeKmsKeyId: expect.stringContaining(':key/') },
    StoppingCondition: { MaxRuntimeInSeconds: 7200, MaxWaitTimeInSeconds: 18_000 },
    EnableManagedSpotTraining: true,
    CheckpointConfig: { 'S3Uri.$': "States.Format('{}/checkpoints', $.prepared.modelOutputUri)" },
    EnableNetworkIsolation: true,
    EnableInterContainerTrafficEncryption: true,
    Environment: { LEVEL: 'debug' },
    RetryStrategy: { MaximumRetryAttempts: 2 },
    VpcConfig: { Subnets: ['subnet-0a1b2c3d', 'subnet-1a1b2c3d'], SecurityGroupIds: [expect.anything()] },
  });
});

test('the state waits as long as spare capacity may take', () => {
  const { train } = trainOf(() => ({ spot: { maxWait: Duration.hours(5), checkpoints: false } }));
  expect(train.TimeoutSeconds).toBe(5 * 3600 + 1800);
  expect(train.Parameters).not.toHaveProperty('CheckpointConfig');
});

test('instances that are kept warm', () => {
  const { train } = trainOf(() => ({ keepAlive: Duration.minutes(10) }));
  expect(train.Parameters).toMatchObject({ ResourceConfig: { KeepAlivePeriodInSeconds: 600 } });
});

test('code comes as a channel where the container has no network to fetch it', () => {
  const { stack, train } = trainOf(() => ({ networkIsolation: true }));
  expect(train.Parameters).toMatchObject({
    InputDataConfig: [
      { ChannelName: 'train' },
      { ChannelName: 'code', DataSource: { S3DataSource: { 'S3Uri.$': '$.prepared.codeUri', S3DataType: 'S3Prefix' } } },
    ],
  });
  expect(JSON.stringify(Template.fromStack(stack).findResources('AWS::Lambda::Function'))).toContain('\\"codeChannel\\":true');
});

test('a network asks for the right to make network interfaces in its subnets, and only then', () => {
  const subnets = { Subnets: expect.anything() };
  const { stack, train } = trainOf((scope) => ({ vpc: everyTrainingOption(scope).vpc }));
  expect(train.Parameters).toMatchObject({ VpcConfig: subnets });
  const making = statementsOf(stack, /TrainingRole/).filter(({ Action }) => [Action].flat().includes('ec2:CreateNetworkInterface'));
  expect(making).toHaveLength(1);
  expect(JSON.stringify(making[0].Resource)).toMatch(/network-interface\/\*.*subnet\/subnet-0a1b2c3d.*security-group\//s);
  Template.fromStack(stack).hasResourceProperties('AWS::EC2::SecurityGroupIngress', { IpProtocol: '-1' });
  const without = trainOf(() => ({}));
  expect(JSON.stringify(statementsOf(without.stack, /TrainingRole/))).not.toContain('ec2:');
});

test('an image of one’s own trains and serves without script mode, and is named as the code', () => {
  const { stack } = samplePipeline({ within: (scope) => ({ training: imageTraining(scope) }) });
  const { Train, CreateModelKind } = definitionOf(stack).States;
  expect(Train.Parameters).toMatchObject({ InputDataConfig: [{ ChannelName: 'train' }] });
  expect(CreateModelKind.Default).toBe('CreateModelOfImage');
  const settings = JSON.stringify(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
  expect(settings).toContain('own/trainer:v1\\",\\"instanceType');
  for (const role of [/TrainingRole/, /ExecutionRole/]) {
    const pulls = statementsOf(stack, role).filter(({ Action }) => [Action].flat().includes('ecr:BatchGetImage'));
    expect(JSON.stringify(pulls)).toContain('repository/own/trainer');
  }
  const digest = statementsOf(stack, /FunctionsRegister/).filter(({ Action }) => [Action].flat().includes('ecr:BatchGetImage'));
  expect(JSON.stringify(digest)).toContain('repository/own/trainer');
});

describe('the built-in XGBoost', () => {
  const framework = Framework.xgboost('3.0-5');
  const hyperparameters = { num_round: '100', objective: 'reg:squarederror' };
  const task = Task.regression({ target: 'cnt' });
  const training = Training.algorithm({ framework, hyperparameters });

  test('reads rows with the target first, has no code, and its image is the code of its versions', () => {
    const { stack } = samplePipeline({ task, training });
    expect(definitionOf(stack).States.Train.Parameters).toMatchObject({
      InputDataConfig: [{ ChannelName: 'train', DataSource: { S3DataSource: { 'S3Uri.$': '$.prepared.training.dataUri' } } }],
    });
    const settings = JSON.stringify(Template.fromStack(stack).findResources('AWS::Lambda::Function'));
    expect(settings).toMatch(/sagemaker-xgboost:3\.0-5\\",\\"targetFirst\\":true/);
  });

  test.each<[string, () => unknown, RegExp]>([
    ['of a framework without', () => Training.algorithm({ framework: Framework.scikitLearn('1.4-2'), hyperparameters }), /framework: the image/],
    ['without rounds', () => Training.algorithm({ framework }), /hyperparameters\.num_round: XGBoost has to be told/],
    ['with times', () => samplePipeline({ training }), /times are none, got timeColumn 'timestamp'/],
    [
      'of many classes',
      () => samplePipeline({ task: Task.multiclassClassification({ target: 'y' }), training }),
      /numbers, which name no classes/,
    ],
    [
      'of two classes without a probability',
      () => {
        const binary = Task.binaryClassification({ target: 'y', positiveLabel: 'yes' });
        return samplePipeline({ task: binary, training });
      },
      /objective: two classes need the objective that answers with a probability, got 'reg:squarederror'; state 'binary:logistic'/,
    ],
  ])('synth refuses one %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

describe('synth refuses', () => {
  const stack = new Stack(undefined, 'Refused', { env: ENV });
  const key = kms.Key.fromKeyArn(stack, 'Key', 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-0000-4000-8000-000000000000');
  const group = ec2.SecurityGroup.fromSecurityGroupId(stack, 'Group', 'sg-0a1b2c3d');

  test.each<[string, Partial<TrainingScriptOptions>, RegExp]>([
    ['a wait shorter than the training', { spot: { maxWait: Duration.minutes(30) } }, /spot\.maxWait: must be between 3600 and/],
    ['warm instances of spare capacity', { spot: { maxWait: Duration.hours(2) }, keepAlive: Duration.minutes(5) }, /instances of spare/],
    ['instances kept for longer than an hour', { keepAlive: Duration.hours(2) }, /keepAlive: must be between 1 and 3600, got 7200/],
    ['a key for NVMe disks', { volumeKey: key, instanceType: 'ml.m5d.large' }, /volumeKey: instances with NVMe disks take no key/],
    ['the same on accelerators', { volumeKey: key, instanceType: 'ml.g5.xlarge' }, /volumeKey: instances with NVMe disks/],
    ['parts of instances', { instanceCount: 1.5 }, /instanceCount: must be a whole number, got 1\.5/],
    ['more than 100 instances', { instanceCount: 101 }, /instanceCount: must be between 1 and 100/],
    ['a disk of parts of a GiB', { volumeSize: Size.mebibytes(1500) }, /volumeSize: SageMaker counts disks in whole GiB/],
    ['security groups of no network', { securityGroups: [group] }, /vpc: subnets and security groups are those of a VPC/],
    ['variables with impossible names', { environment: { '1st': 'x' } }, /environment\.1st: names are letters/],
    ['more than 30 tries', { retryAttempts: 31 }, /retryAttempts: must be between 1 and 30/],
    ['a figure without a group', { metricDefinitions: [{ name: 'rmse', regex: 'rmse' }] }, /metricDefinitions\[0\]\.regex: must be a regular/],
    ['a figure that is no expression', { metricDefinitions: [{ name: 'rmse', regex: '(' }] }, /\[0\]\.regex: must be a regular expression/],
    [
      'more than 95 hyperparameters',
      { hyperparameters: Object.fromEntries(Array.from({ length: 96 }, (_, index) => [`p${index}`, '1'])) },
      /hyperparameters: must be between 0 and 95, got 96/,
    ],
  ])('%s', (_, options, message) => {
    expect(() => Training.script({ ...script, ...options })).toThrow(message);
  });

  test('nothing where a key goes with disks that take one', () => {
    expect(() => Training.script({ ...script, volumeKey: key, instanceType: 'ml.m5.large' })).not.toThrow();
  });
});
