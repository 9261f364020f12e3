import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { Validator } from '../../common/validation';
import { DEFAULT_INSTANCE_TYPE, INSTANCE_TYPE, secondsOf } from '../job-settings';
import { at } from '../names';
import { SageMakerTask } from '../sagemaker-task';
import { IPipelineStep, PipelineStepConfig, PipelineStepContext } from './pipeline-step';
import { RunData } from './run-data';

/** Properties of a batch transform step. */
export interface TransformStepProps {
  /** S3 URI of the rows, also a value of the run, e.g. `RunData.HOLDOUT_FEATURES_URI`. The model's role has to be able to read them. */
  readonly source: string;

  /**
   * Name of the SageMaker model that predicts.
   *
   * @default RunData.SAGEMAKER_MODEL_NAME
   */
  readonly sagemakerModelName?: string;

  /**
   * Content type of the rows.
   *
   * @default 'text/csv'
   */
  readonly contentType?: string;

  /**
   * Content type of the predictions.
   *
   * @default 'text/csv'
   */
  readonly accept?: string;

  /**
   * Expression that picks what of a row the model is given, in SageMaker's JSONPath, e.g. `$[1:]` for all columns but the first.
   *
   * @default - the whole row
   */
  readonly inputFilter?: string;

  /**
   * Instance type as SageMaker names it.
   *
   * @default 'ml.m5.large'
   */
  readonly instanceType?: string;

  /**
   * Instances that share the files, 1 to 100.
   *
   * @default 1
   */
  readonly instanceCount?: number;

  /**
   * Longest time of the job; the run fails then.
   *
   * @default Duration.hours(1)
   */
  readonly timeout?: Duration;
}

/** A step that predicts many rows without an endpoint. Its result: `TransformJobName` and `outputUri`, where the predictions lie. */
export class TransformStep implements IPipelineStep {
  /** Name of the step, and of its result: `$.steps.<stepId>`. */
  public readonly stepId: string;

  /** Fails at synth if a value is one that SageMaker would refuse. */
  constructor(
    stepId: string,
    private readonly props: TransformStepProps,
  ) {
    this.stepId = stepId;
    new Validator(`TransformStep ${stepId}`)
      .pattern('instanceType', props.instanceType, INSTANCE_TYPE, 'SageMaker names instance types ml.<family>.<size>', "e.g. 'ml.m5.large'")
      .range('instanceCount', props.instanceCount, 1, 100, 'whole instances, at most 100')
      .range('timeout', secondsOf(props.timeout), 60, 5 * 86_400, 'a minute to five days')
      .filled('inputFilter', props.inputFilter, 'leave it out for the whole row')
      .throwIfAny();
  }

  /** Makes the states; the pipeline calls it. */
  public bind(scope: Construct, context: PipelineStepContext): PipelineStepConfig {
    const { source, sagemakerModelName, contentType = 'text/csv', accept = 'text/csv', inputFilter, instanceCount = 1 } = this.props;
    const timeout = this.props.timeout ?? Duration.hours(1);
    const states = new SageMakerTask(scope, this.stepId, {
      action: 'createTransformJob',
      waitForEnd: true,
      namePrefix: context.jobNamePrefix,
      timeout,
      parameters: {
        TransformJobName: context.jobName,
        ModelName: sagemakerModelName ?? RunData.SAGEMAKER_MODEL_NAME,
        BatchStrategy: 'MultiRecord',
        MaxPayloadInMB: 6,
        TransformInput: {
          ContentType: contentType,
          SplitType: 'Line',
          DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: source } },
        },
        TransformOutput: {
          S3OutputPath: context.outputUri('predictions'),
          Accept: accept,
          AssembleWith: 'Line',
          KmsKeyId: context.store.encryptionKey.keyArn,
        },
        TransformResources: { InstanceType: this.props.instanceType ?? DEFAULT_INSTANCE_TYPE, InstanceCount: instanceCount },
        ...(inputFilter !== undefined && { DataProcessing: { InputFilter: inputFilter } }),
      },
      resultSelector: { TransformJobName: at('$.TransformJobName'), outputUri: at('$.TransformOutput.S3OutputPath') },
      resultPath: context.resultPath,
    });
    return { states, longest: timeout };
  }
}
