import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { ARTIFACTS_ENV } from '../../../../lib/artifacts/contract';
import { REGISTRY_ENV } from '../../../../lib/registry/contract';
import { TRACKING_ENV } from '../../../../lib/tracking/contract';
import { MemoryDynamo } from '../../../fakes/memory-dynamo';
import { MemoryBucket } from '../../../fakes/memory-s3';

export const CALLER = 'arn:aws:sts::123456789012:assumed-role/scientist/ann';
export const BUCKET = 'artifacts';

export interface Call {
  readonly method: string;
  /** Below the prefix, with its query, percent-encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly prefix?: '/iam' | '/token';
}

/** The event that an HTTP API sends for a request; it decodes the path. */
export const eventOf = ({ method, path, headers = {}, body, prefix = '/iam' }: Call): APIGatewayProxyEventV2 => {
  const [rawPath, rawQueryString = ''] = path.split(/\?(.*)/s);
  return {
    version: '2.0',
    routeKey: `ANY ${prefix}/{path+}`,
    rawPath: prefix + decodeURIComponent(rawPath),
    rawQueryString,
    headers: { host: 'api.test', 'x-forwarded-proto': 'https', ...headers },
    requestContext: {
      accountId: '123456789012',
      apiId: 'api',
      domainName: 'api.test',
      domainPrefix: 'api',
      http: { method, path: prefix + rawPath, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      requestId: 'request-1',
      routeKey: '$default',
      stage: '$default',
      time: '',
      timeEpoch: 0,
      ...(prefix === '/iam' && { authorizer: { iam: { userArn: CALLER } } }),
    } as APIGatewayProxyEventV2['requestContext'],
    body: Buffer.isBuffer(body) ? body.toString('base64') : body,
    isBase64Encoded: Buffer.isBuffer(body),
  };
};

type Handler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;

/** What an answer's JSON holds, whatever it is. */
export type Answered = ReturnType<typeof JSON.parse>;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

const VARIABLES = {
  [TRACKING_ENV.runsTable]: 'runs',
  [REGISTRY_ENV.registryTable]: 'registry',
  [REGISTRY_ENV.historyTable]: 'history',
  [REGISTRY_ENV.writerFunction]: 'registry-writer',
  [ARTIFACTS_ENV.artifactsBucket]: BUCKET,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: process.env.AWS_ACCESS_KEY_ID ?? 'test',
  AWS_SECRET_ACCESS_KEY: process.env.AWS_SECRET_ACCESS_KEY ?? 'test',
  POWERTOOLS_LOG_LEVEL: process.env.POWERTOOLS_LOG_LEVEL ?? 'SILENT',
};

type Sends = { prototype: { send: unknown } };

/** The function of the API over stores in memory: every client of this process talks to them. */
export class MemoryApi {
  readonly dynamo = new MemoryDynamo();
  readonly bucket = new MemoryBucket();
  private readonly handler: Promise<Handler>;

  constructor() {
    Object.assign(process.env, VARIABLES);
    const replace = (client: Sends, send: (command: never) => Promise<unknown>): void => {
      client.prototype.send = send;
    };
    replace(DynamoDBDocumentClient, (command: object) => this.dynamo.send(command));
    // With an endpoint of its own, S3 is a real one: then clients reach what the API hands out.
    if (!process.env.AWS_ENDPOINT_URL_S3) replace(S3Client, (command: object) => this.bucket.send(command));
    replace(LambdaClient, (command: InvokeCommand) => this.invoke(command));
    this.handler = import('../../../../lambda/tracking/mlflow-api.lambda').then(({ handler }) => handler as Handler);
  }

  async call(call: Call): Promise<Answer> {
    const { statusCode, headers, body = '', isBase64Encoded } = await (await this.handler)(eventOf(call));
    return {
      status: statusCode ?? 200,
      headers: (headers ?? {}) as Record<string, string>,
      bytes: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
    };
  }

  /** A call with a JSON body and a JSON answer: `post('runs/create', {…})`. */
  async json(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Answered }> {
    const headers = body === undefined ? undefined : { 'content-type': 'application/json' };
    const answer = await this.call({ method, path: `/api/2.0/mlflow/${path}`, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    return { status: answer.status, body: JSON.parse(answer.bytes.toString()) as Answered };
  }

  /** The writer of the registry, as the Lambda service would call it. */
  private async invoke({ input: { Payload } }: InvokeCommand): Promise<object> {
    const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value ?? null));
    try {
      const { handler } = await import('../../../../lambda/registry/write-registry.lambda');
      return { Payload: bytes(await handler(JSON.parse(Buffer.from(Payload as Uint8Array).toString()))) };
    } catch (error) {
      const { name, message } = error as Error;
      return { FunctionError: 'Unhandled', Payload: bytes({ errorType: name, errorMessage: message }) };
    }
  }
}
