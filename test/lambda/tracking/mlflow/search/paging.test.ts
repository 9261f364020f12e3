import fc from 'fast-check';
import { MlflowError } from '../../../../../lambda/tracking/mlflow/errors';
import {
  searchExperiments,
  searchLoggedModels,
  searchModelVersions,
  searchRegisteredModels,
  searchRuns,
  type RegistrySource,
} from '../../../../../lambda/tracking/mlflow/search';
import { REGISTRY_ERRORS, type ModelVersion, type RegisteredModel } from '../../../../../lib/registry/contract';
import type { Experiment, LoggedModel, Run } from '../../../../../lib/tracking/contract';
import { experimentSource, loggedModelSource, newestFirst, registrySource, runSource } from './sources';

const aRun = (id: number, changes: Partial<Run> = {}): Run => ({
  runId: String(id).padStart(32, '0'),
  experimentId: '1',
  name: `run-${id}`,
  userId: '',
  status: 'RUNNING',
  startTime: id,
  lifecycleStage: 'active',
  artifactUri: `s3://b/${id}`,
  params: {},
  tags: {},
  metrics: {},
  datasets: [],
  modelInputs: [],
  modelOutputs: [],
  ...changes,
});

const metric = (value: number) => ({ loss: { key: 'loss', value, timestamp: 0, step: 0 } });

const runs = fc
  .uniqueArray(
    fc.record({
      id: fc.nat(10_000),
      experimentId: fc.constantFrom('1', '2', '3'),
      startTime: fc.integer({ min: -3, max: 3 }),
      loss: fc.option(fc.oneof(fc.constantFrom(NaN, 0, -1, 1.5), fc.double()), { nil: undefined }),
      name: fc.constantFrom('a', 'b', '\u{10000}', '\uffee', ''),
      lr: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
      deleted: fc.boolean(),
    }),
    { selector: ({ id }) => id, maxLength: 40 },
  )
  .map((records) =>
    records.map(({ id, experimentId, startTime, loss, name, lr, deleted }) =>
      aRun(id, {
        experimentId,
        startTime,
        name,
        tags: { 'mlflow.runName': name },
        metrics: loss === undefined ? {} : metric(loss),
        params: lr === undefined ? {} : { lr },
        lifecycleStage: deleted ? 'deleted' : 'active',
      }),
    ),
  );

const pageThrough = async <T>(ask: (page: object) => Promise<{ records: readonly T[]; nextPageToken?: string }>, size: number): Promise<T[]> => {
  const all: T[] = [];
  let token: string | undefined;
  for (let pages = 0; pages < 1000; pages++) {
    const { records, nextPageToken } = await ask({ max_results: size, ...(token ? { page_token: token } : {}) });
    expect(records.length).toBeLessThanOrEqual(size);
    all.push(...records);
    token = nextPageToken;
    if (token === undefined) return all;
  }
  throw new Error('the pages do not end');
};

const idsOf = (found: readonly Run[]) => found.map(({ runId }) => runId);

const ORDERS = [
  [],
  ['start_time DESC'],
  ['start_time ASC'],
  ['metrics.loss DESC'],
  ['metrics.loss', 'run_name DESC'],
  ['params.lr'],
  ['run_name', 'params.lr DESC'],
  ['end_time', 'run_id DESC'],
];
const FILTERS = [
  ...['', 'metrics.loss > 0', 'start_time >= 0', "run_name = 'a'"],
  ...["tags.mlflow.runName = '\u{10000}'", "params.lr != ''", 'params.lr IS NULL'],
];

