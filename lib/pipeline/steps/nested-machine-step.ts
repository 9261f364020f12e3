import { Duration } from 'aws-cdk-lib';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import * as tasks from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../../common/acknowledge';
import { executionsOf } from '../../common/executions';
import { Validator } from '../../common/validation';
import { secondsOf } from '../job-settings';
import { at } from '../names';
import { retryWhatPasses } from '../retry';
import { IPipelineStep, PipelineStepConfig, PipelineStepContext } from './pipeline-step';

const LONGEST = 365 * 86_400;

/** Properties of a step that another state machine does. */
export interface NestedMachineStepProps {
  /** The state machine, a standard one. */
  readonly stateMachine: sfn.IStateMachine;

  /**
   * Input of its execution, also with values of the run.
   *
   * @default - the whole state of the run as `run`
   */
  readonly input?: { [field: string]: unknown };

  /** Longest time of its execution; it is stopped then and the run fails. At most a year. */
  readonly timeout: Duration;
}

/** A step that another state machine does, as an execution of its own. Its result: `ExecutionArn` and `output`. */
export class NestedMachineStep implements IPipelineStep {
  /** Name of the step, and of its result: `$.steps.<stepId>`. */
  public readonly stepId: string;

  /** Fails at synth if timeout is not from a second to a year. */
  constructor(
    stepId: string,
    private readonly props: NestedMachineStepProps,
  ) {
    this.stepId = stepId;
    new Validator(`NestedMachineStep ${stepId}`)
      .range('timeout', secondsOf(props.timeout), 1, LONGEST, 'an execution lives for a year at most')
      .throwIfAny();
  }

  /** Makes the states; the pipeline calls it. */
  public bind(scope: Construct, context: PipelineStepContext): PipelineStepConfig {
    const { stateMachine, input, timeout } = this.props;
    const states = retryWhatPasses(
      new tasks.StepFunctionsStartExecution(scope, this.stepId, {
        stateMachine,
        integrationPattern: sfn.IntegrationPattern.RUN_JOB,
        // Another name at each attempt: an execution's name is not free again.
        name: context.jobName,
        input: sfn.TaskInput.fromObject(input ?? { run: sfn.JsonPath.objectAt('$') }),
        resultSelector: { ExecutionArn: at('$.ExecutionArn'), output: sfn.JsonPath.objectAt('$.Output') },
        resultPath: context.resultPath,
        taskTimeout: sfn.Timeout.duration(timeout),
      }),
    );
    // As the CDK's own task writes it.
    const executions = executionsOf(stateMachine).replace(/:\*$/, '*');
    acknowledgeWildcards(context.stateMachineRole, [executions], 'Executions are named at run time; this is bound to one machine.');
    return { states, longest: timeout };
  }
}
