import { INDEXED_TAGS, type Run } from '../../../../lib/tracking/contract';
import type { Json } from '../http';
import { comparator, sortEntry, type SortKey } from './compare';
import { every, own, test } from './match';
import { by, parseRunOrder } from './order-by';
import { collected, merged, streamed, unordered, type Budget, type Found, type Wanted } from './page';
import { fingerprint, readToken, writeToken } from './page-token';
import type { Condition, Field, Order, Value } from './query';
import { commonOf, experimentIds, inView, runsPerPage, viewOf } from './request';
import { parseRunFilter } from './run-filter';

type IndexedTag = (typeof INDEXED_TAGS)[number];

interface Position {
  readonly startTime: number;
  readonly runId: string;
}

/** What a search reads runs through. */
export interface RunSource {
  getMany(runIds: readonly string[]): Promise<Run[]>;
  rows(
    experimentId: string,
    options?: {
      readonly startTime?: { readonly from?: number; readonly to?: number };
      readonly after?: Position;
      readonly includeDeleted?: boolean;
      readonly pageSize?: number;
    },
  ): AsyncGenerator<Run[]>;
  rowsByTag(experimentId: string, tag: IndexedTag, value: string, options?: { readonly after?: Position }): AsyncGenerator<Run[]>;
}

const NEWEST_FIRST: readonly Order[] = [by('start_time', false), by('run_id', true)];
const CONTEXT_TAG = 'mlflow.data.context';
const RUN_NAME_TAG = 'mlflow.runName';

const ADVICE =
  'Only runs by start_time DESC can be read in parts: leave order_by out, or narrow the search by attributes.start_time, by ' +
  `attributes.run_id = or IN, or by = on one of the tags ${INDEXED_TAGS.join(', ')}.`;

const ATTRIBUTES: Readonly<Record<string, (run: Run) => Value>> = {
  run_id: (run) => run.runId,
  run_name: (run) => run.name,
  status: (run) => run.status,
  artifact_uri: (run) => run.artifactUri,
  user_id: (run) => run.userId,
  start_time: (run) => run.startTime,
  end_time: (run) => run.endTime,
};

const reader = ({ kind, key }: Field): ((run: Run) => Value) => {
  switch (kind) {
    case 'metric':
      return (run) => own(run.metrics, key)?.value;
    case 'param':
      return (run) => own(run.params, key);
    case 'tag':
      return (run) => own(run.tags, key);
    default:
      return ATTRIBUTES[key];
  }
};

/** Any of the run's datasets may answer. */
const datasetTest = (condition: Condition): ((run: Run) => boolean) => {
  const holds = test(condition);
  const { key } = condition.field;
  return (run) =>
    run.datasets.some((dataset) => holds(key === 'context' ? own(dataset.tags, CONTEXT_TAG) : key === 'digest' ? dataset.digest : dataset.name));
};

const runTest = (condition: Condition): ((run: Run) => boolean) => {
  if (condition.field.kind === 'dataset') {
    return datasetTest(condition);
  }
  const [read, holds] = [reader(condition.field), test(condition)];
  return (run) => holds(read(run));
};

