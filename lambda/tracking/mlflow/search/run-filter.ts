import { invalid } from '../errors';
import { readClauses, type Clause } from './clauses';
import { checkList, isNumber, isText, listed, listOf, plainKey, setOf, textOf, withoutBackticks } from './operands';
import { LIST_OPERATORS, NULL_OPERATORS, NUMERIC_OPERATORS, TEXT_OPERATORS, type Condition, type Field, type Operator } from './query';

const KINDS: Readonly<Record<string, Field['kind']>> = {
  metric: 'metric',
  metrics: 'metric',
  param: 'param',
  params: 'param',
  parameter: 'param',
  parameters: 'param',
  tag: 'tag',
  tags: 'tag',
  attribute: 'attribute',
  attributes: 'attribute',
  attr: 'attribute',
  run: 'attribute',
  dataset: 'dataset',
  datasets: 'dataset',
};

/** Kinds as MLflow's messages name them. */
const NAMES: Readonly<Record<Field['kind'], string>> = {
  metric: 'metric',
  param: 'parameter',
  tag: 'tag',
  attribute: 'attribute',
  dataset: 'dataset',
};

const ATTRIBUTES = ['artifact_uri', 'end_time', 'run_id', 'run_name', 'start_time', 'status', 'user_id'];
const NUMERIC_ATTRIBUTES = new Set(['start_time', 'end_time']);
const DATASET_KEYS = new Set(['name', 'digest', 'context']);
const TIME_ALIASES: Readonly<Record<string, string>> = { created: 'start_time', Created: 'start_time' };
const NAME_ALIASES: Readonly<Record<string, string>> = { 'run name': 'run_name', 'Run name': 'run_name', 'Run Name': 'run_name' };
const FILTER_KEYS: ReadonlyMap<string, string> = new Map(Object.entries({ ...same(ATTRIBUTES), ...TIME_ALIASES, ...NAME_ALIASES }));
const ORDER_KEYS: ReadonlyMap<string, string> = new Map(Object.entries({ ...same(ATTRIBUTES), ...TIME_ALIASES }));

function same(keys: readonly string[]): Record<string, string> {
  return Object.fromEntries(keys.map((key) => [key, key]));
}

const fieldOf = (identifier: string, attributes: ReadonlyMap<string, string>): Field => {
  const dot = identifier.indexOf('.');
  const entity = dot < 0 ? 'attribute' : withoutBackticks(identifier.slice(0, dot));
  if (!Object.hasOwn(KINDS, entity)) {
    throw invalid(`Invalid entity type '${entity}'. Valid values are ${listed(Object.values(NAMES))}`);
  }
  const kind = KINDS[entity];
  const key = plainKey(identifier.slice(dot + 1));
  if (kind === 'attribute') {
    const attribute = attributes.get(key);
    if (attribute === undefined) {
      throw invalid(`Invalid attribute key '${key}' specified. Valid keys are '${setOf(attributes.keys())}'`);
    }
    return { kind, key: attribute };
  }
  if (kind === 'dataset' && !DATASET_KEYS.has(key)) {
    throw invalid(`Invalid dataset key '${key}' specified. Valid keys are '${setOf(DATASET_KEYS)}'`);
  }
  return { kind, key };
};

const runField = (identifier: string): Field => fieldOf(identifier, FILTER_KEYS);

/** Aliases of run_name do not order. */
export const runOrderField = (identifier: string): Field => fieldOf(identifier, ORDER_KEYS);

const valueOf = ({ kind, key }: Field, right: NonNullable<Clause['right']>): Condition['value'] => {
  if (kind === 'metric' || NUMERIC_ATTRIBUTES.has(kind === 'attribute' ? key : '')) {
    if (!isNumber(right)) {
      const what = kind === 'metric' ? 'metric.' : `numeric attribute: ${key}.`;
      throw invalid(`Expected numeric value type for ${what} Found ${right.text}`);
    }
    return Number(right.text);
  }
  if (isText(right)) {
    return textOf(right);
  }
  if (right.kind === 'list' && (kind === 'attribute' || kind === 'dataset')) {
    if (kind === 'attribute' && key !== 'run_id') {
      throw invalid("Only ['run_id'] attributes support comparison with a list of quoted string values.");
    }
    return listOf(right);
  }
  const what =
    kind === 'attribute'
      ? 'attributes.'
      : kind === 'dataset'
        ? 'dataset attributes.'
        : `${NAMES[kind]} (e.g. 'my-value').`;
  throw invalid(`Expected a quoted string value for ${what} Got value ${right.text}`);
};

const operatorsOf = ({ kind, key }: Field): ReadonlySet<string> => {
  if (kind === 'metric' || (kind === 'attribute' && NUMERIC_ATTRIBUTES.has(key))) {
    return NUMERIC_OPERATORS;
  }
  return new Set([...TEXT_OPERATORS, ...(kind === 'param' || kind === 'tag' ? NULL_OPERATORS : LIST_OPERATORS)]);
};

const conditionOf = (clause: Clause): Condition => {
  if (!clause.leftIsIdentifier) {
    throw invalid(`Invalid comparison clause. Expected 'Identifier' found '${clause.left}'`);
  }
  const field = runField(clause.left);
  const operator = clause.operator.toUpperCase() as Operator;
  if (clause.right === undefined) {
    if (field.kind !== 'tag' && field.kind !== 'param') {
      throw invalid(`IS NULL / IS NOT NULL is only supported for tags and params, not for '${NAMES[field.kind]}' '${field.key}'`);
    }
    return { field, operator };
  }
  const value = valueOf(field, clause.right);
  if (!operatorsOf(field).has(operator)) {
    throw invalid(`Invalid comparator '${operator}' not one of '${setOf(operatorsOf(field))}'`);
  }
  return { field, operator: checkList(operator, value), value };
};

export const parseRunFilter = (text: string): Condition[] =>
  readClauses(text, (strangers) => `Invalid clause(s) in filter string: ${strangers.map((stranger) => `'${stranger}'`).join(', ')}`).map(conditionOf);
