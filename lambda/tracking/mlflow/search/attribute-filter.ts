import { invalid } from '../errors';
import { readClauses, type Clause } from './clauses';
import { checkList, isNumber, isText, listed, listOf, plainKey, setOf, textOf } from './operands';
import { LIST_OPERATORS, NULL_OPERATORS, NUMERIC_OPERATORS, TEXT_OPERATORS, type Condition, type Field, type Operator } from './query';

/** What may stand in a filter of experiments, registered models or model versions: attributes of their own, and tags. */
interface Grammar {
  readonly attributes: readonly string[];
  readonly numeric: readonly string[];
  readonly lists: readonly string[];
  /** Whether quoted attributes and tags that are asked for NULL are known, and comparators have to be in capitals. */
  readonly strict: boolean;
}

const EXPERIMENT: Grammar = {
  attributes: ['name', 'experiment_id', 'creation_time', 'last_update_time'],
  numeric: ['creation_time', 'last_update_time'],
  lists: ['experiment_id'],
  strict: true,
};
const MODEL: Grammar = { attributes: ['name'], numeric: [], lists: ['name'], strict: false };
const VERSION: Grammar = {
  attributes: ['name', 'version_number', 'run_id', 'source_path'],
  numeric: ['version_number'],
  lists: ['name', 'run_id'],
  strict: false,
};

/** Field that an identifier names. */
export const attributeField = (identifier: string, attributes: readonly string[], quoted = true): Field => {
  const dot = identifier.indexOf('.');
  const entity = dot < 0 ? 'attribute' : identifier.slice(0, dot);
  if (entity !== 'attribute' && entity !== 'tag' && entity !== 'tags') {
    throw invalid(`Invalid entity type '${entity}'. Valid entity types are ('attribute', 'tag', 'tags')`);
  }
  const written = identifier.slice(dot + 1);
  if (entity !== 'attribute') {
    return { kind: 'tag', key: plainKey(written) };
  }
  const key = quoted ? plainKey(written) : written;
  if (!attributes.includes(key)) {
    throw invalid(`Invalid attribute key '${key}' specified. Valid keys are '${setOf(attributes)}'`);
  }
  return { kind: 'attribute', key };
};

const wholeNumber = (key: string, text: string): number => {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) {
    throw invalid(`Invalid value for numeric attribute '${key}': ${/^[\d.eE+-]+$/.test(text) ? text : `'${text}'`}`);
  }
  return Number(text);
};

/** Digits as they are compared, without what does not count. */
const experimentId = (text: string): string => {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) {
    throw invalid(`Invalid experiment ID '${text}'. Experiment ID must be a valid integer.`);
  }
  return BigInt(text.trim().replace('+', '')).toString();
};

const tagCondition = (field: Field, operator: string, right: Clause['right']): Condition => {
  if (right === undefined) {
    return { field, operator: operator as Operator };
  }
  if (!isText(right)) {
    throw invalid(`Expected a quoted string value for tag (e.g. 'my-value'). Got value ${right.text}`);
  }
  const value = textOf(right);
  if (!TEXT_OPERATORS.has(operator)) {
    throw invalid(`Invalid comparator for tag: ${operator}`);
  }
  return { field, operator: operator as Operator, value };
};

const listAllowed = (grammar: Grammar, key: string): void => {
  if (!grammar.lists.includes(key)) {
    throw invalid(`Only ${listed(grammar.lists)} attributes support comparison with a list of quoted string values.`);
  }
};

