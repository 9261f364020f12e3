import { readTime } from '../values';
import type { CapturedBody, Encoding } from './capture-body';
import type { Fields } from './json-body';
import { isFields } from './json-body';

/** A line of a capture file. */
export interface CaptureLine {
  readonly eventId: string;
  readonly inferenceId: string;
  readonly time: number;
  readonly input?: CapturedBody;
  readonly output?: CapturedBody;
}

const ENCODINGS: ReadonlySet<unknown> = new Set<Encoding>(['CSV', 'JSON', 'BASE64']);

/** Undefined where the value is no capture record. */
export function captureLine(value: unknown): CaptureLine | undefined {
  const data = isFields(value) ? value.captureData : undefined;
  const metadata = isFields(value) ? value.eventMetadata : undefined;
  if (!isFields(data) || !isFields(metadata)) {
    return undefined;
  }
  const time = readTime(typeof metadata.inferenceTime === 'string' ? metadata.inferenceTime : undefined);
  const eventId = metadata.eventId;
  const inferenceId = metadata.inferenceId ?? eventId;
  const input = capturedBody(data, 'endpointInput');
  const output = capturedBody(data, 'endpointOutput');
  if (typeof eventId !== 'string' || eventId === '' || typeof inferenceId !== 'string' || time === undefined || input === null || output === null) {
    return undefined;
  }
  return { eventId, inferenceId: inferenceId === '' ? eventId : inferenceId, time, input, output };
}

/** Undefined where there is none, null where it is none. */
function capturedBody(data: Fields, side: string): CapturedBody | undefined | null {
  const body = data[side];
  if (body === undefined || body === null) {
    return undefined;
  }
  if (!isFields(body) || typeof body.data !== 'string' || !ENCODINGS.has(body.encoding)) {
    return null;
  }
  const type = body.observedContentType ?? '';
  return typeof type === 'string' ? { data: body.data, encoding: body.encoding as Encoding, contentType: type } : null;
}
