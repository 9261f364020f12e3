import { SearchIndex } from '../../../lambda/search/search-index.client';
import { weigh, WEIGHTS, wordsOf } from '../../../lambda/search/words';
import { SearchDocument } from '../../../lib/search/contract';
import { MemoryDynamo } from '../../fakes/memory-dynamo';

let index: SearchIndex;

beforeEach(() => {
  const dynamo = new MemoryDynamo();
  index = new SearchIndex('words', dynamo.client());
});

const thing = (ref: string, title: string, texts: Parameters<typeof weigh>[0] = [], more: Partial<SearchDocument> = {}): SearchDocument => ({
  kind: 'model',
  ref,
  title,
  detail: '',
  time: 1_000,
  revision: 1,
  gone: false,
  words: weigh([[WEIGHTS.name, title], ...texts]),
  ...more,
});

const found = async (query: string) => (await index.find(query)).items.map(({ ref }) => ref);

test('words are found whatever their case, accents and joints', () => {
  expect(wordsOf('Bike-Sharing_2.0 Grüße getMetricHistory')).toEqual(
    expect.arrayContaining(['bike-sharing_2.0', 'bike', 'sharing', '2', '0', 'gruße', 'getmetrichistory', 'get', 'metric', 'history']),
  );
});

test('joined names are found by any of their parts, whole names whatever their case', async () => {
  await index.put(thing('run', 'calm-crow-77'));
  await index.put(thing('model', 'BikeDemand'));
  for (const query of ['crow-77', 'calm-crow-77', 'CALM']) expect(await found(query)).toEqual(['run']);
  for (const query of ['BikeDemand', 'bikedemand', 'bike demand']) expect(await found(query)).toEqual(['model']);
});

test('what a thing is called counts more than what is said about it, then the newest comes first', async () => {
  await index.put(thing('said', 'other', [[WEIGHTS.text, 'about demand']], { time: 9_000 }));
  await index.put(thing('old', 'demand'));
  await index.put(thing('new', 'demand', [], { time: 2_000 }));
  expect(await found('demand')).toEqual(['new', 'old', 'said']);
});

test('every word of the query must be there', async () => {
  await index.put(thing('a', 'bike demand'));
  await index.put(thing('b', 'bike supply'));
  expect(await found('demand bike')).toEqual(['a']);
  expect(await found('demand supply')).toEqual([]);
});

test('a changed thing is found by its new words alone, a gone one by none', async () => {
  await index.put(thing('a', 'bike', [[WEIGHTS.owner, 'ada']]));
  await index.put(thing('a', 'bike', [[WEIGHTS.owner, 'grace']], { revision: 2 }));
  expect(await found('ada')).toEqual([]);
  expect(await found('grace')).toEqual(['a']);
  await index.put(thing('a', 'bike', [], { revision: 3, gone: true }));
  expect(await found('bike')).toEqual([]);
});

test('an older state that arrives late changes nothing', async () => {
  await index.put(thing('a', 'new', [], { revision: 5 }));
  await index.put(thing('a', 'old', [], { revision: 4 }));
  expect(await found('new')).toEqual(['a']);
  expect(await found('old')).toEqual([]);
});

test('pages follow each other without gaps or doubles', async () => {
  for (let at = 0; at < 7; at += 1) await index.put(thing(`m${at}`, 'bike', [], { time: at }));
  const seen: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await index.find('bike', { limit: 3, cursor });
    seen.push(...page.items.map(({ ref }) => ref));
    cursor = page.cursor;
  } while (cursor);
  expect(seen).toEqual(['m6', 'm5', 'm4', 'm3', 'm2', 'm1', 'm0']);
});

test('a query without a word is refused', async () => {
  await expect(index.find(' -- ')).rejects.toThrow('holds no word');
});