const experimentCondition = (field: Field, operator: string, right: NonNullable<Clause['right']>): Condition => {
  const { key } = field;
  if (EXPERIMENT.numeric.includes(key)) {
    if (!isNumber(right)) {
      throw invalid(`Expected numeric value type for numeric attribute: ${key}. Found ${right.text}`);
    }
    if (!NUMERIC_OPERATORS.has(operator)) {
      throw invalid(`Invalid comparator '${operator}' not one of '${setOf(NUMERIC_OPERATORS)}'`);
    }
    if (right.kind === 'float') {
      throw invalid(`Invalid value for numeric attribute '${key}': '${right.text}'`);
    }
    return { field, operator: operator as Operator, value: Number(right.text) };
  }
  if (right.kind === 'list') {
    listAllowed(EXPERIMENT, key);
  } else if (!isText(right)) {
    throw invalid(`Expected a quoted string value for attributes. Got value ${right.text}`);
  }
  const value = right.kind === 'list' ? listOf(right) : textOf(right);
  if (key === 'experiment_id') {
    if (!['=', '!=', 'IN', 'NOT IN'].includes(operator)) {
      throw invalid(`Invalid comparator for experiment_id: ${operator}`);
    }
    const ids = typeof value === 'string' ? experimentId(value) : value.map(experimentId);
    return { field, operator: checkList(operator as Operator, ids), value: ids };
  }
  if (!TEXT_OPERATORS.has(operator)) {
    throw invalid(`Invalid comparator '${operator}' not one of '${setOf([...TEXT_OPERATORS, ...LIST_OPERATORS])}'`);
  }
  return { field, operator: operator as Operator, value };
};

const registryCondition = (grammar: Grammar, field: Field, operator: string, right: NonNullable<Clause['right']>): Condition => {
  const { key } = field;
  const numeric = grammar.numeric.includes(key);
  if (right.kind === 'list') {
    listAllowed(grammar, key);
  } else if (isNumber(right) && grammar.numeric.length === 0) {
    throw invalid(`Expected a quoted string value or a list of quoted string values for attributes. Got value ${right.text}`);
  } else if (isNumber(right) && !numeric) {
    const numbers = setOf(['version_number', 'creation_timestamp', 'last_updated_timestamp']);
    throw invalid(`Only the '${numbers}' attributes support comparison with numeric values.`);
  }
  const value = right.kind === 'list' ? listOf(right) : isNumber(right) ? right.text : textOf(right);
  if (numeric) {
    if (!NUMERIC_OPERATORS.has(operator)) {
      throw invalid(`Invalid comparator for attribute ${key}: ${operator}`);
    }
    return { field, operator: operator as Operator, value: wholeNumber(key, value as string) };
  }
  if (!TEXT_OPERATORS.has(operator) && !(LIST_OPERATORS.has(operator) && grammar.lists.includes(key))) {
    throw invalid(`Invalid comparator for attribute: ${operator}`);
  }
  return { field, operator: checkList(operator as Operator, value), value };
};

const parser =
  (grammar: Grammar) =>
  (text: string): Condition[] =>
    readClauses(text, (strangers) => `Invalid clause(s) in filter string: ${strangers.join(', ')}`).map((clause) => {
      const { left, right } = clause;
      if (!clause.leftIsIdentifier) {
        throw invalid(`Invalid comparison clause. Expected 'Identifier' found '${left}'`);
      }
      const operator = grammar.strict ? clause.operator : clause.operator.toUpperCase();
      const field = attributeField(left, grammar.attributes, grammar.strict);
      if (right === undefined && (!grammar.strict || field.kind !== 'tag')) {
        const where = grammar.strict ? '' : ' of experiments';
        throw invalid(`IS NULL / IS NOT NULL is only supported for tags${where}, not for ${field.kind} '${field.key}'`);
      }
      if (right === undefined || field.kind === 'tag') {
        return tagCondition(field, NULL_OPERATORS.has(operator.toUpperCase()) ? operator.toUpperCase() : operator, right);
      }
      return grammar.strict ? experimentCondition(field, operator, right) : registryCondition(grammar, field, operator, right);
    });

export const parseExperimentFilter = parser(EXPERIMENT);
export const parseModelFilter = parser(MODEL);
export const parseVersionFilter = parser(VERSION);
