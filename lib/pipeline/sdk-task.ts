import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { retrySageMaker } from './retry';

export interface SdkTaskProps {
  /** Action of SageMaker's API as Step Functions' SDK integration writes it, e.g. `describeTrainingJob`. */
  readonly action: string;
  readonly parameters: { readonly [field: string]: unknown };
  /** Actions of IAM that the call needs, without `sagemaker:`. */
  readonly allowed: readonly string[];
  /** Resource type in ARNs. */
  readonly resource: string;
  /** What the names of everything that the call is about begin with. */
  readonly namePrefix: string;
  /** Roles that the request hands to SageMaker. */
  readonly passedRoles?: readonly iam.IRole[];
  readonly resultSelector?: { readonly [field: string]: unknown };
  readonly resultPath: string;
}

/** Long enough for a call of an API that answers at once. */
const CALL_TIMEOUT = Duration.minutes(2);

/**
 * A call of SageMaker's API that has no integration of its own. It is done when it has answered; what it began is polled.
 *
 * @internal
 */
export class SdkTask extends sfn.TaskStateBase {
  protected readonly taskMetrics?: sfn.TaskMetricsConfig;
  protected readonly taskPolicies: iam.PolicyStatement[];
  /** ARN pattern of what the call is about. */
  public readonly resources: readonly string[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: SdkTaskProps,
  ) {
    super(scope, id, {
      taskTimeout: sfn.Timeout.duration(CALL_TIMEOUT),
      resultPath: props.resultPath,
      resultSelector: props.resultSelector as { [key: string]: unknown } | undefined,
    });
    const { allowed, resource, namePrefix, passedRoles = [] } = props;
    this.resources = [Stack.of(this).formatArn({ service: 'sagemaker', resource, resourceName: `${namePrefix}-*` })];
    const actions = allowed.map((action) => `sagemaker:${action}`);
    this.taskPolicies = [new iam.PolicyStatement({ actions, resources: [...this.resources] }), ...passing(passedRoles)];
    retrySageMaker(this);
  }

  /** @internal */
  protected _renderTask(topLevelQueryLanguage?: sfn.QueryLanguage): unknown {
    const queryLanguage = topLevelQueryLanguage ?? sfn.QueryLanguage.JSON_PATH;
    const integration = Stack.of(this).formatArn({
      service: 'states',
      region: '',
      account: '',
      resource: 'aws-sdk:sagemaker',
      resourceName: this.props.action,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return { Resource: integration, ...this._renderParametersOrArguments(this.props.parameters, queryLanguage) };
  }
}

/**
 * Lets a state hand roles to SageMaker, and to nobody else.
 *
 * @internal
 */
export const passing = (roles: readonly iam.IRole[]): iam.PolicyStatement[] =>
  roles.length === 0
    ? []
    : [
        new iam.PolicyStatement({
          actions: ['iam:PassRole'],
          resources: roles.map(({ roleArn }) => roleArn),
          conditions: { StringEquals: { 'iam:PassedToService': 'sagemaker.amazonaws.com' } },
        }),
      ];
