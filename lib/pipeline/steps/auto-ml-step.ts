import { Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Validator } from '../../common/validation';
import { secondsOf } from '../job-settings';
import { at } from '../names';
import { SdkTask } from '../sdk-task';
import { IPipelineStep, PipelineStepConfig, PipelineStepContext } from './pipeline-step';

const POLL = Duration.seconds(30);
/** Time that SageMaker needs beside the search itself. */
const AROUND = Duration.hours(1);

/** What AutoML predicts. */
export enum AutoMlProblem {
  /** A number for each row. */
  REGRESSION = 'Regression',
  /** One of two classes. */
  BINARY_CLASSIFICATION = 'BinaryClassification',
  /** One of several classes. */
  MULTICLASS_CLASSIFICATION = 'MulticlassClassification',
}

/** Properties of an AutoML step. */
export interface AutoMlStepProps {
  /** S3 URI of the rows, CSV with header, also a value of the run, e.g. `RunData.TRAIN_URI`. */
  readonly source: string;

  /** Column that is predicted. */
  readonly target: string;

  /** Kind of prediction. */
  readonly problem: AutoMlProblem;

  /** Metric that decides, as SageMaker names it, e.g. `RMSE`, `F1` or `Accuracy`. */
  readonly metric: string;

  /** Role that the search runs under: SageMaker makes jobs and models in its name, and it reads the rows. It must trust `sagemaker.amazonaws.com`. */
  readonly role: iam.IRole;

  /**
   * Most models that are tried, 1 to 750.
   *
   * @default 10
   */
  readonly maxCandidates?: number;

  /**
   * Longest time of the search, two minutes to 30 days.
   *
   * @default Duration.hours(2)
   */
  readonly maxRuntime?: Duration;
}

/**
 * A step in which SageMaker looks for models by itself, to hold yours against. Its result is the job's description, with `BestCandidate`. The job is
 * polled every 30 seconds, three transitions each; an execution that is stopped does not stop it by itself.
 */
export class AutoMlStep implements IPipelineStep {
  /** Name of the step, and of its result: `$.steps.<stepId>`. */
  public readonly stepId: string;

  /** Fails at synth if a number is out of range. */
  constructor(
    stepId: string,
    private readonly props: AutoMlStepProps,
  ) {
    this.stepId = stepId;
    new Validator(`AutoMlStep ${stepId}`)
      .filled('target', props.target, 'name the column that is predicted')
      .filled('metric', props.metric, "e.g. 'RMSE'")
      .range('maxCandidates', props.maxCandidates, 1, 750)
      .range('maxRuntime', secondsOf(props.maxRuntime), 120, 30 * 86_400, 'two minutes to 30 days')
      .throwIfAny();
  }

  /** Makes the states; the pipeline calls it. */
  public bind(scope: Construct, context: PipelineStepContext): PipelineStepConfig {
    const { stepId } = this;
    const maxRuntime = this.props.maxRuntime ?? Duration.hours(2);
    const status = `${context.resultPath}.AutoMLJobStatus`;
    const wait = new sfn.Wait(scope, `${stepId}Wait`, { time: sfn.WaitTime.duration(POLL) });
    const failed = new sfn.Fail(scope, `${stepId}Failed`, {
      error: 'AutoMLJobFailed',
      causePath: sfn.JsonPath.format('the AutoML job {} ended as {}', at(`${context.resultPath}.AutoMLJobName`), at(status)),
    });
    const done = new sfn.Pass(scope, `${stepId}Done`);
    const look = new sfn.Choice(scope, `${stepId}Ended`)
      .when(sfn.Condition.stringEquals(status, 'Completed'), done)
      .when(sfn.Condition.or(sfn.Condition.stringEquals(status, 'Failed'), sfn.Condition.stringEquals(status, 'Stopped')), failed)
      .otherwise(wait);
    const start = this.create(scope, context, maxRuntime);
    start.next(wait).next(this.describe(scope, context)).next(look);
    return { states: sfn.Chain.custom(start, [done], done), longest: maxRuntime.plus(AROUND) };
  }

  private create(scope: Construct, context: PipelineStepContext, maxRuntime: Duration): SdkTask {
    const { source, target, problem, metric, role, maxCandidates = 10 } = this.props;
    return new SdkTask(scope, this.stepId, {
      action: 'createAutoMLJobV2',
      ...jobsOf(context, 'CreateAutoMLJobV2', 'AddTags'),
      passedRoles: [role],
      parameters: {
        AutoMLJobName: context.shortJobName,
        AutoMLJobInputDataConfig: [
          {
            ChannelType: 'training',
            ContentType: 'text/csv;header=present',
            DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: source } },
          },
        ],
        OutputDataConfig: { S3OutputPath: context.outputUri('automl'), KmsKeyId: context.store.encryptionKey.keyArn },
        AutoMLProblemTypeConfig: {
          TabularJobConfig: {
            TargetAttributeName: target,
            ProblemType: problem,
            CompletionCriteria: { MaxCandidates: maxCandidates, MaxAutoMLJobRuntimeInSeconds: maxRuntime.toSeconds() },
          },
        },
        AutoMLJobObjective: { MetricName: metric },
        RoleArn: role.roleArn,
      },
      // Names here are lower case, so the ARN holds them unchanged; the retry count of the name is gone once the state is left.
      resultSelector: { AutoMLJobName: sfn.JsonPath.arrayGetItem(sfn.JsonPath.stringSplit(at('$.AutoMLJobArn'), '/'), 1) },
      resultPath: context.resultPath,
    });
  }

  private describe(scope: Construct, context: PipelineStepContext): SdkTask {
    return new SdkTask(scope, `${this.stepId}Describe`, {
      action: 'describeAutoMLJobV2',
      ...jobsOf(context, 'DescribeAutoMLJobV2'),
      parameters: { AutoMLJobName: at(`${context.resultPath}.AutoMLJobName`) },
      resultPath: context.resultPath,
    });
  }
}

const jobsOf = ({ shortJobNamePrefix }: PipelineStepContext, ...allowed: string[]) => ({
  ...{ allowed, resource: 'automl-job' },
  namePrefix: shortJobNamePrefix,
});
