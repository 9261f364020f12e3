import { invalid } from '../errors';
import { readClauses, type Clause } from './clauses';
import { checkList, listOf } from './operands';
import { LIST_OPERATORS, NUMERIC_OPERATORS, TEXT_OPERATORS, type Condition, type Field, type Operator } from './query';

const KINDS: Readonly<Record<string, Field['kind']>> = { attributes: 'attribute', metrics: 'metric', params: 'param', tags: 'tag' };

/** Attributes by all their names. */
const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ['creation_time', 'creation_timestamp_ms'],
  ['creation_timestamp', 'creation_timestamp_ms'],
  ['creation_timestamp_ms', 'creation_timestamp_ms'],
  ['last_updated_timestamp', 'last_updated_timestamp_ms'],
  ['last_updated_timestamp_ms', 'last_updated_timestamp_ms'],
  ['last_updated_time', 'last_updated_time'],
  ...['name', 'model_id', 'model_type', 'status', 'source_run_id', 'experiment_id', 'artifact_location', 'lifecycle_stage', 'status_message'].map(
    (key) => [key, key] as const,
  ),
]);
const TIMES = new Set(['creation_timestamp_ms', 'last_updated_timestamp_ms']);

export const STATUS_NUMBERS: Readonly<Record<string, number>> = { PENDING: 1, READY: 2, UPLOAD_FAILED: 3 };

const trimmed = (text: string, quote: '`' | "'"): string => {
  let [from, to] = [0, text.length];
  while (from < to && text[from] === quote) from++;
  while (to > from && text[to - 1] === quote) to--;
  return text.slice(from, to);
};

const fieldOf = (identifier: string): Field => {
  const [, entity, key] = /^([a-z]+)\.(.+)$/su.exec(identifier) ?? [];
  if (entity !== undefined && !Object.hasOwn(KINDS, entity)) {
    throw invalid(`Invalid entity type: '${entity}'. Expected one of ['attributes', 'metrics', 'params', 'tags'].`);
  }
  const name = trimmed(key ?? identifier, '`');
  return { kind: entity === undefined ? 'attribute' : KINDS[entity], key: name };
};

const attributeOf = (key: string, shown: string): string => {
  const attribute = ATTRIBUTES.get(key);
  if (attribute === undefined || attribute === 'last_updated_time') {
    throw invalid(shown);
  }
  return attribute;
};

const isNumeric = ({ kind, key }: Field): boolean => kind === 'metric' || (kind === 'attribute' && TIMES.has(key));

const conditionOf = (clause: Clause): Condition => {
  const { left, right } = clause;
  if (right === undefined) {
    throw invalid(`Invalid comparison: ${left} ${clause.operator}. Expected a comparison with 3 tokens.`);
  }
  const named = fieldOf(left);
  const field = named.kind === 'attribute' ? { ...named, key: ATTRIBUTES.get(named.key) ?? named.key } : named;
  const operator = clause.operator.toUpperCase() as Operator;
  const allowed = isNumeric(field) ? NUMERIC_OPERATORS : new Set([...TEXT_OPERATORS, ...LIST_OPERATORS]);
  if (!allowed.has(operator)) {
    const shown = `${{ attribute: 'attributes', metric: 'metrics', param: 'params', tag: 'tags', dataset: 'datasets' }[field.kind]}.${field.key}`;
    const operators = [...allowed].map((name) => `'${name}'`).join(', ');
    throw invalid(`Invalid comparison operator for ${shown}: '${operator}'. Expected one of (${operators}).`);
  }
  if (field.kind === 'attribute') {
    attributeOf(field.key, `Invalid logged model search key '${field.key}'`);
  }
  if (isNumeric(field)) {
    return { field, operator, value: numberOf(right.text) };
  }
  // Texts may stand without quotes, and only single quotes count as such.
  const value = right.kind === 'list' ? listOf(right) : trimmed(right.text, "'");
  if (field.key === 'status' && field.kind === 'attribute') {
    return { field, operator: checkList(operator, value), value: typeof value === 'string' ? statusOf(value) : value.map(statusOf) };
  }
  return { field, operator: checkList(operator, value), value };
};

const numberOf = (text: string): number => {
  const number = /^[+-]?inf(inity)?$/i.test(text) ? (text.startsWith('-') ? -Infinity : Infinity) : Number(text);
  if (Number.isNaN(number) && text.toLowerCase() !== 'nan') {
    throw invalid(`Invalid comparison: could not convert string to float: ${text}`);
  }
  return number;
};

/** MLflow compares the number of a status; its name is understood here, too. */
const statusOf = (text: string): string => String(STATUS_NUMBERS[text.replace(/^LOGGED_MODEL_/, '')] ?? text);

export const parseLoggedModelFilter = (text: string): Condition[] =>
  readClauses(
    text,
    () =>
      `Invalid filter string: '${text}'. Expected a list of comparisons separated by 'AND' (e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').`,
    true,
  ).map(conditionOf);

/** Field to order by: an attribute, or `metrics.<key>`. */
export const loggedModelOrderField = (name: string): Field => {
  const dot = name.indexOf('.');
  if (dot < 0) {
    return { kind: 'attribute', key: attributeOf(name, `Invalid order by field name: ${name}`) };
  }
  if (name.slice(0, dot) !== 'metrics') {
    throw invalid(`Invalid order by field name: ${name}. Only metrics are supported.`);
  }
  return { kind: 'metric', key: name.slice(dot + 1) };
};
