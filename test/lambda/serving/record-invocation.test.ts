import { FirehoseClient, type PutRecordCommand } from '@aws-sdk/client-firehose';
import { type PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { type InvokeEndpointCommand, ModelError, SageMakerRuntimeClient, SageMakerRuntimeServiceException } from '@aws-sdk/client-sagemaker-runtime';
import type { CaptureRecord, RecordedAnswer } from '../../../lib/serving/contract';

process.env.AWS_REGION = 'eu-west-1';
process.env.MLOPS_PLATFORM = 'mlops';
process.env.MLOPS_DELIVERY_STREAM = 'stream';
process.env.MLOPS_PREDICTIONS_BUCKET = 'predictions';
process.env.MLOPS_SERVING_SPEC = JSON.stringify({
  model: 'Demand',
  endpointName: 'mlops-demand',
  kind: 'SERVERLESS',
  captureSamplingPercentage: 100,
  captureUri: 's3://predictions/capture',
});

const invoke = jest.spyOn(SageMakerRuntimeClient.prototype, 'send');
const firehose = jest.spyOn(FirehoseClient.prototype, 'send');
const s3 = jest.spyOn(S3Client.prototype, 'send');
const output = jest.spyOn(process.stdout, 'write');
const errors = jest.spyOn(process.stderr, 'write');

afterAll(() => jest.restoreAllMocks());

let handler: (event: unknown) => Promise<RecordedAnswer>;

beforeAll(async () => {
  ({ handler } = await import('../../../lambda/serving/record-invocation.lambda'));
});

beforeEach(() => {
  for (const mock of [invoke, firehose, s3]) mock.mockReset();
  for (const mock of [output, errors]) mock.mockReset().mockReturnValue(true);
  invoke.mockResolvedValue(answered('1.5\n', 'text/csv') as never);
  firehose.mockResolvedValue({} as never);
  s3.mockResolvedValue({} as never);
});

const answered = (body: string | Uint8Array, contentType: string) => ({
  $metadata: { httpStatusCode: 200 },
  Body: typeof body === 'string' ? Buffer.from(body) : body,
  ContentType: contentType,
  InvokedProductionVariant: 'primary',
});

const recorded = (): CaptureRecord =>
  JSON.parse(Buffer.from((firehose.mock.calls[0][0] as PutRecordCommand).input.Record!.Data!).toString()) as CaptureRecord;
const published = (): string => output.mock.calls.flat().join('\n');

test.each([
  ['by its custom attribute', { customAttributes: 'mlops-smoke-request' }],
  ['by its inference id', { inferenceId: 'smoke-v7-noon' }],
])('a request that proves a version, known %s, is answered and counted, and not recorded as traffic', async (_, marks) => {
  expect(await handler({ body: '1,2\n', ...marks })).toMatchObject({ statusCode: 200, body: '1.5\n' });
  expect(firehose).not.toHaveBeenCalled();
  expect(published()).toMatch(/"SmokeRequests":1/);
  expect(published()).not.toMatch(/"Predictions"/);
});

test('answers what the endpoint answers and records both sides as SageMaker would', async () => {
  const answer = await handler({ body: '1,2\n', contentType: 'text/csv', accept: 'text/csv', inferenceId: 'day-1', customAttributes: 'shop=7' });
  expect(answer).toEqual({ statusCode: 200, body: '1.5\n', contentType: 'text/csv', invokedProductionVariant: 'primary', inferenceId: 'day-1' });
  expect((invoke.mock.calls[0][0] as InvokeEndpointCommand).input).toMatchObject({
    EndpointName: 'mlops-demand',
    ContentType: 'text/csv',
    Accept: 'text/csv',
    InferenceId: 'day-1',
    CustomAttributes: 'shop=7',
  });
  expect(recorded()).toEqual({
    captureData: {
      endpointInput: { observedContentType: 'text/csv', mode: 'INPUT', data: '1,2\n', encoding: 'CSV' },
      endpointOutput: { observedContentType: 'text/csv', mode: 'OUTPUT', data: '1.5\n', encoding: 'CSV' },
    },
    eventMetadata: {
      eventId: expect.any(String),
      inferenceId: 'day-1',
      inferenceTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      customAttributes: ['shop=7'],
    },
    eventVersion: '0',
  });
});

test('gives a request without an id one, the same to endpoint, record and caller', async () => {
  const { inferenceId } = await handler({ body: '1' });
  expect(inferenceId).toMatch(/^[0-9a-f-]{36}$/);
  expect((invoke.mock.calls[0][0] as InvokeEndpointCommand).input.InferenceId).toBe(inferenceId);
  expect(recorded().eventMetadata.inferenceId).toBe(inferenceId);
});

test('takes and gives what is no text as base64', async () => {
  invoke.mockResolvedValue(answered(Uint8Array.from([0, 255]), 'application/x-npy') as never);
  const answer = await handler({ body: 'AP8=', isBase64Encoded: true, contentType: 'application/x-npy' });
  expect(answer).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
  expect((invoke.mock.calls[0][0] as InvokeEndpointCommand).input.Body).toEqual(Buffer.from([0, 255]));
  expect(recorded().captureData.endpointInput).toMatchObject({ encoding: 'BASE64', data: 'AP8=' });
});

test('a recording that fails never fails the prediction: it is counted and logged', async () => {
  firehose.mockRejectedValue(new Error('stream is gone') as never);
  await expect(handler({ body: 'secret-row', inferenceId: 'day-1' })).resolves.toMatchObject({ statusCode: 200, body: '1.5\n' });
  expect(published()).toContain('"RecordingFailed":1');
  const logged = [...output.mock.calls, ...errors.mock.calls].flat().join();
  expect(logged).toContain('day-1');
  expect(logged).not.toContain('secret-row');
});

test('an exchange above Firehose’s limit is written by itself below the hour of the request', async () => {
  await handler({ body: '1,2\n'.repeat(300_000), inferenceId: 'day-1' });
  expect(firehose).not.toHaveBeenCalled();
  const { Bucket, Key, Body } = (s3.mock.calls[0][0] as PutObjectCommand).input;
  expect(`${Bucket}/${Key}`).toMatch(/^predictions\/capture\/mlops-demand\/primary\/\d{4}\/\d\d\/\d\d\/\d\d\/[0-9a-f-]{36}\.jsonl$/);
  expect((JSON.parse(Buffer.from(Body as Uint8Array).toString()) as CaptureRecord).eventMetadata.inferenceId).toBe('day-1');
});

test.each([
  [
    'the model’s own status and message',
    new ModelError({
      message: 'Received client error (400) from primary',
      OriginalStatusCode: 400,
      OriginalMessage: 'row 1 has 3 columns',
      $metadata: { httpStatusCode: 424 },
    }),
    { statusCode: 400, body: 'row 1 has 3 columns' },
  ],
  [
    'throttling',
    new SageMakerRuntimeServiceException({
      name: 'ThrottlingException',
      $fault: 'client',
      message: 'Rate exceeded',
      $metadata: { httpStatusCode: 429 },
    }),
    { statusCode: 429, body: 'Rate exceeded' },
  ],
  [
    'an endpoint that is not there',
    new SageMakerRuntimeServiceException({
      name: 'ValidationError',
      $fault: 'client',
      message: 'Endpoint mlops-demand of account x not found.',
      $metadata: { httpStatusCode: 400 },
    }),
    { statusCode: 400, body: 'Endpoint mlops-demand of account x not found.' },
  ],
])('passes on %s, and records and counts nothing', async (_, error, expected) => {
  invoke.mockRejectedValue(error as never);
  expect(await handler({ body: '1,2,3', inferenceId: 'day-1' })).toEqual({ ...expected, contentType: 'text/plain', inferenceId: 'day-1' });
  expect(firehose).not.toHaveBeenCalled();
  expect(published()).not.toContain('Predictions');
});

test('asks the endpoint once: another try is the caller’s decision', async () => {
  invoke.mockRejectedValue(
    new SageMakerRuntimeServiceException({
      name: 'ServiceUnavailable',
      $fault: 'server',
      message: 'busy',
      $metadata: { httpStatusCode: 503 },
    }) as never,
  );
  expect((await handler({ body: '1' })).statusCode).toBe(503);
  expect(invoke).toHaveBeenCalledTimes(1);
});

test('what was never answered is an error, not a made-up status', async () => {
  invoke.mockRejectedValue(new Error('socket hang up') as never);
  await expect(handler({ body: '1' })).rejects.toThrow('socket hang up');
});

test.each([
  ['no body', {}],
  ['a body that is no text', { body: 5 }],
  ['a body that is not the base64 it says', { body: '?', isBase64Encoded: true }],
  ['an id that SageMaker would refuse', { body: '1', inferenceId: 'x'.repeat(65) }],
  ['no object', 'text'],
])('%s is refused with status 400 before the endpoint is asked', async (_, event) => {
  const answer = await handler(event);
  expect(answer.statusCode).toBe(400);
  expect(answer.body).toMatch(/^not an invocation: /);
  expect(invoke).not.toHaveBeenCalled();
});
