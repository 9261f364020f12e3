import { REGISTRY_ERRORS, type ModelVersion, type RegisteredModel } from '../../../../lib/registry/contract';
import { encodeCursor, type Page, type PageOptions } from '../../../common/dynamo.client';
import { isNamed } from '../errors';
import type { Json } from '../http';
import { parseModelFilter, parseVersionFilter } from './attribute-filter';
import { sortEntry, type SortKey } from './compare';
import { every, own, test } from './match';
import { parseModelOrder, parseVersionOrder } from './order-by';
import { collected, streamed, unordered, type Budget, type Wanted } from './page';
import { fingerprint, readToken, writeToken } from './page-token';
import { PROMPT_TAG, type Condition, type Value } from './query';
import { commonOf, modelsPerPage, versionsPerPage } from './request';

/** What a search reads the registry through. */
export interface RegistrySource {
  findModel(name: string): Promise<RegisteredModel | undefined>;
  listModels(page?: PageOptions): Promise<Page<RegisteredModel>>;
  listVersions(name: string, page?: PageOptions): Promise<Page<ModelVersion>>;
  versionsOfRun(runId: string): Promise<ModelVersion[]>;
  byTag(key: string, value: string, page?: PageOptions): Promise<Page<ModelVersion>>;
}

const PAGE = 500;
const MODEL_ADVICE = 'Only models by name can be read in parts: leave order_by out, or narrow the search by name = or IN.';
const VERSION_ADVICE = 'Narrow the search by name = or IN, by run_id = or IN, or by = on a tag.';

const at = (iso: string): number => Date.parse(iso);

const MODEL_ATTRIBUTES: Readonly<Record<string, (model: RegisteredModel) => Value>> = {
  name: (model) => model.name,
  last_updated_timestamp: (model) => at(model.updatedAt),
};

const VERSION_ATTRIBUTES: Readonly<Record<string, (version: ModelVersion) => Value>> = {
  name: (version) => version.model,
  version_number: (version) => version.version,
  run_id: (version) => version.runId ?? '',
  source_path: (version) => version.source,
  creation_timestamp: (version) => at(version.createdAt),
  last_updated_timestamp: (version) => at(version.updatedAt),
};

interface Tagged {
  readonly tags: Readonly<Record<string, string>>;
}

/** Prompts are models with a tag: they are found by filters that ask for that tag, and by no other ones. */
const asksForPrompts = (conditions: readonly Condition[]): boolean => {
  const asked = conditions.find(({ field }) => field.kind === 'tag' && field.key === PROMPT_TAG);
  const value = typeof asked?.value === 'string' ? asked.value.toLowerCase() : undefined;
  return (asked?.operator === '=' && value === 'true') || (asked?.operator === '!=' && value === 'false');
};

const matcher = <T extends Tagged>(
  conditions: readonly Condition[],
  attributes: Readonly<Record<string, (record: T) => Value>>,
): ((record: T) => boolean) => {
  const prompts = asksForPrompts(conditions);
  const asked = conditions.filter(({ field }) => prompts || field.kind !== 'tag' || field.key !== PROMPT_TAG);
  const tests = asked.map((condition) => {
    const { kind, key } = condition.field;
    const holds = test(condition);
    return kind === 'tag' ? (record: T) => holds(own(record.tags, key)) : (record: T) => holds(attributes[key](record));
  });
  return every(prompts ? tests : [(record: T) => own(record.tags, PROMPT_TAG) !== 'true', ...tests]);
};

/** Values of an attribute that the conditions leave, where they name any. */
const namedValues = (conditions: readonly Condition[], key: string): string[] | undefined => {
  let values: string[] | undefined;
  for (const { field, operator, value } of conditions) {
    if (field.kind !== 'attribute' || field.key !== key || (operator !== '=' && operator !== 'IN')) continue;
    const named = new Set(operator === '=' ? [value as string] : (value as readonly string[]));
    values = values === undefined ? [...named] : values.filter((name) => named.has(name));
  }
  return values;
};

async function* pagesOf<T>(ask: (page: PageOptions) => Promise<Page<T>>, start?: string): AsyncGenerator<readonly T[]> {
  let cursor = start;
  do {
    const page = await ask({ limit: PAGE, cursor });
    yield page.items;
    cursor = page.cursor;
  } while (cursor !== undefined);
}

async function* modelsNamed(registry: RegistrySource, names: readonly string[]): AsyncGenerator<readonly RegisteredModel[]> {
  for (const name of names) {
    const model = await registry.findModel(name);
    yield model === undefined ? [] : [model];
  }
}

