import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { createLogger } from '../common/logger';
import { authenticate } from './mlflow/authenticate';
import { toMlflowError } from './mlflow/errors';
import { requestOf, resultOf } from './mlflow/event';
import { Reply } from './mlflow/http';
import { answer, MethodNotAllowed, routeOf } from './mlflow/router';
import { router } from './mlflow/routes';
import { createStores, Stores } from './mlflow/stores';

const logger = createLogger('mlflow-api');

let shared: Stores | undefined;
const stores = (): Stores => (shared ??= createStores());

/** Function behind the MLflow-compatible HTTP API. Logs one line a call: method, route, status and time, never what was sent or answered. */
export const handler = async (event: APIGatewayProxyEventV2, context?: Pick<Context, 'awsRequestId'>): Promise<APIGatewayProxyStructuredResultV2> => {
  const start = process.hrtime.bigint();
  const reply = await replyTo(event, context?.awsRequestId ?? event.requestContext.requestId);
  const { method } = event.requestContext.http;
  logger.info('call', {
    method,
    route: routeOf(router, method, event.rawPath),
    status: reply.status,
    ms: Number((process.hrtime.bigint() - start) / 1_000_000n),
  });
  return resultOf(reply);
};

const replyTo = async (event: APIGatewayProxyEventV2, requestId: string): Promise<Reply> => {
  try {
    return (await answer(router, requestOf(event, await authenticate(event)), stores)).reply;
  } catch (error) {
    if (error instanceof MethodNotAllowed) return error.reply();
    const known = toMlflowError(error, requestId);
    if (known.code === 'INTERNAL_ERROR') logger.error(known.message, { requestId, cause: describe(error) });
    return Reply.error(known);
  }
};

/** Kind and place of a fault; its message may hold what somebody sent. */
const describe = (error: unknown): object => {
  const { name, stack = '' } = error instanceof Error ? error : new Error('not an error');
  return { name, at: stack.split('\n').filter((line) => line.startsWith('    at ')).slice(0, 5) };
};
