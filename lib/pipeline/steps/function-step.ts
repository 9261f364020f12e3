import { Duration } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Validator } from '../../common/validation';
import { FUNCTION_TIMEOUT } from '../function-states';
import { FunctionTask } from '../function-task';
import { secondsOf } from '../job-settings';
import { IPipelineStep, PipelineStepConfig, PipelineStepContext } from './pipeline-step';

/** Properties of a step that a function does. */
export interface FunctionStepProps {
  /** The function. It is called at least once: make what it does the same when it is done twice. */
  readonly function: lambda.IFunction;

  /**
   * Payload, also with values of the run.
   *
   * @default - the whole state of the run: its input, `prepared` and what the steps so far have left
   */
  readonly payload?: { [field: string]: unknown };

  /**
   * Longest time of a call.
   *
   * @default Duration.minutes(16)
   */
  readonly timeout?: Duration;
}

/** A step that a Lambda function does. Its result is the function's answer. */
export class FunctionStep implements IPipelineStep {
  /** Name of the step, and of its result: `$.steps.<stepId>`. */
  public readonly stepId: string;

  /** Fails at synth if timeout is not from a second to 16 minutes. */
  constructor(
    stepId: string,
    private readonly props: FunctionStepProps,
  ) {
    this.stepId = stepId;
    new Validator(`FunctionStep ${stepId}`).range('timeout', secondsOf(props.timeout), 1, 960, 'a function runs for 15 minutes at most').throwIfAny();
  }

  /** Makes the states; the pipeline calls it. */
  public bind(scope: Construct, context: PipelineStepContext): PipelineStepConfig {
    const timeout = this.props.timeout ?? FUNCTION_TIMEOUT;
    const states = new FunctionTask(scope, this.stepId, {
      function: this.props.function,
      payload: this.props.payload ?? { run: sfn.JsonPath.objectAt('$') },
      timeout,
      resultPath: context.resultPath,
    });
    return { states, longest: timeout };
  }
}
