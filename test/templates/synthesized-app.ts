import { Template } from 'aws-cdk-lib/assertions';
import { CONTEXT_ENV } from 'aws-cdk-lib/cx-api';
import cdkJson from '../../cdk.json';

export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
}

/** The template that `cdk deploy` sends, made from the sources: bin/app.ts with the context of cdk.json. Fails where CloudFormation's rules do. */
export const synthesizeApp = async (): Promise<Template> => {
  delete process.env.CDK_VALIDATION;
  process.env[CONTEXT_ENV] = JSON.stringify(cdkJson.context);
  const { stack } = await import('../../bin/app');
  return Template.fromStack(stack);
};

export const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Every statement of every identity policy with the role that has it. */
export const identityStatements = (template: Template): readonly (Statement & { readonly role: string })[] =>
  Object.entries(template.findResources('AWS::IAM::Role')).flatMap(([role, { Properties }]) =>
    (Properties.Policies ?? []).flatMap(({ PolicyDocument }: { PolicyDocument: { Statement: Statement[] } }) =>
      PolicyDocument.Statement.map((statement) => ({ role, ...statement })),
    ),
  );
