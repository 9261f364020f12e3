import * as iam from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';

/**
 * A role that carries its statements itself, where CDK makes a policy resource beside each role: half the resources, and never a moment in which
 * the role exists without its rights. Must be granted something: an empty inline policy cannot be deployed.
 *
 * @internal
 */
export class InlineRole extends iam.Role {
  private readonly statements: iam.PolicyDocument;

  constructor(scope: Construct, id: string, props: iam.RoleProps) {
    const statements = new iam.PolicyDocument();
    super(scope, id, { ...props, inlinePolicies: { ...props.inlinePolicies, Access: statements } });
    this.statements = statements;
  }

  public override addToPrincipalPolicy(statement: iam.PolicyStatement): iam.AddToPrincipalPolicyResult {
    this.statements.addStatements(statement);
    return { statementAdded: true, policyDependable: this };
  }
}
