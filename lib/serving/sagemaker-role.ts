import { ArnFormat, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { InlineRole } from '../common/inline-role';

export interface SageMakerRoleProps {
  readonly description: string;
  /** What runs under the role, as SageMaker names the log groups and metric namespaces of it. */
  readonly purposes: readonly ('TrainingJobs' | 'TransformJobs' | 'ProcessingJobs' | 'Endpoints')[];
}

/**
 * A role that SageMaker assumes to run containers: logs and metrics of its purposes, nothing else. Access to data and images is granted to it.
 *
 * @internal
 */
export class SageMakerRole extends InlineRole {
  constructor(scope: Construct, id: string, props: SageMakerRoleProps) {
    const stack = Stack.of(scope);
    super(scope, id, {
      description: props.description,
      assumedBy: new iam.ServicePrincipal('sagemaker.amazonaws.com', { conditions: { StringEquals: { 'aws:SourceAccount': stack.account } } }),
    });
    const groups = props.purposes.map((purpose) => `/aws/sagemaker/${purpose}`);
    const logs = groups.map((group) =>
      stack.formatArn({ service: 'logs', resource: 'log-group', resourceName: `${group}*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME }),
    );
    this.addToPolicy(
      new iam.PolicyStatement({
        actions: ['logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        resources: logs,
      }),
    );
    acknowledgeWildcards(this, logs, 'SageMaker names the log groups of endpoints and the streams of jobs at run time.');
    this.addToPolicy(
      new iam.PolicyStatement({
        actions: ['cloudwatch:PutMetricData'],
        // PutMetricData knows no resources; the condition is its scope.
        resources: ['*'],
        conditions: { StringEquals: { 'cloudwatch:namespace': groups } },
      }),
    );
    acknowledgeWildcards(this, ['*'], 'PutMetricData and GetAuthorizationToken know no resources; metrics are bound to namespaces by a condition.');
  }
}
