import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { retryWhatPasses } from './retry';

export interface FunctionTaskProps {
  readonly function: lambda.IFunction;
  /** Payload of the function; its answer is the state's result. */
  readonly payload: { readonly [field: string]: unknown };
  readonly timeout: Duration;
  /** @default - the answer becomes the output */
  readonly resultPath?: string;
  /**
   * Whether the state ends when somebody hands back the task's token, which stands in `$$.Task.Token`; what is handed back is then the result, and
   * the function's own answer is passed over. Nobody sends heartbeats, so there is no time for them.
   *
   * @default false
   */
  readonly waitForToken?: boolean;
}

/**
 * A step that a function does. Unlike the CDK's task it may invoke this one function only, none of its versions, and retries nothing but what passes.
 *
 * @internal
 */
export class FunctionTask extends sfn.TaskStateBase {
  protected readonly taskMetrics?: sfn.TaskMetricsConfig;
  protected readonly taskPolicies: iam.PolicyStatement[];

  constructor(
    scope: Construct,
    id: string,
    private readonly props: FunctionTaskProps,
  ) {
    super(scope, id, { taskTimeout: sfn.Timeout.duration(props.timeout), resultPath: props.resultPath });
    this.taskPolicies = [new iam.PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [props.function.functionArn] })];
    retryWhatPasses(this);
  }

  /** @internal */
  protected _renderTask(topLevelQueryLanguage?: sfn.QueryLanguage): unknown {
    const { function: fn, payload, waitForToken } = this.props;
    const queryLanguage = topLevelQueryLanguage ?? sfn.QueryLanguage.JSON_PATH;
    if (!waitForToken) return { Resource: fn.functionArn, ...this._renderParametersOrArguments(payload, queryLanguage) };
    const integration = Stack.of(this).formatArn({
      service: 'states',
      region: '',
      account: '',
      resource: 'lambda',
      resourceName: 'invoke.waitForTaskToken',
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    return { Resource: integration, ...this._renderParametersOrArguments({ FunctionName: fn.functionArn, Payload: payload }, queryLanguage) };
  }
}
