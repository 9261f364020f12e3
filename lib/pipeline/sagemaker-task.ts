import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { Validator } from '../common/validation';
import * as optimizedFields from './optimized-fields.json';
import { retrySageMaker } from './retry';
import { passing } from './sdk-task';

/** What Step Functions' integration takes of each request; the service itself knows more fields. */
const OPTIMIZED_FIELDS = optimizedFields as unknown as { readonly [action: string]: readonly string[] };

interface Kind {
  /** Noun in the API's action names. */
  readonly noun: string;
  /** Resource type in ARNs. */
  readonly resource: string;
  /** Rule that Step Functions manages to hear of a job's end; only jobs have one. */
  readonly managedRule?: string;
}

const KINDS: { readonly [action: string]: Kind } = {
  createTrainingJob: { noun: 'TrainingJob', resource: 'training-job', managedRule: 'StepFunctionsGetEventsForSageMakerTrainingJobsRule' },
  createTransformJob: { noun: 'TransformJob', resource: 'transform-job', managedRule: 'StepFunctionsGetEventsForSageMakerTransformJobsRule' },
  createProcessingJob: { noun: 'ProcessingJob', resource: 'processing-job', managedRule: 'StepFunctionsGetEventsForSageMakerProcessingJobsRule' },
  createHyperParameterTuningJob: {
    noun: 'HyperParameterTuningJob',
    resource: 'hyper-parameter-tuning-job',
    managedRule: 'StepFunctionsGetEventsForSageMakerTuningJobsRule',
  },
  createModel: { noun: 'Model', resource: 'model' },
  createEndpointConfig: { noun: 'EndpointConfig', resource: 'endpoint-config' },
  createEndpoint: { noun: 'Endpoint', resource: 'endpoint' },
  updateEndpoint: { noun: 'Endpoint', resource: 'endpoint' },
};

export interface SageMakerTaskProps {
  /** Action of the optimized integration, e.g. `createTrainingJob`. */
  readonly action: string;
  /** Whether the state waits for the end of the job (`.sync`); only for jobs. */
  readonly waitForEnd?: boolean;
  /** Request in PascalCase, as the API takes it. */
  readonly parameters: { readonly [field: string]: unknown };
  /** What the names of everything made by this state begin with, lower case; the state machine's permissions end there. */
  readonly namePrefix: string;
  /** Roles that the request hands to SageMaker. */
  readonly passedRoles?: readonly iam.IRole[];
  readonly timeout: Duration;
  readonly resultSelector?: { readonly [field: string]: unknown };
  readonly resultPath: string;
}

/**
 * A request to SageMaker by Step Functions' own integration. The CDK's tasks lack fields, processing and tuning, and grant more than is needed.
 *
 * Fails at synth where the integration would refuse a field when the state machine is created or run.
 *
 * @internal
 */
export class SageMakerTask extends sfn.TaskStateBase {
  protected readonly taskMetrics?: sfn.TaskMetricsConfig;
  protected readonly taskPolicies: iam.PolicyStatement[];
  /** ARN pattern of what the state makes. */
  public readonly resources: readonly string[];

  private readonly integration: string;
  private readonly request: { readonly [field: string]: unknown };

  constructor(scope: Construct, id: string, props: SageMakerTaskProps) {
    super(scope, id, {
      taskTimeout: sfn.Timeout.duration(props.timeout),
      resultPath: props.resultPath,
      resultSelector: props.resultSelector as { [key: string]: unknown } | undefined,
    });
    validate(this.node.path, props);
    const stack = Stack.of(this);
    const suffix = props.waitForEnd ? '.sync' : '';
    this.integration = stack.formatArn({
      service: 'states',
      region: '',
      account: '',
      resource: 'sagemaker',
      resourceName: `${props.action}${suffix}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    this.request = props.parameters;
    this.resources = [ownOf(stack, props)];
    this.taskPolicies = policiesOf(stack, props);
    retrySageMaker(this);
  }

  /** @internal */
  protected _renderTask(topLevelQueryLanguage?: sfn.QueryLanguage): unknown {
    const queryLanguage = topLevelQueryLanguage ?? sfn.QueryLanguage.JSON_PATH;
    return { Resource: this.integration, ...this._renderParametersOrArguments(this.request, queryLanguage) };
  }
}

const validate = (place: string, { action, parameters, waitForEnd }: SageMakerTaskProps): void => {
  const fields = OPTIMIZED_FIELDS[action];
  const validator = new Validator(`SageMakerTask ${place}`).check(fields !== undefined && KINDS[action] !== undefined, {
    rule: 'must be an action of the optimized SageMaker integration',
    place: 'action',
    got: `'${action}'`,
    fix: `choose one of ${Object.keys(KINDS).join(', ')}`,
  });
  validator.throwIfAny();
  for (const field of Object.keys(parameters).map((name) => name.replace(/\.\$$/, ''))) {
    validator.check(fields.includes(field), {
      rule: `Step Functions' integration of ${action} does not take this field`,
      place: `parameters.${field}`,
      fix: `it takes ${fields.join(', ')}`,
    });
  }
  validator
    .check(!waitForEnd || KINDS[action].managedRule !== undefined, {
      rule: 'only jobs can be waited for (.sync)',
      place: 'waitForEnd',
      got: `true for ${action}`,
      fix: 'poll the resource in a loop of Wait and Describe',
    })
    .throwIfAny();
};

const ownOf = (stack: Stack, { action, namePrefix }: SageMakerTaskProps): string =>
  stack.formatArn({ service: 'sagemaker', resource: KINDS[action].resource, resourceName: `${namePrefix}-*` });

const policiesOf = (stack: Stack, props: SageMakerTaskProps): iam.PolicyStatement[] => {
  const { noun, managedRule } = KINDS[props.action];
  const own = ownOf(stack, props);
  const api = props.action[0].toUpperCase() + props.action.slice(1);
  // Step Functions tags what it makes with the execution's ARN.
  const actions = [api, 'AddTags', ...(props.waitForEnd ? [`Describe${noun}`, `Stop${noun}`] : [])].map((name) => `sagemaker:${name}`);
  const making = new iam.PolicyStatement({ actions: [...actions, 'sagemaker:ListTags'], resources: [own] });
  const statements = [making, ...passing(props.passedRoles ?? [])];
  if (props.waitForEnd && managedRule) {
    statements.push(
      new iam.PolicyStatement({
        actions: ['events:PutTargets', 'events:PutRule', 'events:DescribeRule'],
        resources: [stack.formatArn({ service: 'events', resource: 'rule', resourceName: managedRule })],
      }),
    );
  }
  return statements;
};
