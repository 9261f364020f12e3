import { missing, MlflowError } from '../errors';
import type { ApiRequest } from '../http';
import type { Route } from '../router';

const V2 = '/api/2.0/mlflow';
const V3 = '/api/3.0/mlflow';

type Access = Route['access'];

/** What this server never keeps is not there: lists of it are empty, one of them is not found, and making one is not implemented. */
const none = (method: string, path: string, body: object = {}, access: Access = 'read'): Route => ({
  method,
  path,
  access,
  handle: async () => body,
});

const refused = (method: string, path: string, what: string): Route => ({
  method,
  path,
  access: 'write',
  handle: async () => {
    throw new MlflowError('NOT_IMPLEMENTED', `${what} are not kept by this server.`);
  },
});

const notFound = (method: string, path: string, what: string, id: (request: ApiRequest) => string | undefined, access: Access = 'read'): Route => ({
  method,
  path,
  access,
  handle: async (request) => {
    throw missing(`${what} with ID '${id(request) ?? ''}' not found.`);
  },
});

const inPath =
  (name: string) =>
  ({ pathParams }: ApiRequest): string | undefined =>
    pathParams[name];
const traceId = inPath('trace_id');

const traces = (method: string, path: string, access?: Access): Route => notFound(method, path, 'Trace', traceId, access);

export const outOfScopeRoutes: readonly Route[] = [
  refused('POST', '/v1/traces', 'Traces'),
  refused('POST', `${V3}/traces`, 'Traces'),
  refused('POST', `${V2}/traces`, 'Traces'),
  refused('POST', `${V2}/traces/link-to-run`, 'Traces'),
  refused('POST', `${V2}/traces/link-prompts`, 'Traces'),
  none('POST', `${V3}/traces/search`),
  none('GET', `${V2}/traces`),
  none('GET', `${V3}/traces/batchGet`),
  none('POST', `${V3}/traces/batchGetInfos`),
  none('POST', `${V3}/traces/delete-traces`, { traces_deleted: 0 }, 'write'),
  none('POST', `${V2}/traces/delete-traces`, { traces_deleted: 0 }, 'write'),
  notFound('GET', `${V3}/traces/get`, 'Trace', ({ query }) => query.get('trace_id') ?? undefined),
  traces('GET', `${V3}/traces/{trace_id}`),
  traces('GET', `${V2}/traces/{trace_id}/info`),
  ...['PATCH', 'DELETE'].flatMap((method) => [
    traces(method, `${V3}/traces/{trace_id}/tags`, 'write'),
    traces(method, `${V2}/traces/{trace_id}/tags`, 'write'),
  ]),
  traces('POST', `${V3}/traces/{trace_id}/assessments`, 'write'),
  traces('GET', `${V3}/traces/{trace_id}/assessments/{assessment_id}`),
  traces('PATCH', `${V3}/traces/{trace_id}/assessments/{assessment_id}`, 'write'),
  traces('DELETE', `${V3}/traces/{trace_id}/assessments/{assessment_id}`, 'write'),
  refused('POST', `${V3}/datasets/create`, 'Evaluation datasets'),
  none('POST', `${V3}/datasets/search`),
  none('GET', `${V3}/datasets/search`),
  notFound('GET', `${V3}/datasets/{dataset_id}`, 'Evaluation dataset', inPath('dataset_id')),
  refused('POST', `${V3}/scorers/register`, 'Scorers'),
  none('GET', `${V3}/scorers/list`),
  refused('POST', `${V2}/webhooks`, 'Webhooks'),
  none('GET', `${V2}/webhooks`),
  notFound('GET', `${V2}/webhooks/{webhook_id}`, 'Webhook', inPath('webhook_id')),
];