/** Whole milliseconds that the conditions leave, both ends inclusive. */
const timeRange = (conditions: readonly Condition[]): { from: number; to: number } => {
  let [from, to] = [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  for (const { field, operator, value } of conditions) {
    if (field.kind !== 'attribute' || field.key !== 'start_time') continue;
    const time = value as number;
    if (operator === '=' || operator === '>=') from = Math.max(from, Math.ceil(time));
    if (operator === '>') from = Math.max(from, Math.floor(time) + 1);
    if (operator === '=' || operator === '<=') to = Math.min(to, Math.floor(time));
    if (operator === '<') to = Math.min(to, Math.ceil(time) - 1);
  }
  return { from, to };
};

/** Ids that the conditions leave, where they name any. */
const namedRuns = (conditions: readonly Condition[]): string[] | undefined => {
  let ids: string[] | undefined;
  for (const { field, operator, value } of conditions) {
    if (field.kind !== 'attribute' || field.key !== 'run_id' || (operator !== '=' && operator !== 'IN')) continue;
    const named = new Set(operator === '=' ? [value as string] : (value as readonly string[]));
    ids = ids === undefined ? [...named] : ids.filter((id) => named.has(id));
  }
  return ids;
};

/** A tag whose value the conditions fix and that an index knows. */
const indexedTag = (conditions: readonly Condition[]): { tag: IndexedTag; value: string } | undefined => {
  for (const { field, operator, value } of conditions) {
    if (operator !== '=') continue;
    const key = field.kind === 'tag' ? field.key : field.kind === 'attribute' && field.key === 'run_name' ? RUN_NAME_TAG : undefined;
    const tag = INDEXED_TAGS.find((indexed) => indexed === key);
    if (tag !== undefined) return { tag, value: value as string };
  }
  return undefined;
};

async function* idsIn(runs: RunSource, ids: readonly string[], experiments: ReadonlySet<string>): AsyncGenerator<Run[]> {
  for (let at = 0; at < ids.length; at += 500) {
    const found = await runs.getMany(ids.slice(at, at + 500));
    yield found.filter(({ experimentId }) => experiments.has(experimentId));
  }
}

const isNewestFirst = (orders: readonly Order[]): boolean =>
  orders.length === NEWEST_FIRST.length &&
  orders.every(({ field, ascending }, index) => field.key === NEWEST_FIRST[index].field.key && ascending === NEWEST_FIRST[index].ascending);

interface Search {
  readonly conditions: readonly Condition[];
  readonly experiments: readonly string[];
  readonly isDefault: boolean;
}

const find = async (runs: RunSource, search: Search, wanted: Wanted<Run>): Promise<Found<Run>> => {
  const { conditions, experiments, isDefault } = search;
  const { from, to } = timeRange(conditions);
  const ids = namedRuns(conditions);
  if (from > to || experiments.length === 0 || ids?.length === 0) {
    return { records: [] };
  }
  if (ids !== undefined) {
    return collected(idsIn(runs, ids, new Set(experiments)), wanted, ADVICE);
  }
  const after = isDefault && wanted.after ? { startTime: wanted.after[0][1] as number, runId: wanted.after[1][1] as string } : undefined;
  const tag = indexedTag(conditions);
  // One row more than a page tells whether another page follows; what a filter lets through cannot be known.
  const pageSize = isDefault && conditions.length === 0 ? wanted.limit + 1 : undefined;
  const startTime = from === -Number.MAX_SAFE_INTEGER && to === Number.MAX_SAFE_INTEGER ? undefined : { from, to };
  const sources = experiments.map((id) =>
    tag === undefined ? runs.rows(id, { startTime, after, includeDeleted: true, pageSize }) : runs.rowsByTag(id, tag.tag, tag.value, { after }),
  );
  if (!isDefault) {
    return collected(unordered(sources), wanted, ADVICE);
  }
  const compare = comparator(NEWEST_FIRST);
  return streamed(
    merged(sources, (a: Run, b: Run) => compare(newestKey(a), newestKey(b)) < 0),
    wanted,
  );
};

const newestKey = (run: Run): SortKey => [
  [0, run.startTime],
  [0, run.runId],
];

/**
 * Runs of experiments: fields `experiment_ids`, `filter`, `run_view_type`, `max_results`, `order_by`, `page_token` of MLflow's `runs/search`.
 * In the default order the budget's end gives a page token, in any other one an error that names what is indexed.
 */
export const searchRuns = async (json: Json, runs: RunSource, budget?: Budget): Promise<{ runs: Run[]; nextPageToken?: string }> => {
  const { filter, orderBy, pageToken } = commonOf(json);
  const limit = runsPerPage(json);
  const view = viewOf(json, 'run_view_type');
  const conditions = parseRunFilter(filter);
  const orders = parseRunOrder(orderBy);
  const experiments = experimentIds(json);
  const print = fingerprint(['runs', filter, orderBy, view, [...experiments].sort()]);
  const after = readToken(pageToken, print, orders.length);
  const readers = orders.map(({ field }) => reader(field));
  const isDefault = isNewestFirst(orders);
  const wanted: Wanted<Run> = {
    matches: every([(run) => inView(view, run.lifecycleStage), ...conditions.map(runTest)]),
    orders,
    keyOf: isDefault ? newestKey : (run) => readers.map((read) => sortEntry(read(run))),
    limit,
    after,
    budget,
  };
  const { records, next } = await find(runs, { conditions, experiments, isDefault }, wanted);
  return { runs: records, nextPageToken: next && writeToken(print, next) };
};
