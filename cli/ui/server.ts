import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { SignedApi } from '../api';
import { CliError, explain } from '../errors';
import { sendFile } from './pages';

export interface UiOptions {
  /** Directory of MLflow's `index.html`. */
  readonly pages: string;
  readonly api: Pick<SignedApi, 'send'>;
  /** 0 takes any that is free. */
  readonly port: number;
}

export interface RunningUi {
  readonly url: string;
  close(): Promise<void>;
}

/** API Gateway takes no more. */
const MOST_BODY_BYTES = 10 * 1024 * 1024;

/** What MLflow's pages call; nothing else is signed, least of all what decides about versions. */
const API = /^\/(ajax-api\/\d\.0\/mlflow(-artifacts)?\/|graphql$|get-artifact$|model-versions\/get-artifact$|version$|health$)/;

const PASSED_ON = ['content-type', 'content-disposition', 'x-content-type-options', 'retry-after', 'allow', 'accept-ranges'] as const;

const NAMES = ['127.0.0.1', 'localhost'];

/**
 * Serves MLflow's pages on the loopback interface and passes their calls on, signed. Every request acts with the rights of whoever runs the
 * command, so only pages that came from here may make one: the Host header keeps out names that were pointed at this machine (DNS rebinding),
 * Origin and Sec-Fetch-Site keep out pages from elsewhere.
 */
export async function serveUi(options: UiOptions): Promise<RunningUi> {
  const server = createServer((request, response) => {
    void handle(request, response, server, options).catch((error: unknown) => {
      if (response.headersSent) return response.destroy();
      return refuse(response, 502, 'TEMPORARILY_UNAVAILABLE', explain(error).message);
    });
  });
  await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${portOf(server)}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES';
      reject(isTaken ? new CliError(`port ${port} cannot be used: ${error.code}`, 'choose another with --port') : error);
    });
    server.listen(port, '127.0.0.1', resolve);
  });

async function handle(request: IncomingMessage, response: ServerResponse, server: Server, { pages, api }: UiOptions): Promise<void> {
  response.setHeader('x-frame-options', 'DENY');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('x-content-type-options', 'nosniff');
  const { method = 'GET', url = '/' } = request;
  const { pathname, search } = new URL(url, 'http://127.0.0.1');
  const isCall = API.test(pathname);
  const fault = intruder(request, portOf(server), isCall);
  if (fault) return refuse(response, 403, 'PERMISSION_DENIED', fault);
  if (!isCall) {
    if ((method === 'GET' || method === 'HEAD') && (await sendFile(response, pages, pathname))) return;
    return refuse(response, 404, 'ENDPOINT_NOT_FOUND', `${method} ${pathname} is neither a page of MLflow nor a call that its pages make`);
  }
  const body = await bodyOf(request);
  if (body === undefined) return refuse(response, 413, 'INVALID_PARAMETER_VALUE', `a request may have ${MOST_BODY_BYTES} bytes`);
  const type = request.headers['content-type'];
  const answer = await api.send({
    method,
    // What was looked at is what is signed: without the dots that lead elsewhere.
    path: `${pathname}${search}`,
    body: body.length > 0 ? body : undefined,
    headers: type === undefined ? {} : { 'content-type': type },
  });
  // Large artifacts come straight from S3, which knows nothing of this page: fetched here, without any credentials.
  const location = answer.status === 307 ? answer.headers.get('location') : null;
  return passOn(location === null ? answer : await fetch(location), response);
}

type Asking = Pick<IncomingMessage, 'headers' | 'method'>;

/** Why a request may not come from a page of this server; undefined if it may. */
export function intruder({ headers, method = 'GET' }: Asking, port: number, isCall: boolean): string | undefined {
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  if (!NAMES.some((name) => host === `${name}:${port}` || (port === 80 && host === name))) {
    return `requests for host '${host}' are not answered: open the address that the command printed`;
  }
  const isOwn = origin === undefined || NAMES.some((name) => origin === `http://${name}:${port}` || (port === 80 && origin === `http://${name}`));
  if (!isOwn) return `requests from pages of ${origin} are not answered`;
  if (!isCall) return undefined;
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return 'requests from pages of other sites are not answered';
  if (method !== 'GET' && method !== 'HEAD' && origin === undefined) return 'changes are taken from the pages of this server alone';
  return undefined;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += (part as Buffer).length;
    if (bytes > MOST_BODY_BYTES) return undefined;
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts);
}

async function passOn(answer: Response, response: ServerResponse): Promise<void> {
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  for (const name of PASSED_ON) {
    const value = answer.headers.get(name);
    if (value !== null) headers[name] = value;
  }
  response.writeHead(answer.status, headers);
  if (answer.body === null) response.end();
  else await pipeline(Readable.fromWeb(answer.body as Parameters<typeof Readable.fromWeb>[0]), response);
}

const refuse = (response: ServerResponse, status: number, code: string, message: string): void => {
  response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
  response.end(JSON.stringify({ error_code: code, message }));
};
