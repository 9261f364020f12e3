import { ArnFormat, CustomResource, Duration, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { acknowledgeWildcards } from '../common/acknowledge';
import { COMMON_ENV } from '../common/contract';
import { PlatformFunction } from '../common/function';
import { platformSlug } from './endpoint-name';

export interface EndpointRemovalProps {
  readonly platformName: string;
  readonly endpointName: string;
}

/**
 * Removes an endpoint, its configurations and models together with the construct: they are made at run time, so CloudFormation does not know them.
 *
 * @internal
 */
export class EndpointRemoval extends Construct {
  constructor(scope: Construct, id: string, props: EndpointRemovalProps) {
    super(scope, id);
    const remover = removerOf(Stack.of(this), props.platformName);
    const resource = new CustomResource(this, 'Resource', {
      serviceToken: remover.functionArn,
      resourceType: 'Custom::MlOpsEndpointRemoval',
      properties: { EndpointName: props.endpointName },
      serviceTimeout: Duration.minutes(16),
    });
    // The function and its permissions have to outlive what they remove.
    resource.node.addDependency(remover);
  }
}

/** One function for all endpoints of a platform: its permissions must not shrink before a removed model's endpoint is gone. */
const removerOf = (stack: Stack, platformName: string): lambda.Function => {
  const slug = platformSlug(platformName);
  const id = `MlOpsEndpointRemover-${slug}`;
  const known = stack.node.tryFindChild(id)?.node.tryFindChild('Function')?.node.tryFindChild('Resource');
  if (known) return known as lambda.Function;
  const remover = new PlatformFunction(new Construct(stack, id), 'Function', {
    handler: 'serving/remove-endpoint',
    description: `Removes what the pipelines of ${platformName} made for an endpoint, when its model leaves the stack`,
    environment: { [COMMON_ENV.platform]: platformName },
    timeout: Duration.minutes(15),
    memorySize: 256,
  });
  const arns = (resource: string) => stack.formatArn({ service: 'sagemaker', resource, resourceName: `${slug}-*` });
  const [endpoints, configs, models] = ['endpoint', 'endpoint-config', 'model'].map(arns);
  const allow = (actions: string[], resources: string[]) => remover.addToRolePolicy(new iam.PolicyStatement({ actions, resources }));
  allow(['sagemaker:DescribeEndpoint', 'sagemaker:DeleteEndpoint'], [endpoints]);
  allow(['sagemaker:DeleteEndpointConfig', 'sagemaker:ListTags'], [configs]);
  allow(['sagemaker:DeleteModel', 'sagemaker:ListTags'], [models]);
  const alarms = stack.formatArn({ service: 'cloudwatch', resource: 'alarm', resourceName: `${slug}-*`, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
  allow(['cloudwatch:DescribeAlarms', 'cloudwatch:DeleteAlarms'], [alarms]);
  // Lists know no resources; what belongs to the endpoint is told by its tag.
  allow(['sagemaker:ListEndpointConfigs', 'sagemaker:ListModels'], ['*']);
  acknowledgeWildcards(
    remover,
    [endpoints, configs, models, alarms, '*'],
    'Made at run time under names that begin with the platform; lists know no resources.',
  );
  return remover;
};
