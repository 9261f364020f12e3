import * as z from 'zod';
import { readTime } from '../values';

/** One label of a line. */
export interface ReadLabel {
  readonly inferenceId: string;
  readonly rowIndex: number;
  /** Null takes an earlier label back. */
  readonly value: string | number | boolean | null;
  /** Milliseconds. */
  readonly observedAt: number;
  readonly labelVersion: number;
}

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);

const own = z.object({
  inferenceId: z.string().min(1),
  rowIndex: z.number().int().min(0).default(0),
  value: scalar,
  observedAt: z.string().optional(),
  labelVersion: z.number().int().default(1),
});

/** Ground truth of SageMaker Model Monitor: the event id is the caller's inference id, where the record has one. */
const groundTruth = z.object({
  groundTruthData: z.object({ data: z.string(), encoding: z.enum(['CSV', 'JSON', 'BASE64']).default('CSV') }),
  eventMetadata: z.object({ eventId: z.string().min(1) }),
});

/** The labels of a line, ours or Model Monitor's; or why it is none. */
export function parseLabelLine(line: string, arrivedAt: number): ReadLabel[] | string {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return 'the line is not JSON';
  }
  if (typeof json === 'object' && json !== null && 'groundTruthData' in json) {
    const parsed = groundTruth.safeParse(json);
    if (!parsed.success) {
      return 'the line is no ground truth: it needs groundTruthData.data, its encoding and eventMetadata.eventId';
    }
    const { groundTruthData, eventMetadata } = parsed.data;
    const values = valuesOf(groundTruthData.data, groundTruthData.encoding);
    return typeof values === 'string'
      ? values
      : values.map((value, rowIndex) => ({ inferenceId: eventMetadata.eventId, rowIndex, value, observedAt: arrivedAt, labelVersion: 1 }));
  }
  const parsed = own.safeParse(json);
  const observedAt = parsed.success && parsed.data.observedAt !== undefined ? readTime(parsed.data.observedAt) : arrivedAt;
  if (!parsed.success || observedAt === undefined) {
    return 'the line is no label: it needs inferenceId, value and, where given, a whole rowIndex, an ISO 8601 observedAt and a whole labelVersion';
  }
  return [{ ...parsed.data, observedAt }];
}

/** One value for each row of the request. */
function valuesOf(data: string, encoding: 'CSV' | 'JSON' | 'BASE64'): ReadLabel['value'][] | string {
  if (encoding === 'JSON') {
    return jsonValues(data);
  }
  const text = encoding === 'BASE64' ? Buffer.from(data, 'base64').toString('utf8') : data;
  const rows = text.replace(/\r?\n$/, '').split(/\r?\n/);
  return rows.some((row) => row.includes(',') && !/^"[^"]*"$/.test(row))
    ? 'the ground truth has several columns: one value for each row of the request is expected'
    : rows.map((row) => row.replace(/^"([^"]*)"$/, '$1'));
}

/** A value, an array of values, or an object whose only property (at any depth) is one of these. */
function jsonValues(data: string): ReadLabel['value'][] | string {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return 'the ground truth says that it is JSON and is not';
  }
  const values = (Array.isArray(value) ? value : [value]).flatMap((one: unknown) => {
    const inner = innermost(one);
    return Array.isArray(inner) ? inner.map(innermost) : [inner];
  });
  const parsed = z.array(scalar).safeParse(values);
  return parsed.success ? parsed.data : 'the ground truth is neither a value for each row of the request nor an object with one';
}

function innermost(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return value;
  }
  const properties = Object.values(value);
  return properties.length === 1 ? innermost(properties[0]) : value;
}
