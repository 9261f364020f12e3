import { Stack, Validations } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct, IConstruct } from 'constructs';

/** An ARN as cdk-nag names it in a finding: `<LogicalId.Attribute>` for each reference. */
const flatten = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return value.map(flatten).join('');
  if (typeof value !== 'object' || value === null) return '';
  const [[name, argument]] = Object.entries(value) as [string, unknown][];
  switch (name) {
    case 'Fn::Join':
      return (argument as [string, unknown[]])[1].map(flatten).join((argument as [string, unknown[]])[0]);
    case 'Fn::GetAtt':
      return `<${(argument as string[]).join('.')}>`;
    case 'Ref':
      return `<${argument as string}>`;
    default:
      return JSON.stringify(value);
  }
};

/**
 * Records why a grantee's policy has these wildcard resources, for cdk-nag (AwsSolutions-IAM5) and whoever reads the template's metadata.
 * The finding is silenced for exactly these ARNs; every other wildcard of the role is still reported.
 *
 * @internal
 */
export const acknowledgeWildcards = (grantee: iam.IGrantable, resourceArns: readonly string[], reason: string): void => {
  const principal = grantee.grantPrincipal as unknown as IConstruct;
  if (!Construct.isConstruct(principal)) return;
  const stack = Stack.of(principal);
  for (const arn of resourceArns) {
    const id = flatten(stack.resolve(arn));
    if (id.includes('*')) Validations.of(principal).acknowledge({ id: `AwsSolutions-IAM5[Resource::${id}]`, reason });
  }
};
