import type { AttributeValue, DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { REGISTRY_ENV } from '../../lib/registry/contract';
import { createDocumentClient } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { createLogger } from '../common/logger';
import { unpack } from '../common/packed';
import { RegistryReader } from '../registry/registry-reader';
import { RegistryStore } from '../registry/registry-store.client';
import { ExperimentsClient } from '../tracking/experiments.client';
import { RunsClient } from '../tracking/runs.client';
import { SearchIndex } from './search-index.client';
import { changedThing, documentsOf, Sources } from './sources';

const logger = createLogger('search/index-words');
const index = new SearchIndex();
const store = new RegistryStore(requireEnv(REGISTRY_ENV.registryTable), requireEnv(REGISTRY_ENV.historyTable), createDocumentClient());
const experiments = new ExperimentsClient();
const sources: Sources = { store, registry: new RegistryReader(store), experiments, runs: new RunsClient(undefined, undefined, experiments) };

const NO_WORDS = new Set(['revision', 'metrics', 'params', 'models', 'historySequence', 'historyHash', 'historyAt']);
/** Where the parts of a run's row stand that it has no room for. */
const ELSEWHERE = 'more';
/** Things that are brought to the index at the same time: a model may have thousands of versions. */
const AT_ONCE = 8;

type Image = Record<string, AttributeValue> | undefined;
type Part = readonly [name: string, value: unknown];

const withWords = (parts: readonly Part[]): readonly Part[] =>
  parts.filter(([name]) => !NO_WORDS.has(name)).sort(([a], [b]) => (a < b ? -1 : 1));

const elsewhere = ({ S, B }: AttributeValue): readonly Part[] =>
  withWords(Object.entries(unpack<Record<string, unknown>>(S ?? Buffer.from(B ?? '', 'base64'))));

const wordsPart = (image: Image): string => {
  const { [ELSEWHERE]: more, ...own } = image ?? {};
  return JSON.stringify([withWords(Object.entries(own)), more ? elsewhere(more) : []]);
};

/** A run that logs metrics changes with every point, and none of its words. */
const changesWords = ({ dynamodb }: DynamoDBRecord): boolean => wordsPart(dynamodb?.OldImage) !== wordsPart(dynamodb?.NewImage);

/**
 * Follows the changes of registry and runs. Each thing is read as it is now, so that a change which arrives late or twice does no harm. The first
 * change that fails is given back, with all that follow: they come again.
 */
export const handler = async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
  const done = new Set<string>();
  for (const record of event.Records) {
    const thing = changesWords(record) ? changedThing(record.dynamodb?.Keys ?? {}, record.dynamodb?.NewImage ?? {}) : undefined;
    const id = JSON.stringify({ ...thing, revision: undefined });
    if (!thing || done.has(id)) continue;
    try {
      const documents = await documentsOf(sources, thing);
      for (let at = 0; at < documents.length; at += AT_ONCE) await Promise.all(documents.slice(at, at + AT_ONCE).map((one) => index.put(one)));
      done.add(id);
    } catch (error) {
      logger.error('a change was not indexed', { thing, error: error as Error });
      return { batchItemFailures: [{ itemIdentifier: record.dynamodb?.SequenceNumber ?? '' }] };
    }
  }
  return { batchItemFailures: [] };
};
