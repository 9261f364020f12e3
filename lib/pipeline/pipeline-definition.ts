import { createHash } from 'node:crypto';
import { Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { ENDPOINT_TAG, ServingSpec } from '../serving/contract';
import { FunctionTask } from './function-task';
import { SageMakerTask } from './sagemaker-task';
import { BoundTraining } from './training';

/** Time that SageMaker takes to find and prepare an instance, beside the script's own. */
const PROVISIONING = Duration.minutes(30);
const TRANSFORM_TIMEOUT = Duration.hours(1);
const POLL = Duration.seconds(30);
/** An endpoint that SageMaker has not brought up or given up within this time. */
const RELEASE_TIMEOUT = Duration.hours(4);

export interface PipelineDefinitionProps {
  readonly endpointName: string;
  readonly serving: ServingSpec;
  readonly training: BoundTraining;
  readonly trainingRole: iam.IRole;
  readonly modelRole: iam.IRole;
  readonly outputKeyArn: string;
  readonly approvalPolicy: string;
  readonly functions: {
    readonly prepare: lambda.IFunction;
    readonly evaluate: lambda.IFunction;
    readonly baseline: lambda.IFunction;
    readonly register: lambda.IFunction;
    readonly approve: lambda.IFunction;
    readonly release: lambda.IFunction;
    readonly promote: lambda.IFunction;
    readonly finish: lambda.IFunction;
  };
}

/** What a SageMaker model is made from. */
interface ModelSource {
  readonly image: string;
  readonly modelDataUrl: string;
  readonly codeUri: string;
  readonly entryPoint: string;
}

const at = (path: string): string => sfn.JsonPath.stringAt(path);

/** Redrive and retry count keep repeated attempts apart: names of jobs and models are never free again. At most 52 + 11 = 63 characters. */
const nameOf = (suffix: string): string =>
  sfn.JsonPath.format(`{}-{}-{}-${suffix}`, at('$.prepared.jobNameBase'), at('$$.Execution.RedriveCount'), at('$$.State.RetryCount'));

/**
 * The states of the standard pipeline. Only references pass between them; no state catches: what fails for good fails the execution, so that a
 * redrive goes on at the failed state.
 *
 * @internal
 */
export class PipelineDefinition {
  /** Sum of what the states may take, so that no execution hangs for ever. */
  public readonly timeout: Duration;

  constructor(
    private readonly scope: Construct,
    private readonly props: PipelineDefinitionProps,
  ) {
    const { maxRuntime } = props.training;
    const parts = [maxRuntime, PROVISIONING, TRANSFORM_TIMEOUT, RELEASE_TIMEOUT, Duration.hours(2)];
    this.timeout = Duration.seconds(parts.reduce((sum, part) => sum + part.toSeconds(), 0));
  }

  public start(): sfn.IChainable {
    const { functions } = this.props;
    return sfn.Chain.start(this.prepare())
      .next(this.train())
      .next(this.createCandidate())
      .next(this.scoreHoldout())
      .next(this.evaluate())
      .next(
        this.step('Baseline', functions.baseline, '$.baseline', {
          runId: at('$.runId'),
          trainUri: at('$.prepared.trainUri'),
          holdoutUri: at('$.prepared.holdoutUri'),
          candidateScoresUri: at('$.prepared.candidateScoresUri'),
        }),
      )
      .next(this.register())
      .next(
        new sfn.Choice(this.scope, 'GatePassed')
          .when(sfn.Condition.booleanEquals('$.evaluation.passed', true), this.approveAndRelease())
          .otherwise(this.finish('FinishRejected', 'rejected')),
      );
  }

  private prepare(): sfn.IChainable & sfn.INextable {
    return this.step('PrepareData', this.props.functions.prepare, '$.prepared', {
      model: at('$.model'),
      runId: at('$.runId'),
      causeId: at('$.causeId'),
      cause: at('$.cause'),
      occurredAt: at('$.occurredAt'),
      executionArn: at('$$.Execution.Id'),
      startTime: at('$$.Execution.StartTime'),
    });
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
        TrainingJobName: nameOf('t'),
        AlgorithmSpecification: { TrainingImage: training.image, TrainingInputMode: 'File' },
        RoleArn: trainingRole.roleArn,
        HyperParameters: {
          ...training.hyperparameters,
          sagemaker_program: training.entryPoint,
          sagemaker_submit_directory: at('$.prepared.codeUri'),
          sagemaker_region: Stack.of(this.scope).region,
          sagemaker_container_log_level: '20',
        },
        InputDataConfig: [
          {
            ChannelName: 'train',
            ContentType: 'text/csv',
            DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: at('$.prepared.trainUri'), S3DataDistributionType: 'FullyReplicated' } },
          },
        ],
        OutputDataConfig: { S3OutputPath: at('$.prepared.modelOutputUri'), KmsKeyId: outputKeyArn },
        ResourceConfig: { InstanceType: training.instanceType, InstanceCount: 1, VolumeSizeInGB: 30 },
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

  private createCandidate(): SageMakerTask {
    const { training } = this.props;
    return this.createModel('CreateModel', 'm', '$.candidate', {
      image: training.image,
      modelDataUrl: at('$.trainingJob.ModelArtifacts.S3ModelArtifacts'),
      codeUri: at('$.prepared.codeUri'),
      entryPoint: training.entryPoint,
    });
  }

  /** From the record, not by the name it was registered with: that model may be gone, or have been made for a role that is. */
  private createChampion(): SageMakerTask {
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

  /** Both models score the same rows, in the containers that serve them. */
  private scoreHoldout(): sfn.Parallel {
    const champion = this.createChampion().next(
      this.transform('ScoreChampion', 'p', '$.champion.sagemakerModelName', '$.prepared.championScoresUri'),
    );
    return new sfn.Parallel(this.scope, 'ScoreHoldout', { resultPath: sfn.JsonPath.DISCARD })
      .branch(this.transform('ScoreCandidate', 'c', '$.candidate.sagemakerModelName', '$.prepared.candidateScoresUri'))
      .branch(
        new sfn.Choice(this.scope, 'ChampionPresent')
          .when(sfn.Condition.booleanEquals('$.prepared.champion.present', true), champion)
          .otherwise(new sfn.Pass(this.scope, 'NoChampion')),
      );
  }

  private transform(id: string, suffix: string, modelPath: string, outputPath: string): SageMakerTask {
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

  private evaluate(): FunctionTask {
    return this.step('Evaluate', this.props.functions.evaluate, '$.evaluation', {
      runId: at('$.runId'),
      model: at('$.model'),
      prepared: sfn.JsonPath.objectAt('$.prepared'),
      trainingJob: sfn.JsonPath.objectAt('$.trainingJob'),
    });
  }

  private register(): FunctionTask {
    return this.step('Register', this.props.functions.register, '$.registered', {
      runId: at('$.runId'),
      causeId: at('$.causeId'),
      cause: at('$.cause'),
      model: at('$.model'),
      manifestUri: at('$.prepared.manifestUri'),
      prepared: sfn.JsonPath.objectAt('$.prepared'),
      trainingJob: sfn.JsonPath.objectAt('$.trainingJob'),
      sagemakerModelName: at('$.candidate.sagemakerModelName'),
      evaluation: sfn.JsonPath.objectAt('$.evaluation'),
      baselineUri: at('$.baseline.baselineUri'),
    });
  }

  private approveAndRelease(): sfn.IChainable {
    const { functions, approvalPolicy } = this.props;
    const version = sfn.JsonPath.numberAt('$.registered.version');
    const approve = this.step('Approve', functions.approve, sfn.JsonPath.DISCARD, {
      model: at('$.model'),
      version,
      policy: approvalPolicy,
      reason: at('$.evaluation.reason'),
    });
    const promote = this.step('Promote', functions.promote, sfn.JsonPath.DISCARD, {
      model: at('$.model'),
      version,
      runId: at('$.runId'),
      expectedChampion: sfn.JsonPath.numberAt('$.prepared.champion.version'),
      reason: at('$.evaluation.reason'),
    });
    const wait = new sfn.Wait(this.scope, 'WaitForRelease', { time: sfn.WaitTime.duration(POLL) });
    const done = new sfn.Choice(this.scope, 'ReleaseDone')
      .when(sfn.Condition.booleanEquals('$.release.done', true), promote.next(this.finish('FinishPromoted', 'promoted')))
      .otherwise(wait);
    return approve.next(this.release('StartRelease', 'start')).next(wait).next(this.release('CheckRelease', 'check')).next(done);
  }

  private release(id: string, action: 'start' | 'check'): FunctionTask {
    const { serving, endpointName, functions } = this.props;
    // The name says what the configuration holds, as far as it is known at synth: another size of the same version is another configuration.
    const { kind, memorySizeInMb, maxConcurrency, instanceType, initialInstanceCount, captureSamplingPercentage } = serving;
    const known = [kind, memorySizeInMb, maxConcurrency, instanceType, initialInstanceCount, captureSamplingPercentage];
    const size = createHash('sha256').update(JSON.stringify(known)).digest('hex').slice(0, 8);
    const request = {
      action,
      version: sfn.JsonPath.numberAt('$.registered.version'),
      sagemakerModelName: at('$.candidate.sagemakerModelName'),
      endpointConfigName: sfn.JsonPath.format(`${endpointName}-v{}-${size}`, at('$.registered.version')),
      expectedChampion: sfn.JsonPath.numberAt('$.prepared.champion.version'),
      redriveCount: sfn.JsonPath.numberAt('$$.Execution.RedriveCount'),
    };
    const watched = {
      startedAtRedrive: sfn.JsonPath.numberAt('$.release.startedAtRedrive'),
      previousEndpointConfigName: at('$.release.previousEndpointConfigName'),
    };
    return this.step(id, functions.release, '$.release', action === 'start' ? request : { ...request, ...watched });
  }

  private finish(id: string, outcome: 'promoted' | 'rejected'): FunctionTask {
    return this.step(id, this.props.functions.finish, '$', {
      runId: at('$.runId'),
      model: at('$.model'),
      outcome,
      version: sfn.JsonPath.numberAt('$.registered.version'),
    });
  }

  private step(id: string, fn: lambda.IFunction, resultPath: string, payload: { readonly [field: string]: unknown }): FunctionTask {
    // Longer than any function may run, so that the function's own timeout names the cause.
    return new FunctionTask(this.scope, id, { function: fn, payload, resultPath, timeout: Duration.minutes(16) });
  }
}
