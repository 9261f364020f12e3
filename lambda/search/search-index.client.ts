import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, BatchWriteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { SEARCH_ENV, SEARCH_KEYS, SearchDocument, SearchHit } from '../../lib/search/contract';
import { createDocumentClient, decodeCursor, encodeCursor, Item, Page, PageOptions } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { queryWords } from './words';

/** Queries for one page of hits: of words that nearly everything has the next page may bring the rest. */
const MOST_QUERIES = 2;
const BATCH = 25;
const DEFAULT_LIMIT = 20;
/** Hits of one page: their documents and their experiments' are read in one request, which takes 100 keys. */
export const MOST_HITS = 50;
const ATTEMPTS = 8;

type WriteRequest = { PutRequest: { Item: Item } } | { DeleteRequest: { Key: Item } };
type Keyed = Pick<SearchHit, 'kind' | 'ref'>;

const entryKey = (document: SearchHit, word: string, weight: number): Item => ({
  pk: SEARCH_KEYS.word(word),
  sk: SEARCH_KEYS.entry(document, weight),
});
const documentKey = (document: Keyed): Item => ({ pk: SEARCH_KEYS.document(document), sk: SEARCH_KEYS.documentSort });
const says = ({ title, detail, time, gone, words }: SearchDocument): string =>
  JSON.stringify([title, detail, time, gone, Object.entries(words).sort()]);
const places = ({ time, words }: SearchDocument): string => JSON.stringify([time, Object.entries(words).sort()]);
const text = (key: Item): string => `${key.pk as string}\n${key.sk as string}`;
const keysOf = (document: SearchDocument | undefined): Item[] =>
  Object.entries(document?.words ?? {}).map(([word, weight]) => entryKey(document as SearchDocument, word, weight));
const without = (keys: readonly Item[], kept: readonly Item[]): WriteRequest[] => {
  const names = new Set(kept.map(text));
  return keys.filter((key) => !names.has(text(key))).map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } }));
};
const pause = (attempt: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * 2 ** attempt));
const busy = (what: string): NamedError => new NamedError('SearchThrottled', `${what} of the search index: its table is busy`);
const invalid = (message: string): NamedError => new NamedError('SearchInvalid', message);

/**
 * An inverted index: which things have a word, the best first. Derived from the stores, and made anew from them at any time. What the document of a
 * thing does not say, no entry says: one that was left behind finds nothing.
 */
export class SearchIndex {
  constructor(
    private readonly table: string = requireEnv(SEARCH_ENV.indexTable),
    private readonly db: DynamoDBDocumentClient = createDocumentClient(),
  ) {}

  /**
   * Brings the index to what a thing is now. An older state than the one that is indexed changes nothing.
   *
   * @param again whether everything is written even if the index seems to say it already: entries that were lost come back
   */
  public async put(thing: SearchDocument, again = false): Promise<void> {
    const now: SearchDocument = thing.gone ? { ...thing, words: {} } : thing;
    const old = await this.document(now);
    if (!again && old && (old.revision > now.revision || says(old) === says(now))) return;
    const document = again ? { ...now, revision: Math.max(now.revision, old?.revision ?? now.revision) } : now;
    const { words } = document;
    const { kind, ref, experimentId } = document;
    const all = Object.keys(words);
    const about = { kind, ref, experimentId, words: all };
    const puts: Item[] = Object.entries(words).map(([word, weight]) => ({ ...entryKey(document, word, weight), ...about }));
    // A run that ends has the words that it had: its document alone tells the new state.
    const asBefore = !again && old !== undefined && places(old) === places(document);
    if (!asBefore) await this.write([...puts.map((item) => ({ PutRequest: { Item: item } })), ...without(keysOf(old), puts)]);
    // Last, so that a crash before leaves the old list of words: the next attempt removes what is stale.
    if ((await this.remember(document)) || asBefore) return;
    // A newer state came in meanwhile and does not know what was written here.
    await this.write(without(puts, keysOf(await this.document(document))));
  }

