import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ENDPOINT_TAG } from '../serving/contract';
import { at, jobName } from './names';
import { SageMakerTask } from './sagemaker-task';

export const TRANSFORM_TIMEOUT = Duration.hours(1);

export interface ScoringStatesProps {
  readonly endpointName: string;
  readonly modelRole: iam.IRole;
  readonly instanceType: string;
  readonly outputKeyArn: string;
}

/** Paths to what a SageMaker model is made from. */
interface ModelSource {
  readonly image: string;
  readonly modelDataUrl: string;
  /** The image or null where that holds all code. */
  readonly codeUri: string;
  readonly entryPoint: string;
}

interface ScoringPaths {
  readonly inputPath: string;
  readonly outputPath: string;
  readonly result: { readonly [field: string]: string };
}

const recordedIn = (place: string): ModelSource => ({
  image: `${place}.image`,
  modelDataUrl: `${place}.modelDataUrl`,
  codeUri: `${place}.codeUri`,
  entryPoint: `${place}.entryPoint`,
});

/**
 * The states in which models are made, and score the holdout in the containers that serve them.
 *
 * @internal
 */
export class ScoringStates {
  constructor(
    private readonly scope: Construct,
    private readonly props: ScoringStatesProps,
  ) {}

  public createCandidate(): sfn.Chain {
    return this.createModel('CreateModel', 'm', '$.candidate', {
      image: '$.prepared.training.image',
      modelDataUrl: '$.trainingJob.ModelArtifacts.S3ModelArtifacts',
      codeUri: '$.prepared.codeUri',
      entryPoint: '$.prepared.training.entryPoint',
    });
  }

  /** The version that shall serve again. */
  public createRollbackModel(): sfn.Chain {
    return this.createModel('CreateRollbackModel', 'm', '$.candidate', recordedIn('$.prepared.rollback'));
  }

  /** Both models score the same rows, the candidate permuted ones too; how long the candidate takes is judged too. */
  public scoreHoldout(): sfn.Parallel {
    const championScored = this.transform('ScoreChampion', 'p', '$.champion.sagemakerModelName', {
      inputPath: '$.prepared.holdoutFeaturesUri',
      outputPath: '$.prepared.championScoresUri',
      result: {},
    });
    // From the record, not by the name it was registered with: that model may be gone, or have been made for a role that is.
    const champion = this.createModel('CreateChampion', 'k', '$.champion', recordedIn('$.prepared.champion')).next(championScored);
    const candidate = this.transform('ScoreCandidate', 'c', '$.candidate.sagemakerModelName', {
      inputPath: '$.prepared.candidateInputUri',
      outputPath: '$.prepared.candidateScoresUri',
      result: { TransformStartTime: at('$.TransformStartTime'), TransformEndTime: at('$.TransformEndTime') },
    });
    return new sfn.Parallel(this.scope, 'ScoreHoldout', {
      resultSelector: { candidate: sfn.JsonPath.objectAt('$[0]') },
      resultPath: '$.scoring',
    })
      .branch(candidate)
      .branch(
        new sfn.Choice(this.scope, 'ChampionPresent')
          .when(sfn.Condition.booleanEquals('$.prepared.champion.present', true), champion)
          .otherwise(new sfn.Pass(this.scope, 'NoChampion')),
      );
  }

  /** A request cannot leave a field out by what it finds, so that there are two of them: only a model with code of its own is told where that is. */
  private createModel(id: string, suffix: string, resultPath: string, from: ModelSource): sfn.Chain {
    const withCode = this.model(id, suffix, resultPath, from, {
      SAGEMAKER_PROGRAM: at(from.entryPoint),
      SAGEMAKER_SUBMIT_DIRECTORY: at(from.codeUri),
      SAGEMAKER_REGION: Stack.of(this.scope).region,
      SAGEMAKER_CONTAINER_LOG_LEVEL: '20',
    });
    const ofImage = this.model(`${id}OfImage`, suffix, resultPath, from);
    const archived = sfn.Condition.and(sfn.Condition.isString(from.codeUri), sfn.Condition.stringMatches(from.codeUri, 's3://*'));
    return new sfn.Choice(this.scope, `${id}Kind`).when(archived, withCode).otherwise(ofImage).afterwards();
  }

  private model(
    id: string,
    suffix: string,
    resultPath: string,
    { image, modelDataUrl }: ModelSource,
    environment?: { readonly [name: string]: string },
  ): SageMakerTask {
    const { modelRole, endpointName } = this.props;
    return new SageMakerTask(this.scope, id, {
      action: 'createModel',
      namePrefix: endpointName,
      passedRoles: [modelRole],
      timeout: Duration.minutes(5),
      parameters: {
        ModelName: jobName(suffix),
        ExecutionRoleArn: modelRole.roleArn,
        PrimaryContainer: { Image: at(image), ModelDataUrl: at(modelDataUrl), ...(environment && { Environment: environment }) },
        Tags: [{ Key: ENDPOINT_TAG, Value: endpointName }],
      },
      resultPath,
      // Names here are lower case, so the ARN holds them unchanged; the retry count of the name is gone once the state is left.
      resultSelector: { sagemakerModelName: sfn.JsonPath.arrayGetItem(sfn.JsonPath.stringSplit(at('$.ModelArn'), '/'), 1) },
    });
  }

  private transform(id: string, suffix: string, modelPath: string, { inputPath, outputPath, result }: ScoringPaths): SageMakerTask {
    const { instanceType, endpointName, outputKeyArn } = this.props;
    return new SageMakerTask(this.scope, id, {
      action: 'createTransformJob',
      waitForEnd: true,
      namePrefix: endpointName,
      timeout: TRANSFORM_TIMEOUT,
      parameters: {
        TransformJobName: jobName(suffix),
        ModelName: at(modelPath),
        BatchStrategy: 'MultiRecord',
        MaxPayloadInMB: 6,
        TransformInput: {
          ContentType: 'text/csv',
          SplitType: 'Line',
          DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: at(inputPath) } },
        },
        TransformOutput: { S3OutputPath: at(outputPath), Accept: 'text/csv', AssembleWith: 'Line', KmsKeyId: outputKeyArn },
        TransformResources: { InstanceType: instanceType, InstanceCount: 1 },
      },
      resultSelector: result,
      resultPath: '$',
    });
  }
}