describe('paging through runs', () => {
  const ask = (there: readonly Run[], search: object) => async (page: object) => {
    const { runs: records, nextPageToken } = await searchRuns({ experiment_ids: ['1', '2'], ...search, ...page }, runSource(there));
    return { records, nextPageToken };
  };

  test('gives with any page size what one page gives', async () => {
    await fc.assert(
      fc.asyncProperty(
        runs,
        fc.integer({ min: 1, max: 7 }),
        fc.constantFrom(...ORDERS),
        fc.constantFrom(...FILTERS),
        fc.constantFrom('ACTIVE_ONLY', 'DELETED_ONLY', 'ALL'),
        async (there, size, order_by, filter, run_view_type) => {
          const search = ask(there, { order_by, filter, run_view_type });
          const [whole, parts] = [await pageThrough(search, 1000), await pageThrough(search, size)];
          expect(idsOf(parts)).toEqual(idsOf(whole));
        },
      ),
      { numRuns: 400 },
    );
  });

  const later = fc.infiniteStream(fc.integer({ min: -4, max: 4 }));

  test('in the default order gives each earlier run once, whatever is added meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.integer({ min: 1, max: 5 }), later, async (there, size, times) => {
        const growing = [...there];
        let added = 20_000;
        const all = await pageThrough(async (page) => {
          const found = await ask([...growing], { run_view_type: 'ALL' })(page);
          growing.push(aRun(added++, { startTime: times.next().value, experimentId: '1' }));
          return found;
        }, size);
        const before = there.filter(({ experimentId }) => experimentId !== '3').sort(newestFirst);
        const early = new Set(idsOf(before));
        expect(new Set(idsOf(all)).size).toBe(all.length);
        expect(idsOf(all.filter(({ runId }) => early.has(runId)))).toEqual(idsOf(before));
      }),
      { numRuns: 200 },
    );
  });

  test('a full last page of the default order ends the list', async () => {
    const there = [1, 2, 3, 4].map((id) => aRun(id));
    const first = await searchRuns({ experiment_ids: ['1'], max_results: 2 }, runSource(there));
    const second = await searchRuns({ experiment_ids: ['1'], max_results: 2, page_token: first.nextPageToken! }, runSource(there));
    expect([...first.runs, ...second.runs]).toEqual([...there].reverse());
    expect(second.nextPageToken).toBeUndefined();
  });

  test('a page of the default order reads one page of rows', async () => {
    const read = { pages: 0 };
    const there = Array.from({ length: 500 }, (_, id) => aRun(id));
    await searchRuns({ experiment_ids: ['1'], max_results: 100 }, runSource(there, read));
    expect(read.pages).toBe(1);
  });

  test('an indexed tag, a run id and a start time keep the search from reading the rest', async () => {
    const read = { pages: 0 };
    const there = Array.from({ length: 300 }, (_, id) => aRun(id, { tags: { 'mlflow.parentRunId': String(id % 100) } }));
    const count = async (filter: string, order_by: string[] = []) => {
      read.pages = 0;
      const { runs: found } = await searchRuns({ experiment_ids: ['1'], filter, order_by }, runSource(there, read));
      return [found.length, read.pages];
    };
    expect(await count("tags.mlflow.parentRunId = '7'")).toEqual([3, 1]);
    expect(await count("tags.mlflow.parentRunId = '7'", ['metrics.loss'])).toEqual([3, 1]);
    expect(await count(`run_id IN ('${there[5].runId}', 'none')`)).toEqual([1, 0]);
    expect(await count('start_time > 290.5 AND start_time <= 293')).toEqual([3, 1]);
    expect(await count('start_time > 5 AND start_time < 5')).toEqual([0, 0]);
  });
});

describe('page tokens', () => {
  const there = Array.from({ length: 10 }, (_, id) => aRun(id));
  const search = (json: object) => searchRuns({ experiment_ids: ['1'], max_results: 2, ...json }, runSource(there));

  test.each([
    ['of another filter', { filter: 'start_time < 5' }],
    ['of another order', { order_by: ['run_name'] }],
    ['of other experiments', { experiment_ids: ['1', '2'] }],
    ['of another view', { run_view_type: 'ALL' }],
  ])('%s are refused', async (_, change) => {
    const { nextPageToken } = await search({});
    await expect(search({ ...change, page_token: nextPageToken })).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
  });

  test('go with any page size', async () => {
    const { nextPageToken } = await search({});
    expect((await search({ page_token: nextPageToken, max_results: 5 })).runs).toHaveLength(5);
  });

  const GARBAGE = ['garbage', '!!!', 'e30=', 'bnVsbA==', 'W10=', '//4=', 'eyJvZmZzZXQiOiAzfQ==', 'Ä'];

  test.each(GARBAGE)('%s is refused', async (token) => {
    await expect(search({ page_token: token })).rejects.toMatchObject({ code: 'INVALID_PARAMETER_VALUE' });
  });

  test('changed ones are refused or followed, and never break the search', async () => {
    const { nextPageToken = '' } = await search({ order_by: ['params.lr'] });
    const token = JSON.parse(Buffer.from(nextPageToken, 'base64').toString()) as { query: string; last: unknown[] };
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), fc.jsonValue(), async (first, second) => {
        const page_token = Buffer.from(JSON.stringify({ ...token, last: [first, second, token.last[2]] })).toString('base64');
        try {
          await search({ order_by: ['params.lr'], page_token });
        } catch (error) {
          expect(error).toBeInstanceOf(MlflowError);
        }
      }),
    );
  });
});

