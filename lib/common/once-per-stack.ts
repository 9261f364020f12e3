import { createHash } from 'node:crypto';
import { Stack } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/**
 * What all constructs of a stack share that are about the same things: the one that is there already, or a new one.
 *
 * @internal
 */
export const oncePerStack = <T extends Construct>(
  scope: Construct,
  name: string,
  about: readonly string[],
  make: (stack: Stack, id: string) => T,
): T => {
  const stack = Stack.of(scope);
  const id = `${name}-${createHash('sha256').update(about.join('/')).digest('hex').slice(0, 8)}`;
  return (stack.node.tryFindChild(id) as T | undefined) ?? make(stack, id);
};

/**
 * Address of a construct of which only the interface is known.
 *
 * @internal
 */
export const addressOf = (construct: object): string => (construct as Construct).node.addr;
