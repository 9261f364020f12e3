import { constants, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { invalid, MlflowError } from './errors';
import type { Caller, RawRequest, Reply } from './http';

/** More than a request of API Gateway can unfold to in earnest. */
const MOST_BODY_BYTES = 64 * 1024 * 1024;

const decompressed = (body: Buffer, encoding: string): Buffer => {
  try {
    if (encoding === 'gzip') return gunzipSync(body, { maxOutputLength: MOST_BODY_BYTES });
    if (encoding === 'deflate') return inflateSync(body, { maxOutputLength: MOST_BODY_BYTES });
  } catch (error) {
    throw new MlflowError('INVALID_PARAMETER_VALUE', `Bad Request. The body cannot be decompressed with ${encoding}.`, { cause: error });
  }
  throw invalid(`Bad Request. Content-Encoding ${encoding} is not supported: gzip and deflate are.`);
};

const bodyOf = ({ body = '', isBase64Encoded, headers }: APIGatewayProxyEventV2): Buffer => {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  return encoding === 'identity' || encoding === '' || bytes.length === 0 ? bytes : decompressed(bytes, encoding);
};

/** The request of an HTTP API's event, payload format 2.0, whose path API Gateway has decoded. */
export const requestOf = (event: APIGatewayProxyEventV2, caller: Caller): RawRequest => {
  const headers = Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const [, prefix, path] = /^\/*(\/[^/]+)(\/.*)$/s.exec(event.rawPath) ?? [];
  if (path === undefined) throw new MlflowError('ENDPOINT_NOT_FOUND', 'Not Found');
  return {
    method: event.requestContext.http.method,
    path,
    query: new URLSearchParams(event.rawQueryString),
    headers,
    body: bodyOf({ ...event, headers }),
    caller,
    baseUrl: `${headers['x-forwarded-proto'] ?? 'https'}://${headers.host ?? event.requestContext.domainName}${prefix}`,
  };
};

/** Lambda answers at most 6 MB, in which each quote of a JSON body counts twice: from here on answers are compressed. */
const COMPRESS_FROM_BYTES = 1024 * 1024;
const MOST_ANSWER_BYTES = 5.9 * 1024 * 1024;

/** What a function may answer; undefined where the answer is too large for it, also compressed. */
export const resultOf = ({ status, headers, body }: Reply, accepted = ''): APIGatewayProxyStructuredResultV2 | undefined => {
  if (typeof body === 'string' && body.length < COMPRESS_FROM_BYTES) {
    return { statusCode: status, headers: { ...headers }, body, isBase64Encoded: false };
  }
  const isCompressed = typeof body === 'string' && /\bgzip\b/.test(accepted);
  const bytes = isCompressed ? gzipSync(body, { level: constants.Z_BEST_SPEED }) : Buffer.from(body);
  const encoded = bytes.toString('base64');
  if (encoded.length > MOST_ANSWER_BYTES) return undefined;
  const sent = isCompressed ? { ...headers, 'content-encoding': 'gzip' } : { ...headers };
  return { statusCode: status, headers: sent, body: encoded, isBase64Encoded: true };
};