describe('paging through the other entities gives what one page gives', () => {
  const tags = fc.constantFrom<Record<string, string>>({}, { k: 'v' }, { 'mlflow.prompt.is_prompt': 'true' });
  const size = fc.integer({ min: 1, max: 5 });

  test('experiments', async () => {
    const experiments = fc.uniqueArray(
      fc.record<Experiment>({
        experimentId: fc.nat(100_000).map(String),
        name: fc.string(),
        artifactLocation: fc.constant(''),
        lifecycleStage: fc.constantFrom('active', 'deleted'),
        creationTime: fc.nat(3),
        lastUpdateTime: fc.nat(3),
        tags,
      }),
      { selector: ({ experimentId }) => experimentId },
    );
    await fc.assert(
      fc.asyncProperty(experiments, size, fc.constantFrom([], ['name'], ['last_update_time DESC', 'name']), async (there, most, order_by) => {
        const ask = async (page: object) => {
          const { experiments: records, nextPageToken } = await searchExperiments({ order_by, ...page }, experimentSource(there));
          return { records, nextPageToken };
        };
        expect(await pageThrough(ask, most)).toEqual(await pageThrough(ask, 1000));
      }),
    );
  });

  test('registered models and their versions', async () => {
    const time = fc.nat(3).map((ms) => new Date(ms).toISOString());
    const models = fc.uniqueArray(
      fc.record({ name: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }), tags, updatedAt: time }),
      { selector: ({ name }) => name, maxLength: 15 },
    );
    const filters = fc.constantFrom('', "tags.k = 'v'", "name LIKE '%a%'", "tags.`mlflow.prompt.is_prompt` = 'true'");
    await fc.assert(
      fc.asyncProperty(models, size, fc.constantFrom([], ['name DESC'], ['timestamp']), filters, async (named, most, order_by, filter) => {
        const registeredModels = named.map(
          (model) => ({ ...model, modelId: 'm', createdAt: model.updatedAt }) as Partial<RegisteredModel> as RegisteredModel,
        );
        const modelVersions = registeredModels.flatMap(({ name, tags: own, updatedAt }, n) =>
          Array.from({ length: n % 4 }, (_, v) => {
            const version: Partial<ModelVersion> = { model: name, version: v + 1, source: '', tags: own, createdAt: updatedAt, updatedAt };
            return version as ModelVersion;
          }),
        );
        const registry = registrySource({ registeredModels, modelVersions });
        const ask = async (page: object) => {
          const { models: records, nextPageToken } = await searchRegisteredModels({ order_by, filter, ...page }, registry);
          return { records, nextPageToken };
        };
        const askVersions = async (page: object) => {
          const { versions: records, nextPageToken } = await searchModelVersions({ filter, ...page }, registry);
          return { records, nextPageToken };
        };
        expect(await pageThrough(ask, most)).toEqual(await pageThrough(ask, 1000));
        expect(await pageThrough(askVersions, most)).toEqual(await pageThrough(askVersions, 1000));
      }),
    );
  });

  test('logged models', async () => {
    const orders = fc.constantFrom([], [{ field_name: 'metrics.acc', ascending: false }], [{ field_name: 'name' }]);
    const models = fc.uniqueArray(
      fc.record({
        modelId: fc.nat(100_000).map((n) => `m-${n}`),
        name: fc.string(),
        createdAt: fc.nat(3),
        points: fc.array(fc.record({ value: fc.constantFrom(1, 2, NaN), timestamp: fc.nat(2) }), { maxLength: 2 }),
      }),
      { selector: ({ modelId }) => modelId },
    );
    await fc.assert(
      fc.asyncProperty(models, size, orders, async (made, most, order_by) => {
        const there = made.map(({ points, ...model }): LoggedModel => {
          const metrics = points.map((point, step) => ({ ...point, key: 'acc', step, runId: 'r' }));
          const rest = { updatedAt: 0, artifactUri: '', status: 'LOGGED_MODEL_READY' as const, tags: {}, params: {} };
          return { ...model, ...rest, experimentId: '1', metrics };
        });
        const ask = async (page: object) => {
          const { models: records, nextPageToken } = await searchLoggedModels({ experiment_ids: ['1'], order_by, ...page }, loggedModelSource(there));
          return { records, nextPageToken };
        };
        expect(await pageThrough(ask, most)).toEqual(await pageThrough(ask, 1000));
      }),
    );
  });
});

