import { decodeCursor, encodeCursor, type Page, type PageOptions } from '../../../../../lambda/common/dynamo.client';
import type { ExperimentSource, LoggedModelSource, RegistrySource, RunSource } from '../../../../../lambda/tracking/mlflow/search';
import type { ModelVersion, RegisteredModel } from '../../../../../lib/registry/contract';
import type { Experiment, LoggedModel, Run } from '../../../../../lib/tracking/contract';

export interface Records {
  readonly experiments: readonly Experiment[];
  readonly runs: readonly Run[];
  readonly registeredModels: readonly RegisteredModel[];
  readonly modelVersions: readonly ModelVersion[];
  readonly loggedModels: readonly LoggedModel[];
}

const PAGE = 3;

function* pages<T>(records: readonly T[], size = PAGE): Generator<T[]> {
  for (let at = 0; at < records.length; at += size) yield records.slice(at, at + size);
}

const utf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export const newestFirst = (a: Run, b: Run): number => b.startTime - a.startTime || utf8(a.runId, b.runId);

/** Runs as their table gives them; the list may grow while it is read. */
export const runSource = (runs: readonly Run[], read: { pages: number } = { pages: 0 }): RunSource => ({
  getMany: async (ids) => runs.filter(({ runId }) => ids.includes(runId)),
  async *rows(experimentId, { startTime = {}, after, includeDeleted = false, pageSize } = {}) {
    const { from = -Infinity, to = Infinity } = startTime;
    const there = runs
      .filter((run) => run.experimentId === experimentId && run.startTime >= from && run.startTime <= to)
      .filter((run) => includeDeleted || run.lifecycleStage === 'active')
      .filter((run) => after === undefined || newestFirst(run, { ...run, ...after }) > 0)
      .sort(newestFirst);
    for (const page of pages(there, pageSize)) {
      read.pages++;
      yield page;
    }
  },
  async *rowsByTag(experimentId, tag, value, { after } = {}) {
    const there = runs
      .filter((run) => run.experimentId === experimentId && run.tags[tag] === value)
      .filter((run) => after === undefined || newestFirst(run, { ...run, ...after }) > 0)
      .sort(newestFirst);
    for (const page of pages(there)) {
      read.pages++;
      yield page;
    }
  },
});

export const experimentSource = (experiments: readonly Experiment[]): ExperimentSource => ({
  async *list() {
    yield* experiments;
  },
});

export const loggedModelSource = (models: readonly LoggedModel[]): LoggedModelSource => ({
  async *rows(experimentId) {
    yield* pages(models.filter((model) => model.experimentId === experimentId).sort((a, b) => b.createdAt - a.createdAt));
  },
});

type Key = Record<string, unknown>;

const page = <T>(records: readonly T[], keyOf: (record: T) => Key, isAfter: (record: T, cursor: Key) => boolean) => {
  return async ({ limit = 50, cursor }: PageOptions = {}): Promise<Page<T>> => {
    const rest = cursor === undefined ? records : records.filter((record) => isAfter(record, decodeCursor(cursor)));
    const size = Math.min(limit, PAGE);
    const items = rest.slice(0, size);
    return { items, cursor: rest.length > size ? encodeCursor(keyOf(items.at(-1)!)) : undefined };
  };
};

export const registrySource = ({ registeredModels, modelVersions }: Pick<Records, 'registeredModels' | 'modelVersions'>): RegistrySource => {
  const models = [...registeredModels].sort((a, b) => utf8(a.name, b.name));
  return {
    findModel: async (name) => models.find((model) => model.name === name),
    listModels: page(
      models,
      ({ name }) => ({ name }),
      (model, cursor) => utf8(model.name, cursor.name as string) > 0,
    ),
    listVersions: async (name, options) => {
      const versions = modelVersions.filter(({ model }) => model === name).sort((a, b) => b.version - a.version);
      return page<ModelVersion>(
        versions,
        ({ version }) => ({ version }),
        ({ version }, cursor) => version < (cursor.version as number),
      )(options);
    },
    versionsOfRun: async (id) => modelVersions.filter(({ runId }) => runId === id),
    byTag: async (key, value) => ({ items: modelVersions.filter(({ tags }) => tags[key] === value) }),
  };
};
