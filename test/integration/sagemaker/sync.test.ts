import { setTimeout as sleep } from 'node:timers/promises';
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { ListTrainingJobsCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import { CreateStateMachineCommand, DescribeExecutionCommand, SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { Faults } from '../../../local/faults';
import { client, useEngine } from '../harness';
import { IMAGE, SCIKIT_LEARN_IMAGE, archiveOf } from './support';

const TRAIN = `
import argparse, time
parser = argparse.ArgumentParser()
parser.add_argument('--level', type=float)
parser.add_argument('--slow', type=float, default=0)
arguments = parser.parse_args()
print('loss=%.3f;' % abs(arguments.level - 3), flush=True)
time.sleep(arguments.slow)
`;
const PROCESS = "open('/opt/ml/processing/out/rows', 'w').write(open('/opt/ml/processing/in/rows.csv').read().upper())";

/** Step Functions, IAM and SageMaker of one engine: each state has the permissions that AWS documents for it, and no more. */
describe('state machines that wait for jobs', () => {
  const [sfn, s3, iam] = [client(SFNClient), client(S3Client), client(IAMClient)];
  const suffix = String(Date.now());
  const bucket = `sync-${suffix}`;
  let jobRole: string;

  const role = async (RoleName: string, service: string, statements: object[]): Promise<string> => {
    const document = (Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement });
    const trust = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } };
    const { Role } = await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: document([trust]) }));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: document(statements) }));
    return Role!.Arn!;
  };

  beforeAll(async () => {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    const put = (Key: string, Body: string | Buffer) => s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body }));
    await put('code/train.tar.gz', archiveOf({ 'train.py': TRAIN }));
    await put('process/script.py', PROCESS);
    await put('in/rows.csv', 'a,b\n');
    const Action = ['s3:GetObject', 's3:PutObject', 's3:ListBucket', 'logs:*'];
    jobRole = await role(`jobs-${suffix}`, 'sagemaker.amazonaws.com', [{ Effect: 'Allow', Action, Resource: '*' }]);
  });

  const machine = async (noun: string, kind: string, rule: string, Parameters: object): Promise<string> => {
    const Action = ['Create', 'Describe', 'Stop'].map((verb) => `sagemaker:${verb}${noun}`).concat('sagemaker:AddTags');
    const ruleArn = `arn:aws:events:us-east-1:000000000000:rule/StepFunctionsGetEventsForSageMaker${rule}Rule`;
    const Condition = { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } };
    const roleArn = await role(`machine-${kind}-${suffix}`, 'states.amazonaws.com', [
      { Effect: 'Allow', Action, Resource: `arn:aws:sagemaker:us-east-1:000000000000:${kind}/*` },
      { Effect: 'Allow', Action: 'iam:PassRole', Resource: jobRole, Condition },
      { Effect: 'Allow', Action: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'], Resource: ruleArn },
    ]);
    const Resource = `arn:aws:states:::sagemaker:create${noun}.sync`;
    const definition = JSON.stringify({ StartAt: 'Job', States: { Job: { Type: 'Task', Resource, Parameters, End: true } } });
    const { stateMachineArn } = await sfn.send(new CreateStateMachineCommand({ name: `${kind}-${suffix}`, definition, roleArn }));
    return stateMachineArn!;
  };
  const start = async (stateMachineArn: string, input: object) =>
    (await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }))).executionArn!;
  const ended = async (executionArn: string) => {
    for (;;) {
      const execution = await sfn.send(new DescribeExecutionCommand({ executionArn }));
      if (execution.status !== 'RUNNING') return execution;
      await sleep(50);
    }
  };

  test('go on with the best job of a tuning job, and stop it with all its children when they are stopped', async () => {
    const arn = await machine('HyperParameterTuningJob', 'hyper-parameter-tuning-job', 'TuningJobs', {
      'HyperParameterTuningJobName.$': '$.name',
      HyperParameterTuningJobConfig: {
        Strategy: 'Random',
        RandomSeed: 1,
        HyperParameterTuningJobObjective: { Type: 'Minimize', MetricName: 'loss' },
        ResourceLimits: { MaxParallelTrainingJobs: 2, MaxNumberOfTrainingJobs: 3 },
        ParameterRanges: { ContinuousParameterRanges: [{ Name: 'level', MinValue: '0', MaxValue: '6' }] },
      },
      TrainingJobDefinition: {
        StaticHyperParameters: {
          sagemaker_program: 'train.py',
          sagemaker_submit_directory: `s3://${bucket}/code/train.tar.gz`,
          'slow.$': '$.slow',
        },
        AlgorithmSpecification: {
          TrainingImage: IMAGE,
          TrainingInputMode: 'File',
          MetricDefinitions: [{ Name: 'loss', Regex: 'loss=([0-9.]+);' }],
        },
        RoleArn: jobRole,
        OutputDataConfig: { S3OutputPath: `s3://${bucket}/models` },
        ResourceConfig: { InstanceType: 'ml.m5.large', InstanceCount: 1, VolumeSizeInGB: 10 },
        StoppingCondition: { MaxRuntimeInSeconds: 600 },
      },
    });
    const execution = await ended(await start(arn, { name: `tune-${suffix}`, slow: '0' }));
    expect(execution).toMatchObject({ status: 'SUCCEEDED' });
    const output = JSON.parse(execution.output!) as { BestTrainingJob: { TrainingJobName: string } };
    expect(output).toMatchObject({ HyperParameterTuningJobStatus: 'Completed', TrainingJobStatusCounters: { Completed: 3 } });
    const stopped = await start(arn, { name: `slow-${suffix}`, slow: '60' });
    const jobs = async (StatusEquals: 'InProgress' | 'Stopped') => {
      const listed = await client(SageMakerClient).send(new ListTrainingJobsCommand({ NameContains: `slow-${suffix}`, StatusEquals }));
      return listed.TrainingJobSummaries!.length;
    };
    while ((await jobs('InProgress')) < 2) await sleep(50);
    await sfn.send(new StopExecutionCommand({ executionArn: stopped }));
    while ((await jobs('Stopped')) < 2) await sleep(50);
  });

  test('get the outputs of a processing job, and its failure as the cause', async () => {
    const at = (prefix: string, local: string) => ({ S3Uri: `s3://${bucket}/${prefix}`, LocalPath: `/opt/ml/processing/${local}` });
    const input = (InputName: string, prefix: string, local: string) => ({ InputName, S3Input: { ...at(prefix, local), S3DataType: 'S3Prefix' } });
    const arn = await machine('ProcessingJob', 'processing-job', 'ProcessingJobs', {
      'ProcessingJobName.$': '$.name',
      RoleArn: jobRole,
      AppSpecification: { ImageUri: SCIKIT_LEARN_IMAGE, ContainerEntrypoint: ['python3', '/opt/ml/processing/code/script.py'] },
      ProcessingInputs: [input('rows', 'in/', 'in'), input('code', 'process/', 'code')],
      ProcessingOutputConfig: { Outputs: [{ OutputName: 'out', S3Output: { ...at('out', 'out'), S3UploadMode: 'EndOfJob' } }] },
      ProcessingResources: { ClusterConfig: { InstanceCount: 1, InstanceType: 'ml.m5.large', VolumeSizeInGB: 10 } },
    });
    expect(await ended(await start(arn, { name: `process-${suffix}` }))).toMatchObject({ status: 'SUCCEEDED' });
    const written = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'out/rows' }));
    expect(await written.Body!.transformToString()).toBe('A,B\n');
    const faults = new Faults(useEngine());
    const { id } = await faults.add({ on: 'sagemaker', operation: 'CreateProcessingJob', nameContains: `dies-${suffix}`, effect: { kind: 'kill' } });
    const failed = await ended(await start(arn, { name: `dies-${suffix}` }));
    expect(failed).toMatchObject({ status: 'FAILED', error: 'States.TaskFailed' });
    expect(JSON.parse(failed.cause!)).toMatchObject({ ProcessingJobStatus: 'Failed', FailureReason: expect.stringContaining('exit code 137') });
    expect(await faults.list()).toContainEqual(expect.objectContaining({ id, hits: 1 }));
    await faults.clear(id);
  });
});
