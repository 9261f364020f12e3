import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { at, jobName, shortJobName, shortPrefix } from './names';
import { SageMakerTask } from './sagemaker-task';
import { SdkTask } from './sdk-task';
import { BoundTraining } from './training';
import { BoundTuning } from './tuning';

/** Time that SageMaker takes to find and prepare an instance, beside the code's own. */
export const PROVISIONING = Duration.minutes(30);

export interface TrainingStatesProps {
  readonly endpointName: string;
  readonly training: BoundTraining;
  readonly trainingRole: iam.IRole;
  readonly outputKeyArn: string;
  /** Where the instances stand; SageMaker's own network where absent. */
  readonly trainingNetwork?: { readonly Subnets: string[]; readonly SecurityGroupIds: string[] };
}

/** Only what every training job has: a path to something absent fails the execution. */
const TRAINING_JOB = {
  TrainingJobName: at('$.TrainingJobName'),
  TrainingJobArn: at('$.TrainingJobArn'),
  TrainingJobStatus: at('$.TrainingJobStatus'),
  CreationTime: at('$.CreationTime'),
  LastModifiedTime: at('$.LastModifiedTime'),
  ModelArtifacts: sfn.JsonPath.objectAt('$.ModelArtifacts'),
  AlgorithmSpecification: sfn.JsonPath.objectAt('$.AlgorithmSpecification'),
  HyperParameters: sfn.JsonPath.objectAt('$.HyperParameters'),
};

/**
 * The states in which the candidate is trained; `$.trainingJob` tells of the job it comes from.
 *
 * @internal
 */
export class TrainingStates {
  /** Longest time that the states take. */
  public readonly timeout: Duration;

  constructor(
    private readonly scope: Construct,
    private readonly props: TrainingStatesProps,
  ) {
    const { training } = props;
    const longest = training.tuning?.longest.toSeconds() ?? 0;
    this.timeout = Duration.seconds(Math.max(longest, training.longest.toSeconds()) + PROVISIONING.toSeconds());
  }

  public start(): sfn.Chain {
    const { tuning } = this.props.training;
    if (tuning === undefined) return sfn.Chain.start(this.train());
    // What is made once more has its hyperparameters on record.
    return new sfn.Choice(this.scope, 'Tunes')
      .when(sfn.Condition.booleanEquals('$.prepared.rebuildOf.present', true), this.train())
      .otherwise(this.tune(tuning).next(this.describeBest()))
      .afterwards();
  }

  private train(): SageMakerTask {
    const { training, trainingRole, endpointName } = this.props;
    const { keepAlive } = training.options;
    const { ResourceConfig, ...job } = this.job();
    return new SageMakerTask(this.scope, 'Train', {
      action: 'createTrainingJob',
      waitForEnd: true,
      namePrefix: endpointName,
      passedRoles: [trainingRole],
      timeout: training.longest.plus(PROVISIONING),
      parameters: {
        TrainingJobName: jobName('t'),
        HyperParameters: sfn.JsonPath.objectAt('$.prepared.training.hyperParameters'),
        ...job,
        ResourceConfig: { ...ResourceConfig, ...(keepAlive && { KeepAlivePeriodInSeconds: keepAlive.toSeconds() }) },
      },
      resultPath: '$.trainingJob',
      resultSelector: TRAINING_JOB,
    });
  }

  private tune({ config, longest }: BoundTuning): SageMakerTask {
    const { trainingRole, endpointName } = this.props;
    return new SageMakerTask(this.scope, 'Tune', {
      action: 'createHyperParameterTuningJob',
      waitForEnd: true,
      namePrefix: shortPrefix(endpointName),
      passedRoles: [trainingRole],
      timeout: longest.plus(PROVISIONING),
      parameters: {
        HyperParameterTuningJobName: shortJobName(endpointName),
        HyperParameterTuningJobConfig: config,
        TrainingJobDefinition: { StaticHyperParameters: sfn.JsonPath.objectAt('$.prepared.training.hyperParameters'), ...this.job() },
      },
      resultPath: '$.tuning',
      resultSelector: {
        HyperParameterTuningJobName: at('$.HyperParameterTuningJobName'),
        BestTrainingJob: {
          TrainingJobName: at('$.BestTrainingJob.TrainingJobName'),
          TunedHyperParameters: sfn.JsonPath.objectAt('$.BestTrainingJob.TunedHyperParameters'),
        },
        TrainingJobStatusCounters: sfn.JsonPath.objectAt('$.TrainingJobStatusCounters'),
      },
    });
  }

  /** The best job goes on as if it had been the only one. */
  private describeBest(): SdkTask {
    return new SdkTask(this.scope, 'DescribeBest', {
      action: 'describeTrainingJob',
      parameters: { TrainingJobName: at('$.tuning.BestTrainingJob.TrainingJobName') },
      allowed: ['DescribeTrainingJob'],
      resource: 'training-job',
      // SageMaker names the jobs of a tuning after it.
      namePrefix: shortPrefix(this.props.endpointName),
      resultSelector: TRAINING_JOB,
      resultPath: '$.trainingJob',
    });
  }

  /** What a training job and the jobs of a tuning have in common. */
  private job() {
    const { training, trainingRole, outputKeyArn, trainingNetwork } = this.props;
    const { settings, options, metricDefinitions, spec } = training;
    const { spot, retryAttempts } = options;
    const keepsCheckpoints = spot !== undefined && spot.checkpoints !== false;
    const stopping = { MaxRuntimeInSeconds: settings.maxRuntime.toSeconds() };
    return {
      AlgorithmSpecification: {
        TrainingImage: at('$.prepared.training.image'),
        TrainingInputMode: 'File',
        ...(metricDefinitions.length > 0 && { MetricDefinitions: metricDefinitions }),
      },
      RoleArn: trainingRole.roleArn,
      InputDataConfig: [
        channel('train', spec.training.targetFirst ? '$.prepared.training.dataUri' : '$.prepared.trainUri', 'text/csv'),
        ...(spec.training.codeChannel ? [channel('code', '$.prepared.codeUri', 'application/x-tar')] : []),
      ],
      OutputDataConfig: { S3OutputPath: at('$.prepared.modelOutputUri'), KmsKeyId: outputKeyArn },
      ResourceConfig: {
        InstanceType: at('$.prepared.training.instanceType'),
        InstanceCount: settings.instanceCount,
        VolumeSizeInGB: settings.volumeGiB,
        ...(settings.volumeKey && { VolumeKmsKeyId: settings.volumeKey.keyArn }),
      },
      StoppingCondition: spot ? { ...stopping, MaxWaitTimeInSeconds: spot.maxWait.toSeconds() } : stopping,
      ...(spot && { EnableManagedSpotTraining: true }),
      // Below the run's own artifacts, so that a redrive goes on where the interrupted job was.
      ...(keepsCheckpoints && { CheckpointConfig: { S3Uri: sfn.JsonPath.format('{}/checkpoints', at('$.prepared.modelOutputUri')) } }),
      ...(settings.environment && { Environment: settings.environment }),
      ...(settings.networkIsolation && { EnableNetworkIsolation: true }),
      ...(settings.encryptTraffic && { EnableInterContainerTrafficEncryption: true }),
      ...(trainingNetwork && { VpcConfig: trainingNetwork }),
      ...(retryAttempts !== undefined && { RetryStrategy: { MaximumRetryAttempts: retryAttempts } }),
    };
  }
}

const channel = (name: string, path: string, contentType: string) => ({
  ChannelName: name,
  ContentType: contentType,
  DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: at(path), S3DataDistributionType: 'FullyReplicated' } },
});
