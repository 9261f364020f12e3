import { invalid } from '../errors';
import { experimentIdOf, integer, list, text, texts, wrongType } from '../fields';
import type { Json } from '../http';

/** Whether deleted records are asked for. */
export type View = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL';

const VIEWS: readonly View[] = ['ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'];

/** Also by the number that protocol buffers give it; anything else counts as what is asked for most. */
export const viewOf = (json: Json, name: string): View => {
  const value = json[name];
  const view = typeof value === 'number' ? VIEWS[value - 1] : VIEWS.find((known) => known === value);
  return view ?? 'ACTIVE_ONLY';
};

export const inView = (view: View, lifecycleStage: 'active' | 'deleted'): boolean =>
  view === 'ALL' || (view === 'ACTIVE_ONLY') === (lifecycleStage === 'active');

export interface Common {
  readonly filter: string;
  readonly orderBy: readonly string[];
  readonly pageToken: string;
}

const MOST_ORDERS = 100;

export const checkOrders = <T>(orders: readonly T[]): readonly T[] => {
  if (orders.length > MOST_ORDERS) throw invalid(`Invalid order_by: it has ${orders.length} clauses, at most ${MOST_ORDERS} are read`);
  return orders;
};

export const commonOf = (json: Json): Common => ({
  filter: text(json, 'filter'),
  orderBy: checkOrders(texts(json, 'order_by', true)),
  pageToken: text(json, 'page_token'),
});

const notPositive = (value: number) => invalid(`Invalid value ${value} for parameter 'max_results' supplied. It must be a positive integer`);

/** 1 to 50000, 1000 where left out. */
export const runsPerPage = (json: Json): number => {
  const value = integer(json, 'max_results') ?? 1000;
  if (value > 50_000) throw wrongType('max_results', value);
  if (value < 1) throw notPositive(value);
  return value;
};

/** 1 to 50000; experiments have no default. */
export const experimentsPerPage = (json: Json): number => {
  const value = integer(json, 'max_results') ?? 0;
  if (value < 1) throw notPositive(value);
  if (value > 50_000) throw invalid(`Invalid value ${value} for parameter 'max_results' supplied. It must be at most 50000`);
  return value;
};

/** 1 to 1000, 100 where left out. */
export const modelsPerPage = (json: Json): number => {
  const value = integer(json, 'max_results') ?? 100;
  if (value > 1000) throw wrongType('max_results', String(value));
  if (value < 1) throw notPositive(value);
  return value;
};

/** 1 to 200000, which is what it is where left out. */
export const versionsPerPage = (json: Json): number => {
  const value = integer(json, 'max_results') ?? 200_000;
  if (value < 1) throw invalid(`Invalid value for max_results. It must be a positive integer, but got ${value}`);
  if (value > 200_000) throw invalid(`Invalid value for request parameter max_results. It must be at most 200000, but got value ${value}`);
  return value;
};

/** 100 where left out or 0. */
export const loggedModelsPerPage = (json: Json): number => {
  const value = integer(json, 'max_results') || 100;
  if (value < 1) throw notPositive(value);
  return value;
};

/** Ids of the experiments to search, each once. */
export const experimentIds = (json: Json): string[] => {
  const ids = list(json, 'experiment_ids').map((id, _, all) => {
    if (typeof id !== 'string') throw wrongType('experiment_ids', all);
    return experimentIdOf(id);
  });
  return [...new Set(ids)];
};
