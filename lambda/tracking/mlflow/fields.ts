import { invalid, MlflowError } from './errors';
import { Json, SEE_DOCS } from './http';

/** Limits of MLflow's own server, in characters unless said. */
export const LIMITS = {
  metrics: 1000,
  params: 100,
  tags: 100,
  entities: 1000,
  key: 250,
  paramValue: 6000,
  tagValue: 8000,
  experimentName: 500,
  experimentTagValue: 20_000,
  registryTagValue: 100_000,
  artifactLocation: 2048,
  datasetName: 500,
  datasetDigest: 36,
  datasetSchema: 1_048_575,
  datasetSource: 65_535,
  datasetProfile: 16_777_215,
  inputTagKey: 255,
  inputTagValue: 500,
} as const;

const PYTHON_TYPES: Readonly<Record<string, string>> = { string: 'str', boolean: 'bool' };

const pythonType = (value: unknown): string => {
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (Array.isArray(value)) return 'list';
  return PYTHON_TYPES[typeof value] ?? 'dict';
};

export const missingField = (name: string): MlflowError => invalid(`Missing value for required parameter '${name}'. ${SEE_DOCS}`);

export const wrongType = (name: string, value: unknown): MlflowError =>
  invalid(`Invalid value ${pythonJson(value)} for parameter '${name}' supplied:  Hint: Value was of type '${pythonType(value)}'. ${SEE_DOCS}`);

export const invalidValue = (path: string, value: unknown, why?: string): MlflowError =>
  invalid(`Invalid value ${pythonJson(value)} for parameter '${path}' supplied${why === undefined ? '.' : `: ${why}`}`);

/** As Python's json.dumps writes it: ASCII alone. */
const pythonJson = (value: unknown): string =>
  (JSON.stringify(value) ?? 'null').replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** The value of a field by its name or its name in camel case; null counts as absent. */
export const field = (json: Json, name: string): unknown => {
  const value = json[name] ?? json[name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())];
  return value ?? undefined;
};

/** A text, undefined where absent. */
export const optionalText = (json: Json, name: string): string | undefined => {
  const value = field(json, name);
  if (value !== undefined && typeof value !== 'string') throw wrongType(name, value);
  return value;
};

/** A text, empty where absent. */
export const text = (json: Json, name: string): string => optionalText(json, name) ?? '';

/** A text that must not be empty. */
export const required = (json: Json, name: string): string => {
  const value = text(json, name);
  if (value === '') throw missingField(name);
  return value;
};

/** Id of the run: by its name of today or by the older one. */
export const runIdOf = (json: Json): string => {
  const older = field(json, 'run_id') === undefined && field(json, 'run_uuid') !== undefined;
  return required(json, older ? 'run_uuid' : 'run_id');
};

/** A whole number, as a number (its fraction is cut) or as digits; undefined where absent. Beyond 2^53 nothing here could keep it exactly. */
export const integer = (json: Json, name: string): number | undefined => {
  const value = field(json, name);
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) throw wrongType(name, value);
  if (!Number.isSafeInteger(Math.trunc(number))) throw invalidValue(name, value, 'It must lie between -(2^53 - 1) and 2^53 - 1.');
  return Math.trunc(number) + 0;
};

const FLOAT = /^\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf(?:inity)?)\s*$/i;

/** A number with a fraction, also as a text, NaN and infinities among them; undefined where absent. */
export const double = (json: Json, name: string): number | undefined => {
  const value = field(json, name);
  if (value === undefined || typeof value === 'number') return value;
  if (typeof value !== 'string' || !FLOAT.test(value)) throw wrongType(name, value);
  const text = value.trim().toLowerCase();
  if (text.includes('nan')) return NaN;
  if (text.includes('inf')) return text.startsWith('-') ? -Infinity : Infinity;
  return Number(text);
};

export const boolean = (json: Json, name: string): boolean => {
  const value = field(json, name);
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  if (typeof value === 'string' && /^(true|false)$/i.test(value)) return value.toLowerCase() === 'true';
  throw wrongType(name, value);
};

/** A list, empty where absent; a query gives a list of one as a text. */
export const list = (json: Json, name: string, inQuery = false): readonly unknown[] => {
  const value = field(json, name);
  if (value === undefined) return [];
  if (Array.isArray(value)) return value as unknown[];
  if (inQuery && typeof value === 'string') return [value];
  throw wrongType(name, value);
};

export const texts = (json: Json, name: string, inQuery = false): readonly string[] =>
  list(json, name, inQuery).map((value, _, all) => {
    if (typeof value !== 'string') throw wrongType(name, all);
    return value;
  });

/** A list of objects. */
export const objects = (json: Json, name: string): readonly Json[] =>
  list(json, name).map((value, _, all) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(name, all);
    return value as Json;
  });

export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

/** A list of `{key, value}`; each key must be there. */
export const keyValues = (json: Json, name: string): readonly KeyValue[] =>
  objects(json, name).map((entry, index) => {
    const key = text(entry, 'key');
    if (key === '') throw missingField(`${name}[${index}].key`);
    return { key, value: text(entry, 'value') };
  });

/** Later entries win. */
export const asRecord = (entries: readonly KeyValue[]): Record<string, string> => Object.fromEntries(entries.map(({ key, value }) => [key, value]));

/** Length as Python counts it: code points. */
export const lengthOf = (value: string): number => {
  if (value.length <= 32) return [...value].length;
  let pairs = 0;
  for (let index = 0; index < value.length; index += 1) if (value.charCodeAt(index) >> 10 === 0x36) pairs += 1;
  return value.length - pairs;
};