/** Registered models: fields `filter`, `max_results`, `order_by`, `page_token` of MLflow's `registered-models/search`. */
export const searchRegisteredModels = async (
  json: Json,
  registry: Pick<RegistrySource, 'findModel' | 'listModels'>,
  budget?: Budget,
): Promise<{ models: RegisteredModel[]; nextPageToken?: string }> => {
  const { filter, orderBy, pageToken } = commonOf(json);
  const limit = modelsPerPage(json);
  const conditions = parseModelFilter(filter);
  const orders = parseModelOrder(orderBy);
  const print = fingerprint(['registered-models', filter, orderBy]);
  const after = readToken(pageToken, print, orders.length);
  const readers = orders.map(({ field }) => MODEL_ATTRIBUTES[field.key]);
  const wanted: Wanted<RegisteredModel> = {
    matches: matcher(conditions, MODEL_ATTRIBUTES),
    orders,
    keyOf: (model) => readers.map((read) => sortEntry(read(model))),
    limit,
    after,
    budget,
  };
  const names = namedValues(conditions, 'name');
  const isByName = orders.length === 1 && orders[0].ascending;
  const { records, next } = names
    ? await collected(modelsNamed(registry as RegistrySource, names), wanted, MODEL_ADVICE)
    : isByName
      ? await streamed(
          pagesOf((page) => registry.listModels(page), after && encodeCursor({ name: after[0][1] })),
          wanted,
        )
      : await collected(
          pagesOf((page) => registry.listModels(page)),
          wanted,
          MODEL_ADVICE,
        );
  return { models: records, nextPageToken: next && writeToken(print, next) };
};

/** A model that is not there, or no longer, has no versions. */
async function* versionsOf(registry: RegistrySource, name: string): AsyncGenerator<readonly ModelVersion[]> {
  try {
    yield* pagesOf((page) => registry.listVersions(name, page));
  } catch (error) {
    if (!isNamed(error, REGISTRY_ERRORS.notFound)) throw error;
  }
}

async function* versionsOfModels(registry: RegistrySource, names: AsyncIterable<readonly string[]>): AsyncGenerator<readonly ModelVersion[]> {
  for await (const batch of names) {
    yield* unordered(batch.map((name) => versionsOf(registry, name)));
  }
}

async function* allNames(registry: RegistrySource): AsyncGenerator<readonly string[]> {
  for await (const models of pagesOf((page) => registry.listModels(page))) {
    yield models.map(({ name }) => name);
  }
}

async function* versionsOfRuns(registry: RegistrySource, runIds: readonly string[]): AsyncGenerator<readonly ModelVersion[]> {
  for (const runId of runIds) {
    yield await registry.versionsOfRun(runId);
  }
}

/** What of the registry has to be read to answer the conditions. */
const candidates = (registry: RegistrySource, conditions: readonly Condition[]): AsyncGenerator<readonly ModelVersion[]> => {
  const names = namedValues(conditions, 'name');
  const runIds = namedValues(conditions, 'run_id');
  const tag = conditions.find(({ field, operator }) => field.kind === 'tag' && operator === '=' && field.key !== PROMPT_TAG);
  // Versions without a run are no run's versions.
  if (!names && runIds && !runIds.includes('')) {
    return versionsOfRuns(registry, runIds);
  }
  if (!names && tag) {
    return pagesOf((page) => registry.byTag(tag.field.key, tag.value as string, page));
  }
  return names ? unordered(names.map((name) => versionsOf(registry, name))) : versionsOfModels(registry, allNames(registry));
};

/** Model versions: fields `filter`, `max_results`, `order_by`, `page_token` of MLflow's `model-versions/search`. */
export const searchModelVersions = async (
  json: Json,
  registry: RegistrySource,
  budget?: Budget,
): Promise<{ versions: ModelVersion[]; nextPageToken?: string }> => {
  const { filter, orderBy, pageToken } = commonOf(json);
  const limit = versionsPerPage(json);
  const conditions = parseVersionFilter(filter);
  const orders = parseVersionOrder(orderBy);
  const print = fingerprint(['model-versions', filter, orderBy]);
  const readers = orders.map(({ field }) => VERSION_ATTRIBUTES[field.key]);
  const keyOf = (version: ModelVersion): SortKey => readers.map((read) => sortEntry(read(version)));
  const { records, next } = await collected(
    candidates(registry, conditions),
    { matches: matcher(conditions, VERSION_ATTRIBUTES), orders, keyOf, limit, after: readToken(pageToken, print, orders.length), budget },
    VERSION_ADVICE,
  );
  return { versions: records, nextPageToken: next && writeToken(print, next) };
};
