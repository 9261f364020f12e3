// Requests for one page of hits, and writes to the index for one change of a run, counted at the SDK's client on a table of the local engine.
import { onEngine } from './engine-tables.mjs';
import { line } from './line.mjs';

const RUNS = 2_000;
const AT_ONCE = 8;
const ENGINE = 'bench-search';

const WRITES = {
  PutItemCommand: () => 1,
  BatchWriteItemCommand: ({ RequestItems }) => Object.values(RequestItems).flat().length,
};

/** Counts requests and written items. */
const counting = (client) => {
  let sums = { requests: 0, itemsWritten: 0 };
  client.middlewareStack.add(
    (next, { commandName }) => async (args) => {
      sums.requests += 1;
      sums.itemsWritten += WRITES[commandName]?.(args.input) ?? 0;
      return next(args);
    },
    { step: 'initialize', name: 'counting', priority: 'high' },
  );
  return () => {
    const taken = sums;
    sums = { requests: 0, itemsWritten: 0 };
    return taken;
  };
};

/** A run as a team's own code logs it. */
const run = (id, changes = {}) => ({
  runId: id.toString(16).padStart(32, '0'),
  experimentId: String(id % 20),
  name: `calm-crow-${id}`,
  userId: ['ada', 'grace', 'lin'][id % 3],
  status: 'FINISHED',
  startTime: 1_760_000_000_000 + id * 1000,
  lifecycleStage: 'active',
  artifactUri: '',
  params: {},
  tags: { 'mlflow.user': 'ada', 'mlflow.source.name': '/home/ada/train.py', 'mlflow.source.type': 'LOCAL', stage: id % 100 === 0 ? 'prod' : 'dev' },
  metrics: {},
  datasets: [],
  modelInputs: [],
  modelOutputs: [],
  ...changes,
});

await onEngine(ENGINE, async ({ client, db, table, load }) => {
  const TableName = 'bench-search';
  await table(TableName);
  const take = counting(client);
  const { SearchIndex } = load('lambda/search/search-index.client.ts');
  const { runDocuments } = load('lambda/search/documents.ts');
  const index = new SearchIndex(TableName, db);
  const put = async (id, revision, changes) => {
    for (const document of runDocuments(run(id, changes), revision, false)) await index.put(document);
  };
  for (let start = 0; start < RUNS; start += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => put(start + at, 1)));

  const changes = {
    'a new run': [RUNS, {}],
    'another tag': [1, { tags: { ...run(1).tags, note: 'keeper' } }],
    'its end': [2, { status: 'FAILED' }],
    'nothing that has words': [3, {}],
  };
  for (const [change, [id, what]] of Object.entries(changes)) {
    take();
    await put(id, 2, what);
    const { requests, itemsWritten } = take();
    const most = change === 'nothing that has words' ? 1 : undefined;
    line('search index, requests for one changed run', requests, 'requests', most, { change, itemsWritten });
  }

  const searches = {
    'the name of one run': 'calm-crow-77',
    'one word of every run': 'crow',
    'two words, 1 run in 100 has both': 'crow prod',
    'no hit': 'nowhere',
  };
  for (const [search, words] of Object.entries(searches)) {
    take();
    const start = performance.now();
    const { items } = await index.find(words);
    const wallMs = Math.round(10 * (performance.now() - start)) / 10;
    line('search, requests for one page', take().requests, 'requests', 3, { search, runs: RUNS, hits: items.length, wallMs });
  }
});
