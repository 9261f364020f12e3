import * as z from 'zod';
import { SMOKE_TOLERANCE, type SmokeRequestSpec } from '../../lib/serving/contract';

const Requests: z.ZodType<SmokeRequestSpec[]> = z.array(
  z.object({
    name: z.string().min(1),
    body: z.string(),
    base64: z.boolean().optional(),
    contentType: z.string().min(1),
    accept: z.string().min(1).optional(),
    expected: z.string(),
    tolerance: z.number().nonnegative().optional(),
  }),
);

/** The requests of the app, as synth wrote them. */
export const parseRequests = (text: string): SmokeRequestSpec[] => Requests.parse(JSON.parse(text));

/** Bytes that are sent. */
export const bodyOf = ({ body, base64 }: SmokeRequestSpec): Uint8Array => Buffer.from(body, base64 ? 'base64' : 'utf8');

/** The part of a text that a message has room for. */
export const shown = (text: string, most = 200): string => (text.length <= most ? text : `${text.slice(0, most)}…`);

/** Both sides of a difference, and what names its place, have to fit into the tag that keeps the reason while the endpoint goes back. */
const SIDE = 70;

/** Whether two texts mean the same value: numbers within the tolerance, anything else letter by letter. */
export const agrees = (expected: string, got: string, tolerance?: number): boolean => {
  const [want, have] = [Number(expected), Number(got)];
  if (expected.trim() === '' || got.trim() === '' || Number.isNaN(want) || Number.isNaN(have)) return expected.trim() === got.trim();
  return want === have || Math.abs(want - have) <= (tolerance ?? SMOKE_TOLERANCE * Math.max(1, Math.abs(want)));
};

/** The same part of an answer that the scores of a batch transform are read from. */
export const scoreIn = (body: string): string => {
  if (!looksLikeJson(body)) return body.split('\n')[0].split(',')[0].trim();
  try {
    let value: unknown = JSON.parse(body);
    while (Array.isArray(value)) value = value[0];
    if (typeof value !== 'object' || value === null) return String(value);
    const { score, prediction } = value as Record<string, unknown>;
    return String(score ?? prediction);
  } catch {
    return body;
  }
};

/** What of an answer is not as expected, in words; undefined where all is. */
export const differenceOf = ({ expected, tolerance }: Pick<SmokeRequestSpec, 'expected' | 'tolerance'>, body: string): string | undefined => {
  const got = body.trim();
  if (looksLikeJson(expected)) return inJson(expected, got, tolerance);
  const lines = linesOf(expected);
  // One number or word is the prediction itself, however the container wraps it.
  if (lines.length === 1 && lines[0].length === 1) return inText(lines, looksLikeJson(got) ? [[scoreIn(got)]] : linesOf(got), tolerance);
  return inText(lines, linesOf(got), tolerance);
};

const looksLikeJson = (text: string): boolean => /^\s*[[{]/.test(text);

const linesOf = (text: string): string[][] =>
  text
    .trim()
    .split(/\r?\n/)
    .map((line) => line.split(',').map((field) => field.trim()));

const inText = (expected: readonly string[][], got: readonly string[][], tolerance?: number): string | undefined => {
  if (expected.length !== got.length) return told('', `${expected.length} lines`, `${got.length}: ${shown(got.join('\n'))}`);
  for (const [row, fields] of expected.entries()) {
    const line = expected.length > 1 ? `line ${row + 1}` : '';
    if (fields.length !== got[row].length) return told(line, fields.join(','), got[row].join(','), tolerance);
    for (const [column, field] of fields.entries()) {
      const at = fields.length > 1 ? [line, `field ${column + 1}`].filter(Boolean).join(', ') : line;
      if (!agrees(field, got[row][column], tolerance)) return told(at, field, got[row][column], tolerance);
    }
  }
  return undefined;
};

const inJson = (expected: string, body: string, tolerance?: number): string | undefined => {
  let got: unknown;
  try {
    got = JSON.parse(body);
  } catch {
    return told('', expected, body);
  }
  return inValue('', JSON.parse(expected), got, tolerance);
};

/** What the expectation does not name is not looked at: a container may tell more than a caller asks for. */
const inValue = (at: string, expected: unknown, got: unknown, tolerance?: number): string | undefined => {
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return told(at, JSON.stringify(expected), JSON.stringify(got));
    return firstOf(expected.map((value, index) => () => inValue(below(at, index), value, got[index], tolerance)));
  }
  if (typeof expected === 'object' && expected !== null) {
    if (typeof got !== 'object' || got === null || Array.isArray(got)) return told(at, JSON.stringify(expected), JSON.stringify(got));
    return firstOf(
      Object.entries(expected).map(
        ([name, value]) =>
          () =>
            inValue(below(at, name), value, own(got, name), tolerance),
      ),
    );
  }
  const numbers = typeof expected === 'number' && typeof got === 'number';
  const same = numbers ? agrees(String(expected), String(got), tolerance) : expected === got;
  return same ? undefined : told(at, JSON.stringify(expected), JSON.stringify(got), tolerance);
};

/** Dots alone: the tag that keeps the reason knows no brackets. */
const below = (at: string, name: string | number): string => (at === '' ? String(name) : `${at}.${name}`);

const own = (value: object, name: string): unknown => (Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined);

const firstOf = (looks: readonly (() => string | undefined)[]): string | undefined => {
  for (const look of looks) {
    const found = look();
    if (found !== undefined) return found;
  }
  return undefined;
};

const told = (at: string, expected: string, got: string | undefined, tolerance?: number): string => {
  const within = tolerance !== undefined && expected.trim() !== '' && !Number.isNaN(Number(expected)) ? ` within ${tolerance}` : '';
  return `${at && `${at}: `}expected ${shown(expected, SIDE)}${within}, got ${shown(got ?? 'nothing', SIDE)}`;
};
