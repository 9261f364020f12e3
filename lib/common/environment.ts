import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';

/**
 * Sets environment variables where the grantee of a grant is a function, so that whoever may use a store also finds it.
 *
 * @internal
 */
export const addEnvironment = (grantee: iam.IGrantable, variables: Readonly<Record<string, string>>): void => {
  // Singleton functions and imported ones are IFunction without addEnvironment; the method, not the class, is what counts.
  const candidate = grantee as Partial<lambda.Function>;
  if (typeof candidate.addEnvironment !== 'function') return;
  for (const [name, value] of Object.entries(variables)) candidate.addEnvironment(name, value);
};
