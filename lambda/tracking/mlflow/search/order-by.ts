import { invalid } from '../errors';
import { attributeField } from './attribute-filter';
import { readOrder } from './clauses';
import { listed } from './operands';
import { attribute, type Field, type Order } from './query';
import { runOrderField } from './run-filter';

const QUOTED = /`([^`]*)`|"([^"]*)"|'([^']*)'/gu;

/** Identifier and direction of one clause. */
const parse = (clause: string): { identifier: string; ascending: boolean } => {
  const written = readOrder(clause);
  if (written === undefined) {
    throw invalid(`Invalid order_by clause '${clause}'. Could not be parsed.`);
  }
  const direction = written.direction?.toLowerCase();
  if (direction !== undefined && direction !== 'asc' && direction !== 'desc') {
    throw invalid(`Invalid ordering key in order_by clause '${clause}'.`);
  }
  // With a direction behind it an identifier loses its quotes wherever they stand, as MLflow reads it.
  const identifier = direction === undefined ? written.identifier : written.identifier.replace(QUOTED, '$1$2$3');
  return { identifier, ascending: direction !== 'desc' };
};

const twice = (clauses: readonly string[]) => invalid(`\`order_by\` contains duplicate fields: ${listed(clauses)}`);

const isSame = (a: Field, b: Field): boolean => a.kind === b.kind && a.key === b.key;

const checkOnce = (orders: readonly Order[], clauses: readonly string[]): void => {
  if (orders.some(({ field }, index) => orders.slice(0, index).some((earlier) => isSame(earlier.field, field)))) {
    throw twice(clauses);
  }
};

/** Orders with the ones behind them that make every order total. */
const withTies = (orders: readonly Order[], ...ties: readonly Order[]): Order[] => [
  ...orders,
  ...ties.filter((tie) => !orders.some(({ field }) => isSame(field, tie.field))),
];

export const by = (key: string, ascending: boolean): Order => ({ field: attribute(key), ascending });

export const parseRunOrder = (clauses: readonly string[]): Order[] => {
  const orders = clauses.map((clause) => {
    const { identifier, ascending } = parse(clause);
    const field = runOrderField(identifier.trim());
    if (field.kind === 'dataset') {
      throw invalid("Invalid identifier type 'dataset'");
    }
    return { field, ascending };
  });
  checkOnce(orders, clauses);
  return withTies(orders, by('start_time', false), by('run_id', true));
};

const EXPERIMENT_KEYS = ['name', 'experiment_id', 'creation_time', 'last_update_time'];

export const parseExperimentOrder = (clauses: readonly string[]): Order[] => {
  if (clauses.length === 0) {
    return [by('creation_time', false), by('experiment_id', true)];
  }
  const orders = clauses.map((clause) => {
    const { identifier, ascending } = parse(clause);
    const field = attributeField(identifier.trim(), EXPERIMENT_KEYS);
    if (field.kind !== 'attribute') {
      throw invalid(`Invalid order_by entity: ${field.kind}`);
    }
    return { field, ascending };
  });
  return withTies(orders, by('experiment_id', false));
};

const MODEL_KEYS: Readonly<Record<string, string>> = {
  name: 'name',
  timestamp: 'last_updated_timestamp',
  last_updated_timestamp: 'last_updated_timestamp',
};

export const parseModelOrder = (clauses: readonly string[]): Order[] => {
  const orders = clauses.map((clause) => {
    const { identifier, ascending } = parse(clause);
    const key = identifier.trim();
    if (!Object.hasOwn(MODEL_KEYS, key)) {
      throw invalid(`Invalid order by key '${key}' specified. Valid keys are '{'name', 'timestamp'}'`);
    }
    return by(MODEL_KEYS[key], ascending);
  });
  checkOnce(orders, clauses);
  return withTies(orders, by('name', true));
};

const VERSION_KEYS = ['name', 'version_number', 'creation_timestamp', 'last_updated_timestamp'];

export const parseVersionOrder = (clauses: readonly string[]): Order[] => {
  const orders = (clauses.length === 0 ? ['last_updated_timestamp DESC'] : clauses).map((clause) => {
    const { identifier, ascending } = parse(clause);
    const { key } = attributeField(identifier.trim(), VERSION_KEYS);
    if (!VERSION_KEYS.includes(key)) {
      throw invalid(`Invalid order by key '${key}' specified. Valid keys are {${VERSION_KEYS.map((valid) => `'${valid}'`).join(', ')}}`);
    }
    return by(key, ascending);
  });
  checkOnce(orders, clauses);
  return withTies(orders, by('name', true), by('version_number', false));
};
