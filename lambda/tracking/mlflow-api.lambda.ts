import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { createLogger } from '../common/logger';
import { authenticate } from './mlflow/authenticate';
import { invalid, toMlflowError } from './mlflow/errors';
import { requestOf, resultOf } from './mlflow/event';
import { Caller, Reply } from './mlflow/http';
import { answer, MethodNotAllowed, routeOf } from './mlflow/router';
import { router } from './mlflow/routes';
import { createStores, Stores } from './mlflow/stores';

const logger = createLogger('mlflow-api');

let shared: Stores | undefined;
const stores = (): Stores => (shared ??= createStores());

/** Function behind the MLflow-compatible HTTP API. Logs one line a call: who, method, route, status and time, never what was sent. */
export const handler = async (event: APIGatewayProxyEventV2, context?: Pick<Context, 'awsRequestId'>): Promise<APIGatewayProxyStructuredResultV2> => {
  const start = process.hrtime.bigint();
  const { reply, caller } = await replyTo(event, context?.awsRequestId ?? event.requestContext.requestId);
  const result = resultOf(reply, event.headers['accept-encoding']) ?? resultOf(TOO_LARGE)!;
  const { method } = event.requestContext.http;
  const ms = Number((process.hrtime.bigint() - start) / 1_000_000n);
  const who = { caller: caller?.id, viaToken: caller?.viaToken };
  logger.info('call', { ...who, method, route: routeOf(router, method, event.rawPath), status: result.statusCode, ms });
  return result;
};

const TOO_LARGE = Reply.error(invalid('The answer is larger than the 6 MB that one call can carry: ask for less with max_results.'));

interface Answered {
  readonly reply: Reply;
  /** Absent where nobody could be told: no or a bad signature or token. */
  readonly caller?: Caller;
}

const replyTo = async (event: APIGatewayProxyEventV2, requestId: string): Promise<Answered> => {
  let caller: Caller | undefined;
  try {
    caller = await authenticate(event);
    return { caller, reply: (await answer(router, requestOf(event, caller), stores)).reply };
  } catch (error) {
    if (error instanceof MethodNotAllowed) return { caller, reply: error.reply() };
    const known = toMlflowError(error, requestId);
    if (known.code === 'INTERNAL_ERROR') logger.error(known.message, { requestId, cause: describe(error) });
    return { caller, reply: Reply.error(known) };
  }
};

/** Kind and place of a fault; its message may hold what somebody sent. */
const describe = (error: unknown): object => {
  const { name, stack = '' } = error instanceof Error ? error : new Error('not an error');
  return { name, at: stack.split('\n').filter((line) => line.startsWith('    at ')).slice(0, 5) };
};
