import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { SEARCH_ENV, SEARCH_KEYS, SearchDocument, SearchHit } from '../../lib/search/contract';
import { createDocumentClient, decodeCursor, encodeCursor, Item, Page, PageOptions } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { wordsOf } from './words';

/** Requests for one page of hits: a word that nearly everything has may need the next page for the rest. */
const MOST_REQUESTS = 3;
const BATCH = 25;
const DEFAULT_LIMIT = 20;

type WriteRequest = { PutRequest: { Item: Item } } | { DeleteRequest: { Key: Item } };

const entryKey = (document: SearchHit, word: string, weight: number): Item => ({
  pk: SEARCH_KEYS.word(word),
  sk: SEARCH_KEYS.entry(document, weight),
});
const documentKey = (document: SearchHit): Item => ({ pk: SEARCH_KEYS.document(document), sk: SEARCH_KEYS.documentSort });
const says = ({ title, detail, time, words }: SearchDocument): string => JSON.stringify([title, detail, time, Object.entries(words).sort()]);
const text = (key: Item): string => `${key.pk as string}\n${key.sk as string}`;

/** An inverted index: which things have a word, the best first. Derived from the stores, and made anew from them at any time. */
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
    const { Item: before } = await this.db.send(new GetCommand({ TableName: this.table, Key: documentKey(thing), ConsistentRead: true }));
    const old = before as SearchDocument | undefined;
    if (!again && old && (old.revision > thing.revision || says(old) === says(thing))) return;
    const document = again ? { ...thing, revision: Math.max(thing.revision, old?.revision ?? 0) } : thing;
    const { words, gone, kind, ref, title, detail, time } = document;
    const hit: SearchHit = { kind, ref, title, detail, time };
    const all = Object.keys(words);
    const puts = gone ? [] : Object.entries(words).map(([word, weight]) => ({ ...entryKey(document, word, weight), ...hit, weight, words: all }));
    const kept = new Set(puts.map(text));
    const stale = Object.entries(old?.words ?? {}).map(([word, weight]) => entryKey(old as SearchDocument, word, weight));
    await this.write([
      ...puts.map((item) => ({ PutRequest: { Item: item } })),
      ...stale.filter((key) => !kept.has(text(key))).map((Key) => ({ DeleteRequest: { Key } })),
    ]);
    // Last, so that a crash before leaves the old list of words: the next attempt removes what is stale.
    await this.remember(document);
  }

  /** Things that have every word of the query, the best first. */
  public async find(query: string, { limit = DEFAULT_LIMIT, cursor }: PageOptions = {}): Promise<Page<SearchHit>> {
    const words = [...wordsOf(query)].sort((a, b) => b.length - a.length);
    if (words.length === 0) throw new NamedError('SearchInvalid', `"${query}" holds no word: letters or digits are searched for`);
    const [longest, ...others] = words;
    const hits: SearchHit[] = [];
    let start = cursor === undefined ? undefined : decodeCursor(cursor);
    for (let requests = 0; requests < MOST_REQUESTS; requests += 1) {
      const answer = await this.db.send(
        new QueryCommand({
          TableName: this.table,
          KeyConditionExpression: 'pk = :pk',
          ...(others.length > 0 && { FilterExpression: others.map((_, at) => `contains(words, :w${at})`).join(' AND ') }),
          ExpressionAttributeValues: { ':pk': SEARCH_KEYS.word(longest), ...Object.fromEntries(others.map((word, at) => [`:w${at}`, word])) },
          ...(others.length === 0 && { Limit: limit - hits.length }),
          ExclusiveStartKey: start,
        }),
      );
      for (const item of answer.Items ?? []) {
        hits.push(toHit(item));
        if (hits.length === limit) {
          const isLast = answer.LastEvaluatedKey === undefined && item === answer.Items?.at(-1);
          return { items: hits, cursor: isLast ? undefined : encodeCursor({ pk: item.pk, sk: item.sk }) };
        }
      }
      start = answer.LastEvaluatedKey;
      if (!start) return { items: hits };
    }
    return { items: hits, cursor: start && encodeCursor(start) };
  }

  private async remember(document: SearchDocument): Promise<void> {
    try {
      await this.db.send(
        new PutCommand({
          TableName: this.table,
          Item: { ...documentKey(document), ...document, words: document.gone ? {} : document.words },
          ConditionExpression: 'attribute_not_exists(pk) OR revision <= :revision',
          ExpressionAttributeValues: { ':revision': document.revision },
        }),
      );
    } catch (error) {
      // A newer state came in meanwhile and knows the words of this one: they are removed with it or by the next rebuild.
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  private async write(requests: readonly WriteRequest[]): Promise<void> {
    for (let start = 0; start < requests.length; start += BATCH) {
      let left: WriteRequest[] | undefined = requests.slice(start, start + BATCH) as WriteRequest[];
      for (let attempt = 0; left && left.length > 0; attempt += 1) {
        if (attempt === 8)
          throw new NamedError('SearchThrottled', `${left.length} entries of the search index could not be written: the table is busy`);
        if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * 2 ** attempt));
        const answer: { UnprocessedItems?: Record<string, unknown> } = await this.db.send(
          new BatchWriteCommand({ RequestItems: { [this.table]: left } }),
        );
        left = answer.UnprocessedItems?.[this.table] as WriteRequest[] | undefined;
      }
    }
  }
}

const toHit = ({ kind, ref, title, detail, time }: Item): SearchHit => ({ kind, ref, title, detail, time }) as SearchHit;
