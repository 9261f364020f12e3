/** Method and path (below `/iam`) of one kind of request; `*` stands for anything, as in an IAM policy. */
export type ApiPath = readonly [method: string, path: string];

/** Under which MLflow's calls are known to its client and, with `ajax-api`, to its web UI. */
const CALLS = ['/api/2.0/mlflow', '/ajax-api/2.0/mlflow'] as const;
const NEWER_CALLS = ['/api/3.0/mlflow', '/ajax-api/3.0/mlflow'] as const;
const ARTIFACTS = ['/api/2.0/mlflow-artifacts', '/ajax-api/2.0/mlflow-artifacts'] as const;

/** Calls that only read although they are sent with POST, since what they ask for does not fit into a query string. */
const READING_POSTS = [
  'artifacts/presigned-download-url',
  'experiments/search',
  'experiments/search-datasets',
  'logged-models/search',
  'model-versions/search',
  'registered-models/get-latest-versions',
  'registered-models/search',
  'runs/search',
] as const;
const NEWER_READING_POSTS = ['datasets/search', 'traces/batchGetInfos', 'traces/search', 'ui-telemetry'] as const;

const posts = (prefixes: readonly string[], calls: readonly string[]): ApiPath[] =>
  prefixes.flatMap((prefix) => calls.map((call): ApiPath => ['POST', `${prefix}/${call}`]));

const all = (methods: readonly string[], prefixes: readonly string[]): ApiPath[] =>
  prefixes.flatMap((prefix) => methods.map((method): ApiPath => [method, `${prefix}/*`]));

const tokenPath = (scope: string): ApiPath => ['POST', `/token/${scope}`];

/**
 * Everything that is read. Paths are spelled out, since `*` reaches over slashes: names of artifacts could otherwise pass for a reading call.
 */
export const READ_PATHS: readonly ApiPath[] = [
  ['GET', '/*'],
  ...posts(CALLS, READING_POSTS),
  ...posts(NEWER_CALLS, NEWER_READING_POSTS),
  ['POST', '/graphql'],
  tokenPath('read'),
];

/** Everything that MLflow's client can change. */
export const WRITE_PATHS: readonly ApiPath[] = [
  ...all(['POST', 'PATCH', 'DELETE'], [...CALLS, ...NEWER_CALLS]),
  ...all(['POST', 'PUT', 'DELETE'], ARTIFACTS),
  ['POST', '/v1/traces'],
  tokenPath('write'),
];

/** Changes of a version's state: approval, rejection, promotion, archiving, import. */
export const APPROVE_PATHS: readonly ApiPath[] = [['POST', '/api/2.0/mlops/registry/*']];
