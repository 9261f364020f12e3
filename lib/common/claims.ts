import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

const CLAIMS = new WeakMap<Stack, Map<string, string>>();

/**
 * Takes a name that AWS lets exist once, for a construct; answers the path of the construct in the same stack that has it already.
 *
 * @internal
 */
export const claim = (scope: Construct, name: string): string | undefined => {
  const stack = Stack.of(scope);
  const names = CLAIMS.get(stack) ?? new Map<string, string>();
  CLAIMS.set(stack, names);
  const owner = names.get(name);
  if (owner === undefined) names.set(name, scope.node.path);
  return owner;
};