  /** Things that have every word of the query, the best first, at most MOST_HITS of them; three requests at most. */
  public async find(query: string, { limit = DEFAULT_LIMIT, cursor }: PageOptions = {}): Promise<Page<SearchHit>> {
    const words = [...queryWords(query)].sort((a, b) => b.length - a.length);
    if (words.length === 0) throw invalid(`"${query}" holds no word: letters or digits are searched for`);
    const [longest, ...others] = words;
    const pk = SEARCH_KEYS.word(longest);
    const most = Math.min(limit, MOST_HITS);
    const found: Item[] = [];
    let start = cursor === undefined ? undefined : decodeCursor(cursor);
    if (start && (start.pk !== pk || typeof start.sk !== 'string'))
      throw invalid(`'${cursor}' is no cursor of this search: search on with the same words`);
    for (let queries = 0; queries < MOST_QUERIES; queries += 1) {
      const answer = await this.db.send(
        new QueryCommand({
          TableName: this.table,
          KeyConditionExpression: 'pk = :pk',
          ...(others.length > 0 && { FilterExpression: others.map((_, at) => `contains(words, :w${at})`).join(' AND ') }),
          ExpressionAttributeValues: { ':pk': pk, ...Object.fromEntries(others.map((word, at) => [`:w${at}`, word])) },
          ...(others.length === 0 && { Limit: most - found.length }),
          ExclusiveStartKey: start,
        }),
      );
      const items = answer.Items ?? [];
      const taken = items.slice(0, most - found.length);
      found.push(...taken);
      start = answer.LastEvaluatedKey;
      if (taken.length < items.length) start = { pk, sk: taken.at(-1)!.sk };
      if (!start || found.length === most) break;
    }
    return { items: await this.standing(longest, found), cursor: start && encodeCursor(start) };
  }

  /** Things of entries that the documents confirm, and whose experiments are not deleted. */
  private async standing(word: string, entries: readonly Item[]): Promise<readonly SearchHit[]> {
    const named = entries as unknown as readonly (Keyed & Pick<SearchHit, 'experimentId'> & { readonly sk: string })[];
    const experiments = named.flatMap(({ experimentId }): Keyed[] => (experimentId === undefined ? [] : [{ kind: 'experiment', ref: experimentId }]));
    const documents = await this.documents([...named, ...experiments]);
    return named.flatMap((entry) => {
      const document = documents.get(SEARCH_KEYS.document(entry));
      if (!document || document.gone || entry.sk !== SEARCH_KEYS.entry(document, document.words[word] ?? 0)) return [];
      const { experimentId } = document;
      const isHidden = experimentId !== undefined && documents.get(SEARCH_KEYS.document({ kind: 'experiment', ref: experimentId }))?.gone;
      return isHidden ? [] : [toHit(document)];
    });
  }

  private async document(thing: Keyed): Promise<SearchDocument | undefined> {
    return (await this.db.send(new GetCommand({ TableName: this.table, Key: documentKey(thing), ConsistentRead: true }))).Item as
      | SearchDocument
      | undefined;
  }

  private async documents(things: readonly Keyed[]): Promise<ReadonlyMap<string, SearchDocument>> {
    const found = new Map<string, SearchDocument>();
    let left: Item[] | undefined = [...new Map(things.map(documentKey).map((key) => [text(key), key])).values()];
    for (let attempt = 0; left && left.length > 0; attempt += 1) {
      if (attempt === ATTEMPTS) throw busy(`${left.length} documents could not be read`);
      if (attempt > 0) await pause(attempt);
      const answer: { Responses?: Record<string, Item[]>; UnprocessedKeys?: Record<string, { Keys?: Item[] }> } = await this.db.send(
        new BatchGetCommand({ RequestItems: { [this.table]: { Keys: left } } }),
      );
      for (const item of answer.Responses?.[this.table] ?? []) found.set(item.pk as string, item as unknown as SearchDocument);
      left = answer.UnprocessedKeys?.[this.table]?.Keys;
    }
    return found;
  }

  /** False where the index knows a newer state. */
  private async remember(document: SearchDocument): Promise<boolean> {
    try {
      await this.db.send(
        new PutCommand({
          TableName: this.table,
          Item: { ...documentKey(document), ...document },
          ConditionExpression: 'attribute_not_exists(pk) OR revision <= :revision',
          ExpressionAttributeValues: { ':revision': document.revision },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  private async write(requests: readonly WriteRequest[]): Promise<void> {
    for (let start = 0; start < requests.length; start += BATCH) {
      let left: WriteRequest[] | undefined = requests.slice(start, start + BATCH) as WriteRequest[];
      for (let attempt = 0; left && left.length > 0; attempt += 1) {
        if (attempt === ATTEMPTS) throw busy(`${left.length} entries could not be written`);
        if (attempt > 0) await pause(attempt);
        const answer: { UnprocessedItems?: Record<string, unknown> } = await this.db.send(
          new BatchWriteCommand({ RequestItems: { [this.table]: left } }),
        );
        left = answer.UnprocessedItems?.[this.table] as WriteRequest[] | undefined;
      }
    }
  }
}

const toHit = ({ kind, ref, title, detail, time, experimentId }: SearchDocument): SearchHit =>
  ({ kind, ref, title, detail, time, ...(experimentId !== undefined && { experimentId }) });