export const checkLength = (what: string, limit: number, value: string): string => {
  if (value.length > limit && lengthOf(value) > limit) throw invalid(`'${what}' exceeds the maximum length of ${limit} characters`);
  return value;
};

/** What is too long is cut, as MLflow's server does. */
export const truncated = (limit: number, value: string): string =>
  value.length > limit && lengthOf(value) > limit ? [...value].slice(0, limit).join('') : value;

const KEY = /^[/\p{L}\p{N}\p{M}_.\- :]*$/u;

const BAD_CHARACTERS =
  'Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) and slashes (/).';

/** Path as Python's posixpath.normpath gives it. */
const normalPath = (path: string): string => {
  const root = path.startsWith('//') && !path.startsWith('///') ? '//' : path.startsWith('/') ? '/' : '';
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..' && (parts.length > 0 ? parts.at(-1) !== '..' : root !== '')) parts.pop();
    else parts.push(part);
  }
  return root + parts.join('/') || '.';
};

/** Keys of params, metrics and tags: what could be a file's path that means no other file. */
export const checkKey = (key: string, path: string): string => {
  if (!KEY.test(key)) throw invalidValue(path, key, BAD_CHARACTERS);
  const normal = normalPath(key);
  if (normal !== key || normal === '.' || normal.startsWith('..') || normal.startsWith('/')) {
    const resolved = normal.includes("'") ? `"${normal}"` : `'${normal}'`;
    throw invalidValue(
      path,
      key,
      'Names may be treated as files in certain cases, and must not resolve to other names when treated as such. ' +
        `This name would resolve to ${resolved}`,
    );
  }
  return key;
};

export const checkExperimentTag = (key: string, value: string): void => {
  checkKey(key, 'key');
  checkLength('key', LIMITS.key, key);
  checkLength('value', LIMITS.experimentTagValue, value);
};

/** Tag of a run; a value that is too long is cut. */
export const runTag = ({ key, value }: KeyValue, path = ''): KeyValue => {
  checkKey(key, `${path}key`);
  return { key: checkLength(`${path}key`, LIMITS.key, key), value: truncated(LIMITS.tagValue, value) };
};

/** Parameter of a run; a value that is too long is cut. */
export const runParam = ({ key, value }: KeyValue, path = ''): KeyValue => {
  checkKey(key, `${path}key`);
  return { key: checkLength('Param key', LIMITS.key, key), value: truncated(LIMITS.paramValue, value) };
};

/** Ids of experiments are whole numbers; as Python reads them. */
export const experimentIdOf = (value: string): string => {
  const [, sign, digits] = /^\s*([+-]?)0*(\d+)\s*$/.exec(value) ?? [];
  if (digits === undefined) throw invalid(`Invalid experiment ID '${value}'. Experiment ID must be a valid integer.`);
  return sign === '-' ? `-${digits}` : digits;
};

export const checkArtifactLocation = (location: string): void => {
  const [beforeFragment, fragment] = location.split(/#(.*)/s);
  const [place, query = ''] = beforeFragment.split(/\?(.*)/s);
  if (fragment || place.slice(place.lastIndexOf('/') + 1).includes(';')) throw invalid("'artifact_location' URL can't include fragments or params.");
  if (decoded(query).includes('..')) throw invalid('Invalid query string');
  if (location.startsWith('runs:')) throw invalid(`Artifact location cannot be a runs:/ URI. Given: '${location}'`);
  if (lengthOf(location) > LIMITS.artifactLocation) {
    throw invalid(
      `Invalid artifact path length. The length of the artifact path cannot be greater than ${LIMITS.artifactLocation} characters. To configure ` +
        'this limit, please set the MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH environment variable.',
    );
  }
};

/** Unquoted as often as it is quoted. */
const decoded = (text: string): string => {
  let now = text;
  for (let before = ''; before !== now;) {
    before = now;
    now = now.replace(/%[0-9a-f]{2}/gi, (code) => String.fromCharCode(parseInt(code.slice(1), 16)));
  }
  return now;
};

/** As Python's repr writes a text. */
export const pythonText = (value: string): string => {
  const quote = value.includes("'") && !value.includes('"') ? '"' : "'";
  const body = value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/\r/g, '\\r').replace(/\t/g, '\\t');
  return quote + (quote === "'" ? body.replace(/'/g, "\\'") : body) + quote;
};

/** An object, empty where absent. */
export const object = (json: Json, name: string): Json => {
  const value = field(json, name) ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) throw wrongType(name, value);
  return value as Json;
};

export const checkRunId = (runId: string): string => {
  if (!/^[a-zA-Z0-9][\p{L}\p{N}_-]{0,255}$/u.test(runId)) throw invalidValue('run_id', runId);
  return runId;
};

/** At most so many of each, and in all. */
export const checkBatch = (metrics: number, params: number, tags: number): void => {
  const within = (what: string, limit: number, count: number): void => {
    if (count <= limit) return;
    throw invalid(
      `A batch logging request can contain at most ${limit} ${what}. Got ${count} ${what}. Please split up ${what} across multiple requests ` +
        'and try again.',
    );
  };
  within('metrics', LIMITS.metrics, metrics);
  within('params', LIMITS.params, params);
  within('tags', LIMITS.tags, tags);
  within('metrics, params, and tags', LIMITS.entities, metrics + params + tags);
};
