import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ENDPOINT_TAG } from '../serving/contract';
import { SageMakerTask } from './sagemaker-task';
import { BoundTraining } from './training';

/** Time that SageMaker takes to find and prepare an instance, beside the script's own. */
export const PROVISIONING = Duration.minutes(30);
export const TRANSFORM_TIMEOUT = Duration.hours(1);

/** What the jobs and models of a pipeline have in common. */
export interface SageMakerStepsProps {
  readonly endpointName: string;
  readonly training: BoundTraining;
  readonly trainingRole: iam.IRole;
  readonly modelRole: iam.IRole;
  readonly outputKeyArn: string;
}

/** What a SageMaker model is made from. */
interface ModelSource {
  readonly image: string;
  readonly modelDataUrl: string;
  readonly codeUri: string;
  readonly entryPoint: string;
}

/** A value of the execution's state or context. */
export const at = (path: string): string => sfn.JsonPath.stringAt(path);

/** Redrive and retry count keep repeated attempts apart: names of jobs and models are never free again. At most 52 + 11 = 63 characters. */
const nameOf = (suffix: string): string =>
  sfn.JsonPath.format(`{}-{}-{}-${suffix}`, at('$.prepared.jobNameBase'), at('$$.Execution.RedriveCount'), at('$$.State.RetryCount'));

/**
 * The states of the standard pipeline that SageMaker works on.
 *
 * @internal
 */
export class SageMakerSteps {
  constructor(
    private readonly scope: Construct,
    private readonly props: SageMakerStepsProps,
  ) {}

  public train(): SageMakerTask {
    const { training, trainingRole, endpointName, outputKeyArn } = this.props;
    return new SageMakerTask(this.scope, 'Train', {
      action: 'createTrainingJob',
      waitForEnd: true,
      namePrefix: endpointName,
      passedRoles: [trainingRole],
      timeout: training.maxRuntime.plus(PROVISIONING),
      parameters: {
        TrainingJobName: nameOf('t'),
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
      // Only what every training job has: a path to something absent fails the execution.
      resultSelector: {
        TrainingJobName: at('$.TrainingJobName'),
        TrainingJobArn: at('$.TrainingJobArn'),
        TrainingJobStatus: at('$.TrainingJobStatus'),
        CreationTime: at('$.CreationTime'),
        LastModifiedTime: at('$.LastModifiedTime'),
        ModelArtifacts: sfn.JsonPath.objectAt('$.ModelArtifacts'),
        AlgorithmSpecification: sfn.JsonPath.objectAt('$.AlgorithmSpecification'),
        HyperParameters: sfn.JsonPath.objectAt('$.HyperParameters'),
      },
    });
  }

  public createCandidate(): SageMakerTask {
    return this.createModel('CreateModel', 'm', '$.candidate', {
      image: at('$.prepared.training.image'),
      modelDataUrl: at('$.trainingJob.ModelArtifacts.S3ModelArtifacts'),
      codeUri: at('$.prepared.codeUri'),
      entryPoint: at('$.prepared.training.entryPoint'),
    });
  }

  /** From the record, not by the name it was registered with: that model may be gone, or have been made for a role that is. */
  public createChampion(): SageMakerTask {
    return this.createModel('CreateChampion', 'k', '$.champion', {
      image: at('$.prepared.champion.image'),
      modelDataUrl: at('$.prepared.champion.modelDataUrl'),
      codeUri: at('$.prepared.champion.codeUri'),
      entryPoint: at('$.prepared.champion.entryPoint'),
    });
  }

  private createModel(id: string, suffix: string, resultPath: string, from: ModelSource): SageMakerTask {
    const { modelRole, endpointName } = this.props;
    return new SageMakerTask(this.scope, id, {
      action: 'createModel',
      namePrefix: endpointName,
      passedRoles: [modelRole],
      timeout: Duration.minutes(5),
      parameters: {
        ModelName: nameOf(suffix),
        ExecutionRoleArn: modelRole.roleArn,
        PrimaryContainer: {
          Image: from.image,
          ModelDataUrl: from.modelDataUrl,
          Environment: {
            SAGEMAKER_PROGRAM: from.entryPoint,
            SAGEMAKER_SUBMIT_DIRECTORY: from.codeUri,
            SAGEMAKER_REGION: Stack.of(this.scope).region,
            SAGEMAKER_CONTAINER_LOG_LEVEL: '20',
          },
        },
        Tags: [{ Key: ENDPOINT_TAG, Value: endpointName }],
      },
      resultPath,
      // Names here are lower case, so the ARN holds them unchanged; the retry count of the name is gone once the state is left.
      resultSelector: { sagemakerModelName: sfn.JsonPath.arrayGetItem(sfn.JsonPath.stringSplit(at('$.ModelArn'), '/'), 1) },
    });
  }

  public transform(id: string, suffix: string, modelPath: string, outputPath: string): SageMakerTask {
    const { training, endpointName, outputKeyArn } = this.props;
    return new SageMakerTask(this.scope, id, {
      action: 'createTransformJob',
      waitForEnd: true,
      namePrefix: endpointName,
      timeout: TRANSFORM_TIMEOUT,
      parameters: {
        TransformJobName: nameOf(suffix),
        ModelName: at(modelPath),
        BatchStrategy: 'MultiRecord',
        MaxPayloadInMB: 6,
        TransformInput: {
          ContentType: 'text/csv',
          SplitType: 'Line',
          DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: at('$.prepared.holdoutFeaturesUri') } },
        },
        TransformOutput: { S3OutputPath: at(outputPath), Accept: 'text/csv', AssembleWith: 'Line', KmsKeyId: outputKeyArn },
        TransformResources: { InstanceType: training.instanceType, InstanceCount: 1 },
      },
      resultPath: sfn.JsonPath.DISCARD,
    });
  }
}
