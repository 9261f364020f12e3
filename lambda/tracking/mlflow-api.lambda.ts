import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { createLogger } from '../common/logger';
import { authenticate } from './mlflow/authenticate';
import { MlflowError, toMlflowError } from './mlflow/errors';
import { tokenRoutes } from './mlflow/handlers/token';
import { RawRequest, Reply } from './mlflow/http';
import { answer, MethodNotAllowed, Router } from './mlflow/router';
import type { Stores } from './mlflow/stores';

const logger = createLogger('mlflow-api');
const router = new Router(tokenRoutes);

export const handler = async (event: APIGatewayProxyEventV2): Promise<APIGatewayProxyStructuredResultV2> => {
  try {
    const { reply } = await answer(router, await requestOf(event), () => ({}) as Stores);
    return resultOf(reply);
  } catch (error) {
    if (error instanceof MethodNotAllowed) return resultOf(error.reply());
    const known = toMlflowError(error);
    if (known.status >= 500) logger.error(known.message, error as Error);
    return resultOf(Reply.error(known));
  }
};

const requestOf = async (event: APIGatewayProxyEventV2): Promise<RawRequest> => {
  const caller = await authenticate(event);
  const [, prefix, path] = /^(\/[^/]+)(\/.*)$/.exec(event.rawPath) ?? [];
  if (path === undefined) throw new MlflowError('ENDPOINT_NOT_FOUND', 'Not Found');
  return {
    method: event.requestContext.http.method,
    path,
    query: new URLSearchParams(event.rawQueryString),
    headers: event.headers,
    body: Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8'),
    caller,
    baseUrl: `https://${event.requestContext.domainName}${prefix}`,
  };
};

const resultOf = ({ status, headers, body }: Reply): APIGatewayProxyStructuredResultV2 => ({
  statusCode: status,
  headers,
  body: typeof body === 'string' ? body : body.toString('base64'),
  isBase64Encoded: typeof body !== 'string',
});
