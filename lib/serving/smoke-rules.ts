import { Token } from 'aws-cdk-lib';
import { Problem } from '../common/validation';
import { SmokeRequestSpec } from './contract';

const MOST_REQUESTS = 50;
/** Serverless endpoints take 4 MB, and all of them are read into a small function. */
const LARGEST_BODY = 1_000_000;
const LARGEST_FILE = 5_000_000;
const NAME = /^[A-Za-z][A-Za-z0-9-]{0,31}$/;
const MIME = /^[\w.+-]+\/[\w.+-]+( *;.*)?$/;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const FIELDS = new Set(['name', 'body', 'base64', 'contentType', 'accept', 'expected', 'tolerance']);

type Fields = { readonly [field: string]: unknown };

/** The requests as the release reads them, and what is wrong with what was given. */
export const checkedRequests = (
  place: string,
  given: unknown,
): { readonly requests: readonly SmokeRequestSpec[]; readonly problems: readonly Problem[] } => {
  if (!Array.isArray(given) || given.length === 0 || given.length > MOST_REQUESTS) {
    const got = Array.isArray(given) ? `${given.length} requests` : typeof given;
    const problem = { rule: `must be a list of 1 to ${MOST_REQUESTS} requests`, place, got, fix: 'leave it out where there are none' };
    return { requests: [], problems: [problem] };
  }
  const problems: Problem[] = [];
  const names = new Set<string>();
  const requests = given
    .map((one: unknown, index) => {
      const at = `${place}[${index}]`;
      if (typeof one !== 'object' || one === null || Array.isArray(one)) {
        problems.push({ rule: 'a request is an object', place: at, got: JSON.stringify(one), fix: 'state name, body and expected' });
        return [];
      }
      return [requestOf(at, one as Fields, names, problems)];
    })
    .flat();
  if (Buffer.byteLength(JSON.stringify(requests)) > LARGEST_FILE) {
    problems.push({ rule: `all requests together must stay below ${LARGEST_FILE / 1e6} MB`, place, fix: 'state fewer or smaller ones' });
  }
  return { requests, problems };
};

const requestOf = (place: string, one: Fields, names: Set<string>, problems: Problem[]): SmokeRequestSpec => {
  const require = (holds: boolean, field: string, rule: string, fix: string, got?: string): void => {
    if (!holds) problems.push({ rule, place: `${place}.${field}`, ...(got !== undefined && { got }), fix });
  };
  const { name, base64, accept, tolerance } = one;
  const body = textOf(one.body);
  const expected = textOf(one.expected);
  const contentType = one.contentType ?? (typeof one.body === 'string' ? 'text/csv' : 'application/json');
  for (const field of Object.keys(one)) {
    require(FIELDS.has(field), field, 'a request has no such field', `use ${[...FIELDS].join(', ')}`);
  }
  const isName = typeof name === 'string' && NAME.test(name);
  const rule = 'must be letters, digits and hyphens, first a letter, at most 32';
  require(isName, 'name', rule, 'choose such a name', JSON.stringify(name));
  require(!isName || !names.has(name), 'name', 'another request has this name', 'choose another one', JSON.stringify(name));
  if (isName) names.add(name);
  require(body !== undefined && body !== '', 'body', 'must not be empty', 'state what is sent');
  require(Buffer.byteLength(body ?? '') <= LARGEST_BODY, 'body', `must stay below ${LARGEST_BODY / 1e6} MB`, 'send less');
  require(base64 === undefined || typeof base64 === 'boolean', 'base64', 'must be true or false', 'leave it out for text', JSON.stringify(base64));
  require(base64 !== true || BASE64.test(body ?? ''), 'body', 'is no base64', 'encode it, or leave base64 out');
  require(isMime(contentType), 'contentType', 'must be a MIME type', "write e.g. 'text/csv'", JSON.stringify(contentType));
  require(accept === undefined || isMime(accept), 'accept', 'must be a MIME type', "write e.g. 'text/csv'", JSON.stringify(accept));
  require(expected !== undefined && expected.trim() !== '', 'expected', 'must not be empty', 'state the answer');
  require(expected === undefined || isComparable(expected), 'expected', 'begins like JSON and is none', 'close all brackets and quotes');
  const isDistance = tolerance === undefined || (typeof tolerance === 'number' && tolerance >= 0 && Number.isFinite(tolerance));
  require(isDistance, 'tolerance', 'must be a number from 0', 'state a distance', JSON.stringify(tolerance));
  for (const [field, value] of Object.entries({ name, body, contentType, accept, expected, tolerance })) {
    require(!Token.isUnresolved(value), field, 'must be known at synth', 'state it without references to resources');
  }
  return {
    name: String(name),
    body: body ?? '',
    ...(base64 === true && { base64 }),
    contentType: String(contentType),
    ...(accept !== undefined && { accept: String(accept) }),
    expected: expected ?? '',
    ...(typeof tolerance === 'number' && { tolerance }),
  };
};

/** Text as it stands, anything else as JSON. */
const textOf = (value: unknown): string | undefined => (value === undefined || typeof value === 'string' ? value : JSON.stringify(value));

const isMime = (value: unknown): boolean => typeof value === 'string' && (Token.isUnresolved(value) || MIME.test(value));

/** A list or an object is compared as JSON. */
const isComparable = (expected: string): boolean => {
  if (!/^\s*[[{]/.test(expected)) return true;
  try {
    JSON.parse(expected);
    return true;
  } catch {
    return false;
  }
};
