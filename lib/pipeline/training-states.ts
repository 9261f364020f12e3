import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { at, jobName } from './names';
import { SageMakerTask } from './sagemaker-task';
import { BoundTraining } from './training';

/** Time that SageMaker takes to find and prepare an instance, beside the script's own. */
export const PROVISIONING = Duration.minutes(30);

export interface TrainingStatesProps {
  readonly endpointName: string;
  readonly training: BoundTraining;
  readonly trainingRole: iam.IRole;
  readonly outputKeyArn: string;
}

/**
 * The states in which the candidate is trained; `$.trainingJob` tells of the job it comes from.
 *
 * @internal
 */
export class TrainingStates {
  constructor(
    private readonly scope: Construct,
    private readonly props: TrainingStatesProps,
  ) {}

  public start(): sfn.Chain {
    return sfn.Chain.start(this.train());
  }

  private train(): SageMakerTask {
    const { training, trainingRole, endpointName, outputKeyArn } = this.props;
    return new SageMakerTask(this.scope, 'Train', {
      action: 'createTrainingJob',
      waitForEnd: true,
      namePrefix: endpointName,
      passedRoles: [trainingRole],
      timeout: training.maxRuntime.plus(PROVISIONING),
      parameters: {
        TrainingJobName: jobName('t'),
        AlgorithmSpecification: { TrainingImage: at('$.prepared.training.image'), TrainingInputMode: 'File' },
        RoleArn: trainingRole.roleArn,
        HyperParameters: sfn.JsonPath.objectAt('$.prepared.training.hyperParameters'),
        InputDataConfig: [
          {
            ChannelName: 'train',
            ContentType: 'text/csv',
            DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: at('$.prepared.trainUri'), S3DataDistributionType: 'FullyReplicated' } },
          },
        ],
        OutputDataConfig: { S3OutputPath: at('$.prepared.modelOutputUri'), KmsKeyId: outputKeyArn },
        ResourceConfig: { InstanceType: at('$.prepared.training.instanceType'), InstanceCount: 1, VolumeSizeInGB: 30 },
        StoppingCondition: { MaxRuntimeInSeconds: training.maxRuntime.toSeconds() },
      },
      resultPath: '$.trainingJob',
      resultSelector: TRAINING_JOB,
    });
  }
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
