import { Sha256 } from '@aws-crypto/sha256-js';
import { STSClient } from '@aws-sdk/client-sts';
import { SignatureV4 } from '@smithy/signature-v4';
import { CliError } from './errors';
import type { Connection } from './platform';

export interface ApiCall {
  readonly method: string;
  /** Path and query below the signed prefix, for example `/api/2.0/mlflow/experiments/search`. */
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Characters that URLs leave as they are and signatures do not. */
const strictly = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

const queryOf = (url: URL): Record<string, string | string[]> => {
  const query: Record<string, string[]> = {};
  for (const [name, value] of url.searchParams) (query[name] ??= []).push(value);
  return query;
};

/** The platform's HTTP API, called in the name of whoever runs the command: every request carries a signature of the caller's AWS credentials. */
export class SignedApi {
  private readonly client: STSClient;

  constructor(
    /** Base of the API, without a slash at its end. */
    readonly url: string,
    connection: Connection,
  ) {
    // Only for its settings: credentials and region as every SDK client finds them.
    this.client = new STSClient(connection);
  }

  /** The answer as it comes; redirects are not followed, since a signature holds for one address. */
  public async send({ method, path, body, headers }: ApiCall): Promise<Response> {
    const url = new URL(`${this.url}/iam${path}`);
    const query = queryOf(url);
    const signer = new SignatureV4({
      service: 'execute-api',
      region: this.client.config.region,
      credentials: this.client.config.credentials,
      sha256: Sha256,
    });
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      port: url.port === '' ? undefined : Number(url.port),
      path: url.pathname,
      query,
      headers: { ...headers, host: url.host },
      body,
    });
    const sent = Object.fromEntries(Object.entries(signed.headers).filter(([name]) => name !== 'host'));
    const search = Object.entries(query).flatMap(([name, values]) => (values as string[]).map((value) => `${strictly(name)}=${strictly(value)}`));
    const target = `${url.origin}${url.pathname}${search.length > 0 ? `?${search.join('&')}` : ''}`;
    return fetch(target, { method, headers: sent, body, redirect: 'manual' });
  }

  /** Answer of a JSON call; what the API refuses is an error with the API's own words. */
  public async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.send({ method, path, body: text, headers: text === undefined ? {} : { 'content-type': 'application/json' } });
    const answer = (await response.json().catch(() => ({}))) as { readonly error_code?: string; readonly message?: string };
    if (response.ok) return answer as T;
    const fix = response.status === 403 ? 'ask for this permission, or use a role that has it (AWS_PROFILE)' : undefined;
    throw new CliError(answer.message ?? `the API answered ${response.status} to ${method} ${path}`, fix);
  }
}
