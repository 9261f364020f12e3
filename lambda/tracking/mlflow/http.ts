import { invalid, MlflowError } from './errors';

/** Who calls, as authentication found out. */
export interface Caller {
  /** ARN of the session, or the subject of the token. */
  readonly id: string;
  readonly access: 'read' | 'write';
  /** Whether a bearer token was shown rather than a signature. */
  readonly viaToken: boolean;
}

export type Json = Record<string, unknown>;

export interface RawRequest {
  readonly method: string;
  /** Below the prefix that names the kind of authentication: `/api/2.0/mlflow/runs/create`. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  readonly caller: Caller;
  /** URL of the API up to and including that prefix, without a slash at its end. */
  readonly baseUrl: string;
}

/** One call, as handlers see it. */
export class ApiRequest {
  private parsed?: Json;

  constructor(
    private readonly raw: RawRequest,
    readonly pathParams: Readonly<Record<string, string>> = {},
  ) {}

  get method(): string {
    return this.raw.method;
  }

  get path(): string {
    return this.raw.path;
  }

  get query(): URLSearchParams {
    return this.raw.query;
  }

  get caller(): Caller {
    return this.raw.caller;
  }

  get baseUrl(): string {
    return this.raw.baseUrl;
  }

  header(name: string): string | undefined {
    return this.raw.headers[name.toLowerCase()];
  }

  /** The body as it came, decompressed. */
  bytes(): Buffer {
    return this.raw.body;
  }

  /** Fields of the call: of the body, or of the query where a GET carries one (text alone; a field given more than once is a list). */
  json(): Json {
    this.parsed ??= this.method === 'GET' && this.query.size > 0 ? fieldsOfQuery(this.query) : this.fieldsOfBody();
    return this.parsed;
  }

  private fieldsOfBody(): Json {
    if (this.method === 'POST' || this.method === 'PUT') this.checkContentType();
    const text = textOf(this.raw.body);
    if (text === '') return {};
    let value = parsed(text);
    // Old clients encode twice.
    if (typeof value === 'string') value = parsed(value);
    if (value === null) return {};
    if (typeof value !== 'object' || Array.isArray(value)) throw invalid(`Bad Request. The body must be a JSON object. ${SEE_DOCS}`);
    return value as Json;
  }

  private checkContentType(): void {
    const type = this.header('content-type');
    if (type === undefined) throw invalid('Bad Request. Content-Type header is missing.');
    if (type.split(';')[0].trim().toLowerCase() !== 'application/json') {
      throw invalid("Bad Request. Content-Type must be one of ['application/json'].");
    }
  }
}

export const SEE_DOCS = 'See the API docs for more information about request parameters.';

/** Numbers that JSON lacks stand bare in what Python writes. */
const BARE_NUMBERS = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

const textOf = (body: Buffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body).trim();
  } catch {
    throw invalid(`Bad Request. The body is not UTF-8. ${SEE_DOCS}`);
  }
};

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    try {
      return JSON.parse(text.replace(BARE_NUMBERS, (found) => (found.startsWith('"') ? found : `"${found}"`)));
    } catch {
      throw invalid(`Bad Request. The body is not JSON. ${SEE_DOCS}`);
    }
  }
};

const fieldsOfQuery = (query: URLSearchParams): Json =>
  Object.fromEntries([...new Set(query.keys())].map((name) => [name, query.getAll(name).length > 1 ? query.getAll(name) : query.get(name)]));

/** An answer other than a JSON object with status 200. */
export class Reply {
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string>>,
    readonly body: string | Buffer,
  ) {}

  static json(body: unknown, status = 200): Reply {
    return new Reply(status, { 'content-type': 'application/json' }, JSON.stringify(body));
  }

  static text(body: string, status = 200): Reply {
    return new Reply(status, { 'content-type': 'text/plain; charset=utf-8' }, body);
  }

  static bytes(body: Buffer, headers: Readonly<Record<string, string>> = {}, status = 200): Reply {
    return new Reply(status, { 'content-type': 'application/octet-stream', ...headers }, body);
  }

  static redirect(location: string): Reply {
    return new Reply(307, { location }, '');
  }

  static error({ code, status, message }: MlflowError): Reply {
    const headers: Record<string, string> = status === 429 || status === 503 ? { 'retry-after': '1' } : {};
    return new Reply(status, { 'content-type': 'application/json', ...headers }, JSON.stringify({ error_code: code, message }));
  }
}
