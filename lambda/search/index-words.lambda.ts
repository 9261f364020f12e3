import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda';
import { REGISTRY_ENV } from '../../lib/registry/contract';
import { createDocumentClient } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { createLogger } from '../common/logger';
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

const NO_WORDS = new Set(['revision', 'metrics', 'updatedAt', 'lastUpdateTime', 'historySequence', 'historyHash', 'historyAt']);

type Image = Record<string, AttributeValue> | undefined;

const wordsPart = (image: Image): string =>
  JSON.stringify(
    Object.entries(image ?? {})
      .filter(([name]) => !NO_WORDS.has(name))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );

/** A run that logs metrics changes with every point, and none of its words. */
const changesWords = ({ dynamodb }: DynamoDBRecord): boolean => wordsPart(dynamodb?.OldImage as Image) !== wordsPart(dynamodb?.NewImage as Image);

/**
 * Follows the changes of registry and runs. Each thing is read as it is now, so that a change which arrives late or twice does no harm. The first
 * change that fails is given back, with all that follow: they come again.
 */
export const handler = async (event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> => {
  const done = new Set<string>();
  for (const record of event.Records) {
    const thing = changesWords(record) ? changedThing(record.dynamodb?.Keys ?? {}, record.dynamodb?.NewImage ?? {}) : undefined;
    const id = JSON.stringify(thing);
    if (!thing || done.has(id)) continue;
    try {
      for (const document of await documentsOf(sources, thing)) await index.put(document);
      done.add(id);
    } catch (error) {
      logger.error('a change was not indexed', { thing, error: error as Error });
      return { batchItemFailures: [{ itemIdentifier: record.dynamodb?.SequenceNumber ?? '' }] };
    }
  }
  return { batchItemFailures: [] };
};
