import type { CapturedBody, CaptureRecord } from '../../lib/serving/contract';

const ENCODINGS: readonly (readonly [RegExp, CapturedBody['encoding']])[] = [
  [/^text\/csv\b/i, 'CSV'],
  [/^application\/(json|jsonlines|.*\+json)\b/i, 'JSON'],
];

/** Text of the known content types stays readable, everything else is base64, as SageMaker's data capture writes it. */
export const capturedBody = (mode: CapturedBody['mode'], bytes: Uint8Array, contentType: string): CapturedBody => {
  const encoding = ENCODINGS.find(([pattern]) => pattern.test(contentType))?.[1] ?? 'BASE64';
  const data = Buffer.from(bytes).toString(encoding === 'BASE64' ? 'base64' : 'utf8');
  return { observedContentType: contentType, mode, data, encoding };
};

export interface Exchange {
  readonly eventId: string;
  readonly inferenceId: string;
  readonly inferenceTime: Date;
  readonly customAttributes?: string;
  readonly input: { readonly body: Uint8Array; readonly contentType: string };
  readonly output: { readonly body: Uint8Array; readonly contentType: string };
}

/** One line of a capture file. */
export const captureRecord = (exchange: Exchange): CaptureRecord => ({
  captureData: {
    endpointInput: capturedBody('INPUT', exchange.input.body, exchange.input.contentType),
    endpointOutput: capturedBody('OUTPUT', exchange.output.body, exchange.output.contentType),
  },
  eventMetadata: {
    eventId: exchange.eventId,
    inferenceId: exchange.inferenceId,
    // SageMaker writes seconds, without fractions.
    inferenceTime: exchange.inferenceTime.toISOString().replace(/\.\d{3}Z$/, 'Z'),
    ...(exchange.customAttributes === undefined ? {} : { customAttributes: [exchange.customAttributes] }),
  },
  eventVersion: '0',
});
