import { randomUUID } from 'node:crypto';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import type { Command } from 'commander';
import * as z from 'zod';
import { InvokeClient } from '../lambda/serving/invoke.client';
import type { ModelResources } from '../lib/platform/contract';
import type { RecordedInvocation } from '../lib/serving/contract';
import { CliError, UsageError } from './errors';
import { type Io, readInput } from './io';
import { platformOptions, type PlatformOptions } from './options';
import { type Connection, findPlatform } from './platform';

interface Options extends PlatformOptions {
  readonly data: string;
  readonly contentType: string;
  readonly accept?: string;
  readonly inferenceId?: string;
}

/** What both ways of asking answer. */
interface Answer {
  readonly statusCode: number;
  readonly body: Buffer;
  readonly contentType?: string;
  readonly inferenceId: string;
}

const answerShape = z.object({
  statusCode: z.number(),
  body: z.string(),
  isBase64Encoded: z.boolean().optional(),
  contentType: z.string().optional(),
  inferenceId: z.string(),
});

/** A function's request may have 6 MB, base64 included. */
const LARGEST_BYTES = 4 * 1024 * 1024;

export const register = (parent: Command, io: Io): void => {
  platformOptions(
    parent
      .command('predict')
      .description('ask the version that serves; the request is recorded like that of any client')
      .argument('<model>')
      .requiredOption('--data <file>', 'rows without a header and without the target, - for standard input')
      .option('--content-type <type>', 'type of the data', 'text/csv')
      .option('--accept <type>', 'type of the answer')
      .option('--inference-id <id>', 'names the request, so that labels can follow (a random one by default)'),
  ).action(async (model: string, _, command: Command) => {
    const options = command.optsWithGlobals<Options>();
    if (options.inferenceId !== undefined && (options.inferenceId.length < 1 || options.inferenceId.length > 64)) {
      throw new UsageError('an inference id has 1 to 64 characters');
    }
    const data = await readInput(io, options.data);
    if (data.length === 0) throw new UsageError(`${options.data === '-' ? 'standard input' : options.data} is empty`, 'give at least one row');
    const platform = await findPlatform(options);
    const answer = await ask(platform.connection, platform.model(model), data, options);
    if (answer.statusCode < 200 || answer.statusCode > 299) {
      throw new CliError(`${model} refused the request with status ${answer.statusCode}: ${answer.body.toString('utf8').trim()}`);
    }
    const body = answer.body.toString('utf8');
    if (options.json) {
      io.out(`${JSON.stringify({ inferenceId: answer.inferenceId, contentType: answer.contentType, body }, null, 2)}\n`);
      return;
    }
    io.out(body.endsWith('\n') ? body : `${body}\n`);
    io.err(`inference id: ${answer.inferenceId}\n`);
  });
};

function ask(connection: Connection, model: ModelResources, data: Buffer, options: Options): Promise<Answer> {
  return model.servingKind === 'SERVERLESS' && model.recorderFunction
    ? askRecorder(connection, model.recorderFunction, data, options)
    : askEndpoint(connection, model.endpointName, data, options);
}

async function askRecorder(connection: Connection, functionName: string, data: Buffer, options: Options): Promise<Answer> {
  if (data.length > LARGEST_BYTES) {
    throw new UsageError(`the request has ${data.length} bytes, a serverless endpoint takes ${LARGEST_BYTES}`, 'send the rows in several requests');
  }
  const isText = /^text\/|json|xml/i.test(options.contentType);
  const invocation: RecordedInvocation = {
    body: data.toString(isText ? 'utf8' : 'base64'),
    ...(isText ? {} : { isBase64Encoded: true }),
    contentType: options.contentType,
    accept: options.accept,
    inferenceId: options.inferenceId,
  };
  const client = new LambdaClient(connection);
  const { FunctionError, Payload } = await client.send(new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify(invocation) }));
  const text = Buffer.from(Payload ?? []).toString('utf8');
  if (FunctionError) {
    const { errorMessage } = JSON.parse(text) as { errorMessage?: string };
    throw new CliError(`the recording function ${functionName} failed: ${errorMessage ?? FunctionError}`, 'read its log in CloudWatch');
  }
  const answer = answerShape.parse(JSON.parse(text));
  return { ...answer, body: Buffer.from(answer.body, answer.isBase64Encoded ? 'base64' : 'utf8') };
}

async function askEndpoint(connection: Connection, endpointName: string, data: Buffer, options: Options): Promise<Answer> {
  const inferenceId = options.inferenceId ?? randomUUID();
  const client = new InvokeClient(new SageMakerRuntimeClient({ ...connection, maxAttempts: 1 }));
  const { contentType, accept } = options;
  const answer = await client.invoke({ endpointName, body: data, contentType, accept, inferenceId });
  return { ...answer, body: Buffer.from(answer.body), inferenceId };
}
