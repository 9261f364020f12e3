import type { Experiment } from '../../../../lib/tracking/contract';
import type { Json } from '../http';
import { parseExperimentFilter } from './attribute-filter';
import { sortEntry } from './compare';
import { every, own, test } from './match';
import { parseExperimentOrder } from './order-by';
import { collected, type Budget } from './page';
import { fingerprint, readToken, writeToken } from './page-token';
import type { Value } from './query';
import { commonOf, experimentsPerPage, inView, viewOf } from './request';

/** What a search reads experiments through. */
export interface ExperimentSource {
  list(): AsyncGenerator<Experiment>;
}

const ADVICE = 'Ask for an experiment by its name or id instead.';
const BATCH = 500;

/** Ids are numbers of up to 20 digits, and ordered as such. */
const ID_DIGITS = 20;

const ATTRIBUTES: Readonly<Record<string, (experiment: Experiment) => Value>> = {
  name: (experiment) => experiment.name,
  experiment_id: (experiment) => experiment.experimentId,
  creation_time: (experiment) => experiment.creationTime,
  last_update_time: (experiment) => experiment.lastUpdateTime,
};

const SORT_ATTRIBUTES = { ...ATTRIBUTES, experiment_id: (experiment: Experiment) => experiment.experimentId.padStart(ID_DIGITS, '0') };

async function* batches<T>(records: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const record of records) {
    batch.push(record);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  yield batch;
}

/** Experiments: fields `filter`, `view_type`, `max_results`, `order_by`, `page_token` of MLflow's `experiments/search`. */
export const searchExperiments = async (
  json: Json,
  experiments: ExperimentSource,
  budget?: Budget,
): Promise<{ experiments: Experiment[]; nextPageToken?: string }> => {
  const { filter, orderBy, pageToken } = commonOf(json);
  const limit = experimentsPerPage(json);
  const view = viewOf(json, 'view_type');
  const tests = parseExperimentFilter(filter).map((condition) => {
    const { kind, key } = condition.field;
    const holds = test(condition);
    return kind === 'tag'
      ? (experiment: Experiment) => holds(own(experiment.tags, key))
      : (experiment: Experiment) => holds(ATTRIBUTES[key](experiment));
  });
  const orders = parseExperimentOrder(orderBy);
  const print = fingerprint(['experiments', filter, orderBy, view]);
  const readers = orders.map(({ field }) => SORT_ATTRIBUTES[field.key as keyof typeof SORT_ATTRIBUTES]);
  const { records, next } = await collected(
    batches(experiments.list()),
    {
      matches: every([(experiment) => inView(view, experiment.lifecycleStage), ...tests]),
      orders,
      keyOf: (experiment) => readers.map((read) => sortEntry(read(experiment))),
      limit,
      after: readToken(pageToken, print, orders.length),
      budget,
    },
    ADVICE,
  );
  return { experiments: records, nextPageToken: next && writeToken(print, next) };
};
