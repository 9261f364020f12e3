import type { IncomingHttpHeaders } from 'node:http';
import type { Context } from './context';
import type { Endpoints } from './endpoints';
import { ServiceError, messageOf } from './errors';
import type { LiveVariant } from './fleet';
import type { Measured } from './metrics';
import type { ModelAnswer } from './model-server';

const MAX_BODY_BYTES = 25 * 1024 * 1024;
const MAX_SERVERLESS_BODY_BYTES = 4 * 1024 * 1024;

export interface Invocation {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

const header = (headers: IncomingHttpHeaders, name: string): string | undefined => {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};

/** sagemaker-runtime's InvokeEndpoint: routing, the model's answer or ModelError, metrics and data capture. */
export class Invocations {
  constructor(
    private readonly context: Context,
    private readonly endpoints: Endpoints,
  ) {}

  async invoke(endpointName: string, headers: IncomingHttpHeaders, body: Buffer): Promise<Invocation> {
    const began = process.hrtime.bigint();
    const endpoint = this.endpoints.find(endpointName);
    const variant = endpoint?.route(header(headers, 'x-amzn-sagemaker-target-variant'));
    if (!endpoint || !variant) {
      throw new ServiceError('ValidationError', `Endpoint ${endpointName} of account ${this.context.options.accountId} not found.`);
    }
    const inferenceId = header(headers, 'x-amzn-sagemaker-inference-id');
    if (inferenceId !== undefined && !/^[\x20-\x7e]{1,64}$/.test(inferenceId)) {
      throw new ServiceError('ValidationError', 'InferenceId must have between 1 and 64 printable characters.');
    }
    refuseLarge(variant, body);
    refuseBusy(variant);

    const at = new Date();
    const contentType = header(headers, 'content-type') ?? 'application/octet-stream';
    const customAttributes = header(headers, 'x-amzn-sagemaker-custom-attributes');
    const started = process.hrtime.bigint();
    const answer = await this.ask(variant, body, {
      'content-type': contentType,
      accept: header(headers, 'accept') ?? '*/*',
      ...(inferenceId !== undefined ? { 'x-amzn-sagemaker-inference-id': inferenceId } : {}),
      ...(customAttributes !== undefined ? { 'x-amzn-sagemaker-custom-attributes': customAttributes } : {}),
    });
    const modelMicroseconds = Number(process.hrtime.bigint() - started) / 1000;
    this.measure(variant, answer.status, modelMicroseconds, Number(process.hrtime.bigint() - began) / 1000 - modelMicroseconds);
    if (answer.status < 200 || answer.status >= 300) throw modelError(this.context, endpointName, variant, answer);
    variant.capture?.record({ input: { contentType, body }, output: answer, inferenceId, customAttributes, at });
    return {
      status: 200,
      headers: {
        'content-type': answer.contentType,
        'x-amzn-invoked-production-variant': variant.name,
        ...(customAttributes !== undefined ? { 'x-amzn-sagemaker-custom-attributes': customAttributes } : {}),
      },
      body: answer.body,
    };
  }

  private async ask(variant: LiveVariant, body: Buffer, headers: Record<string, string>): Promise<ModelAnswer> {
    try {
      return await variant.server.invoke(body, headers);
    } catch (error) {
      const text =
        messageOf(error) === 'timed out'
          ? 'Your invocation timed out while waiting for a response from container primary. Review the latency metrics for each container in ' +
            'Amazon CloudWatch, resolve the issue, and try again.'
          : `The container closed the connection: ${messageOf(error)}`;
      return { status: 500, contentType: 'text/plain', body: Buffer.from(text) };
    }
  }

  private measure(variant: LiveVariant, status: number, modelMicroseconds: number, overheadMicroseconds: number): void {
    const values: Measured = {
      Invocations: [1, 'Count'],
      Invocation4XXErrors: [status >= 400 && status < 500 ? 1 : 0, 'Count'],
      Invocation5XXErrors: [status >= 500 ? 1 : 0, 'Count'],
      InvocationModelErrors: [status < 200 || status >= 300 ? 1 : 0, 'Count'],
      ModelLatency: [modelMicroseconds, 'Microseconds'],
      OverheadLatency: [overheadMicroseconds, 'Microseconds'],
    };
    for (const dimensions of variant.dimensions) this.context.metrics.put('AWS/SageMaker', dimensions, values);
  }
}

function refuseLarge(variant: LiveVariant, body: Buffer): void {
  const limit = variant.maxConcurrency === undefined ? MAX_BODY_BYTES : MAX_SERVERLESS_BODY_BYTES;
  if (body.length <= limit) return;
  throw new ServiceError('ValidationError', `Request body of ${body.length} bytes exceeds the limit of ${limit} bytes.`, 413);
}

function refuseBusy(variant: LiveVariant): void {
  if (variant.maxConcurrency === undefined || variant.server.inFlight < variant.maxConcurrency) return;
  throw new ServiceError('ThrottlingException', `The endpoint reached its maximum concurrency of ${variant.maxConcurrency}.`, 429);
}

function modelError(context: Context, endpointName: string, variant: LiveVariant, answer: ModelAnswer): ServiceError {
  const { region, accountId } = context.options;
  const group = `/aws/sagemaker/Endpoints/${endpointName}`;
  const side = answer.status < 500 ? 'client' : 'server';
  const original = answer.body.toString('utf8');
  const link = `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#logEventViewer:group=${group}`;
  return new ServiceError(
    'ModelError',
    `Received ${side} error (${answer.status}) from primary with message "${original}". See ${link} in account ${accountId} for more information.`,
    424,
    {
      OriginalStatusCode: answer.status,
      OriginalMessage: original,
      LogStreamArn: `arn:aws:logs:${region}:${accountId}:log-group:${group}:log-stream:${variant.log.name}`,
    },
  );
}
