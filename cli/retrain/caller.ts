import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import type { Connection } from '../platform';

const LONGEST = 200;

/** Who asks, as AWS knows them: what a person types about themselves would prove nothing. */
export async function callerOf(connection: Connection): Promise<string> {
  const { Arn = 'unknown' } = await new STSClient(connection).send(new GetCallerIdentityCommand({}));
  return Arn.slice(-LONGEST);
}
