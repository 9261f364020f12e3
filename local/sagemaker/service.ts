import { timingSafeEqual } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Context, Tags } from './context';
import { Engine } from './engine';
import { ServiceError, messageOf } from './errors';
import { Images } from './images';
import { Invocations } from './invoke';
import { jobFaultOf } from './job-faults';
import { Metrics } from './metrics';
import { OPERATIONS, operationsOf } from './operations';
import type { SageMakerOptions } from './options';
import { Containers } from './processes';
import { toWire } from './records';
import { loadServiceModel } from './service-model';
import { Validator } from './validation';

export type { SageMakerOptions } from './options';

export interface SageMakerService {
  readonly port: number;
  /** Ends every process that the service started and removes what it wrote. */
  close(): Promise<void>;
}

const DIRECTORIES = ['training', 'processing', 'serving'];
const LAST_WRITES_MILLISECONDS = 5000;
const MAX_REQUEST_BYTES = 64 * 1024 * 1024;

/** SageMaker for the local engine: jobs, models and endpoints as processes of this machine, on a loopback port. */
export async function startSageMakerService(options: SageMakerOptions): Promise<SageMakerService> {
  const log = options.log ?? (() => undefined);
  const engine = new Engine(options);
  const context: Context = {
    options,
    engine,
    log,
    containers: new Containers(options),
    images: new Images(options.python, options.images),
    metrics: new Metrics(engine.metrics, log),
    tags: new Tags(),
    streams: new Set(),
  };
  for (const directory of DIRECTORIES) await mkdir(path.join(options.workDirectory, directory), { recursive: true });
  const model = loadServiceModel(options.python, OPERATIONS);
  const validator = new Validator(model);
  const parts = operationsOf(context);
  const invocations = new Invocations(context, parts.endpoints);

  const api = async (operation: string, body: Buffer, fault?: string): Promise<unknown> => {
    const handler = parts.handlers.get(operation);
    if (!handler) {
      if (!model.operations.has(operation)) throw new ServiceError('UnknownOperationException', `SageMaker has no operation ${operation}`);
      throw new ServiceError('EngineUnsupported', `The local engine does not support the operation ${operation} of SageMaker`);
    }
    const input = parse(body);
    validator.check(operation, input);
    return toWire((await handler(input, jobFaultOf(fault))) ?? {});
  };

  const server = http.createServer((request, response) => {
    void answer(request, response, options.engineToken, api, invocations, log);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });

  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await context.containers.close();
      const flush = () => Promise.allSettled([...[...context.streams].map((stream) => stream.flush()), context.metrics.flush()]);
      const written = parts.settled().then(flush);
      // The engine may be gone already: what cannot be written then is lost with it.
      await Promise.race([written.catch(() => undefined), sleep(LAST_WRITES_MILLISECONDS, undefined, { ref: false })]);
      engine.close();
      await closed;
      for (const directory of DIRECTORIES) await rm(path.join(options.workDirectory, directory), { recursive: true, force: true });
    },
  };
}

async function answer(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  token: string,
  api: (operation: string, body: Buffer, fault?: string) => Promise<unknown>,
  invocations: Invocations,
  log: (line: string) => void,
): Promise<void> {
  try {
    if (!sameToken(String(request.headers['x-mlops-engine-token'] ?? ''), token)) {
      throw new ServiceError('AccessDeniedException', 'This port belongs to the local engine: call SageMaker through the engine itself', 403);
    }
    const body = await bodyOf(request);
    const { pathname } = new URL(request.url ?? '/', 'http://service');
    const [, operation] = /^\/api\/(\w+)$/.exec(pathname) ?? [];
    const [, endpoint] = /^\/endpoints\/([^/]+)\/invocations$/.exec(pathname) ?? [];
    if (request.method === 'POST' && operation) {
      const fault = request.headers['x-mlops-fault'] as string | undefined;
      send(response, 200, { 'content-type': 'application/x-amz-json-1.1' }, Buffer.from(JSON.stringify(await api(operation, body, fault))));
    } else if (request.method === 'POST' && endpoint) {
      const result = await invocations.invoke(decodeURIComponent(endpoint), request.headers, body);
      send(response, result.status, result.headers, result.body);
    } else {
      throw new ServiceError('UnknownOperationException', `${request.method} ${pathname} is no route of this service`, 404);
    }
  } catch (error) {
    const known = error instanceof ServiceError ? error : new ServiceError('InternalFailure', messageOf(error), 500);
    if (known !== error) log(`${request.url}: ${error instanceof Error ? error.stack : String(error)}`);
    const text = JSON.stringify({ __type: known.type, message: known.message, Message: known.message, ...known.detail });
    send(response, known.status, { 'content-type': 'application/json', 'x-amzn-errortype': known.type }, Buffer.from(text));
  }
}

function send(response: http.ServerResponse, status: number, headers: Record<string, string>, body: Buffer): void {
  response.writeHead(status, { ...headers, 'content-length': String(body.length) });
  response.end(body);
}

async function bodyOf(request: http.IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > MAX_REQUEST_BYTES) throw new ServiceError('ValidationException', 'The request is too large', 413);
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parse(body: Buffer): unknown {
  try {
    return body.length > 0 ? JSON.parse(body.toString('utf8')) : {};
  } catch {
    throw new ServiceError('SerializationException', 'The request is no valid JSON');
  }
}

function sameToken(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