describe('model versions', () => {
  const version = (model: string, number: number, changes: Partial<ModelVersion> = {}): ModelVersion => {
    const made: Partial<ModelVersion> = { model, version: number, source: '', tags: {}, createdAt: '2026', updatedAt: '2026', ...changes };
    return made as ModelVersion;
  };
  const modelVersions = [version('a', 1, { runId: 'r1' }), version('a', 2, { tags: { k: 'v' } }), version('b', 1, { runId: 'r1' })];
  const registeredModels = ['a', 'b'].map((name) => ({ name, tags: {} }) as RegisteredModel);
  const registry = registrySource({ registeredModels, modelVersions });
  const search = async (filter: string, changes: Partial<RegistrySource> = {}) => {
    const { versions } = await searchModelVersions({ filter, order_by: ['name', 'version_number'] }, { ...registry, ...changes });
    return versions.map(({ model, version: number }) => `${model}/${number}`);
  };
  const never = async (): Promise<never> => {
    throw new Error('this would read what the filter leaves out');
  };

  test.each([
    ["name = 'a'", { listModels: never, versionsOfRun: never, byTag: never }, ['a/1', 'a/2']],
    ["name IN ('b', 'a') AND name != 'a'", { listModels: never }, ['b/1']],
    ["run_id = 'r1'", { listModels: never, listVersions: never }, ['a/1', 'b/1']],
    ["tags.k = 'v'", { listModels: never, listVersions: never }, ['a/2']],
    ["name = 'a' AND name = 'b'", { listModels: never, listVersions: never }, []],
    ["run_id = ''", {}, ['a/2']],
  ])('by %s are read without the others', async (filter, changes, expected) => {
    expect(await search(filter, changes)).toEqual(expected);
  });

  test('of a model that was deleted meanwhile are left out', async () => {
    const listVersions: RegistrySource['listVersions'] = async (name, page) => {
      if (name === 'a') throw Object.assign(new Error('no model'), { name: REGISTRY_ERRORS.notFound });
      return registry.listVersions(name, page);
    };
    expect(await search('', { listVersions })).toEqual(['b/1']);
  });

  test('are an error where the registry fails', async () => {
    await expect(search('', { listVersions: never })).rejects.toThrow('this would read');
  });
});

describe('budgets', () => {
  const there = Array.from({ length: 60 }, (_, id) => aRun(id, { params: { text: 'x'.repeat(1000) }, metrics: metric(-id) }));
  /** A clock on which each look takes that long. */
  const ticking = (step: number) => {
    let time = 0;
    return () => (time += step);
  };

  test('in the default order the end of the time gives a token, and following the tokens gives all', async () => {
    const found = await pageThrough(async (page) => {
      const { runs: records, nextPageToken } = await searchRuns({ experiment_ids: ['1'], filter: 'metrics.loss > -5', ...page }, runSource(there), {
        milliseconds: 25,
        now: ticking(10),
      });
      return { records, nextPageToken };
    }, 10);
    expect(idsOf(found)).toEqual(idsOf([4, 3, 2, 1, 0].map((id) => there[id])));
  });

  test('in another order the end of the time is an error that names what is indexed and that no client repeats', async () => {
    const search = searchRuns({ experiment_ids: ['1'], order_by: ['metrics.loss'] }, runSource(there), { milliseconds: 25, now: ticking(10) });
    await expect(search).rejects.toMatchObject({ status: 400, message: expect.stringMatching(/start_time.*run_id.*mlflow\.parentRunId/) as string });
  });

  test.each([[[]], [['metrics.loss']]])('a page in order %p ends before the answer is too large, and the rest follows', async (order_by) => {
    const ask = async (page: object) => {
      const { runs: records, nextPageToken } = await searchRuns({ experiment_ids: ['1'], order_by, ...page }, runSource(there), { bytes: 10_000 });
      return { records, nextPageToken };
    };
    const first = await ask({ max_results: 1000 });
    expect(first.records.length).toBeLessThan(9);
    expect(first.records.length).toBeGreaterThan(3);
    expect(idsOf(await pageThrough(ask, 1000))).toEqual(idsOf([...there].reverse()));
  });

  test('a record larger than a page is a page of its own', async () => {
    const ask = async (page: object) => {
      const json = { experiment_ids: ['1'], order_by: ['run_id'], ...page };
      const { runs: records, nextPageToken } = await searchRuns(json, runSource(there), { bytes: 10 });
      return { records, nextPageToken };
    };
    expect(idsOf(await pageThrough(ask, 1000))).toEqual(idsOf(there));
  });
});
