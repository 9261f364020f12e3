import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { ARTIFACTS_ENV } from '../../lib/artifacts/contract';
import { METRICS } from '../../lib/operations/contract';
import { isSmokeRequest, type RecordedAnswer, SERVING_ENV, type ServingSpec } from '../../lib/serving/contract';
import { requireEnv, requireJsonEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { publishMetrics } from '../common/metrics';
import { capturedBody, captureRecord, type Exchange } from './capture-record';
import { CaptureClient } from './capture.client';
import { InvokeClient, type Prediction } from './invoke.client';

const logger = createLogger('serving/record-invocation');
const invoker = new InvokeClient();
let capture: CaptureClient | undefined;

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const HEADER = z.string().min(1).max(1024);

const Invocation = z
  .object({
    body: z.string(),
    isBase64Encoded: z.boolean().optional(),
    contentType: HEADER.optional(),
    accept: HEADER.optional(),
    inferenceId: z.string().min(1).max(64).optional(),
    customAttributes: HEADER.optional(),
  })
  .refine(({ body, isBase64Encoded }) => !isBase64Encoded || BASE64.test(body), { message: 'body is not base64', path: ['body'] });

/** Answers what the endpoint answers and records the exchange on the way; recording never fails a prediction. */
export const handler = async (event: unknown): Promise<RecordedAnswer> => {
  const spec = requireJsonEnv<ServingSpec>(SERVING_ENV.spec);
  const parsed = Invocation.safeParse(event);
  if (!parsed.success) {
    return { statusCode: 400, body: `not an invocation: ${z.prettifyError(parsed.error)}`, contentType: 'text/plain', inferenceId: randomUUID() };
  }
  const { isBase64Encoded, contentType = 'text/csv', accept, customAttributes, inferenceId = randomUUID() } = parsed.data;
  const body = Buffer.from(parsed.data.body, isBase64Encoded ? 'base64' : 'utf8');
  const inferenceTime = new Date();

  const prediction = await invoker.invoke({ endpointName: spec.endpointName, body, contentType, accept, inferenceId, customAttributes });
  if (isSmokeRequest({ inferenceId, customAttributes })) {
    // What proves a version is no traffic, and monitors must not judge it; its count is that of the requests that asked for nothing else.
    publishMetrics(spec.model, { [METRICS.smokeRequests]: 1 });
  } else if (prediction.statusCode >= 200 && prediction.statusCode < 300) {
    const output = { body: prediction.body, contentType: prediction.contentType ?? 'application/octet-stream' };
    await record(spec, { eventId: randomUUID(), inferenceId, inferenceTime, customAttributes, input: { body, contentType }, output });
    publishMetrics(spec.model, { [METRICS.predictions]: 1 });
  } else {
    logger.warn('the endpoint refused a request', { inferenceId, statusCode: prediction.statusCode });
  }
  return answer(prediction, inferenceId);
};

const record = async (spec: ServingSpec, exchange: Exchange): Promise<void> => {
  try {
    capture ??= new CaptureClient({
      deliveryStream: requireEnv(SERVING_ENV.deliveryStream),
      bucket: requireEnv(ARTIFACTS_ENV.predictionsBucket),
      endpointName: spec.endpointName,
    });
    await capture.put(captureRecord(exchange));
  } catch (error) {
    logger.error('a prediction was answered but not recorded', { inferenceId: exchange.inferenceId, error: error as Error });
    publishMetrics(spec.model, { [METRICS.recordingFailed]: 1 });
  }
};

const answer = (prediction: Prediction, inferenceId: string): RecordedAnswer => {
  const { encoding } = capturedBody('OUTPUT', new Uint8Array(), prediction.contentType ?? '');
  const isText = encoding !== 'BASE64' || /^text\//i.test(prediction.contentType ?? '');
  return {
    statusCode: prediction.statusCode,
    body: Buffer.from(prediction.body).toString(isText ? 'utf8' : 'base64'),
    ...(isText ? {} : { isBase64Encoded: true }),
    contentType: prediction.contentType,
    invokedProductionVariant: prediction.invokedProductionVariant,
    inferenceId,
  };
};
