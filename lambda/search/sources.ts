import { REGISTRY_ERRORS, REGISTRY_KEYS } from '../../lib/registry/contract';
import { SearchDocument } from '../../lib/search/contract';
import { TRACKING_ERRORS, TRACKING_KEYS } from '../../lib/tracking/contract';
import { NamedError } from '../common/errors';
import { RegistryReader } from '../registry/registry-reader';
import { RegistryStore } from '../registry/registry-store.client';
import { ExperimentsClient } from '../tracking/experiments.client';
import { RunsClient } from '../tracking/runs.client';
import { experimentDocument, goneDocument, modelDocument, runDocuments, versionDocument } from './documents';

/** Where the words come from. */
export interface Sources {
  readonly store: RegistryStore;
  readonly registry: RegistryReader;
  readonly experiments: ExperimentsClient;
  readonly runs: RunsClient;
}

/** A thing of which something changed. */
export type Thing =
  | { readonly kind: 'model'; readonly modelId: string; readonly withVersions: boolean }
  | { readonly kind: 'version'; readonly modelId: string; readonly version: number }
  | { readonly kind: 'experiment'; readonly experimentId: string }
  | { readonly kind: 'run'; readonly runId: string; readonly revision: number };

type Key = Readonly<Record<string, { readonly S?: string; readonly N?: string } | undefined>>;

/** Which thing an item of the registry's or the runs' table tells of; undefined for items that hold no words. */
export const changedThing = (keys: Key, image: Key): Thing | undefined => {
  const [pk = '', sk = ''] = [keys.pk?.S, keys.sk?.S];
  const modelId = image.modelId?.S;
  if (pk === TRACKING_KEYS.experiments) return { kind: 'experiment', experimentId: sk };
  if (pk.startsWith(TRACKING_KEYS.experiment('')) && sk.startsWith(TRACKING_KEYS.runRowPrefix) && image.revision !== undefined) {
    return { kind: 'run', runId: sk.split('#').slice(2).join('#'), revision: Number(image.revision.N) };
  }
  if (modelId === undefined) return undefined;
  // Names change at `META`, and with them what every version is called.
  if (sk === REGISTRY_KEYS.meta) return { kind: 'model', modelId, withVersions: true };
  if (pk === REGISTRY_KEYS.models) return { kind: 'model', modelId, withVersions: false };
  if (sk.startsWith(REGISTRY_KEYS.versionPrefix)) return { kind: 'version', modelId, version: Number(sk.slice(REGISTRY_KEYS.versionPrefix.length)) };
  return undefined;
};

/** Undefined where there is no such thing (any more). */
const existing = async <T>(found: Promise<T>): Promise<T | undefined> => {
  try {
    return await found;
  } catch (error) {
    const gone: readonly string[] = [REGISTRY_ERRORS.notFound, TRACKING_ERRORS.notFound, TRACKING_ERRORS.experimentNotFound];
    if (error instanceof NamedError && gone.includes(error.name)) return undefined;
    throw error;
  }
};

const nameOf = async ({ store }: Sources, modelId: string): Promise<string | undefined> => {
  const meta = await store.meta(modelId);
  return meta === undefined || meta.deleted ? undefined : meta.name;
};

/** Read by the name that a model has now. A model that is renamed meanwhile is not gone: it is looked up once more. */
const named = async <T>(sources: Sources, modelId: string, read: (name: string) => Promise<T>): Promise<T | undefined> => {
  for (let name = await nameOf(sources, modelId), last: string | undefined; name !== undefined && name !== last; ) {
    const found = await existing(read(name));
    if (found !== undefined) return found;
    last = name;
    name = await nameOf(sources, modelId);
  }
  return undefined;
};

/** What the index is to say about a thing, as the thing is now. */
export const documentsOf = async (sources: Sources, thing: Thing): Promise<readonly SearchDocument[]> => {
  const { registry, experiments, runs } = sources;
  if (thing.kind === 'experiment') {
    const experiment = await existing(experiments.get(thing.experimentId));
    return experiment ? [experimentDocument(experiment)] : [];
  }
  if (thing.kind === 'run') {
    const run = await existing(runs.get(thing.runId));
    if (!run) return [];
    // A deleted experiment hides its runs, and shows them again when it is restored.
    const gone = run.lifecycleStage === 'deleted' && (await experiments.get(run.experimentId)).lifecycleStage === 'active';
    return runDocuments(run, thing.revision, gone);
  }
  if (thing.kind === 'version') {
    const version = await named(sources, thing.modelId, (name) => registry.getVersion(name, thing.version));
    return [version ? versionDocument(version) : goneVersion(thing.modelId, thing.version)];
  }
  const model = await named(sources, thing.modelId, (name) => registry.getModel(name));
  const documents = [model ? modelDocument(model) : goneDocument('model', thing.modelId, Date.now())];
  if (thing.withVersions) documents.push(...(await versionsOf(sources, thing.modelId, model?.name)));
  return documents;
};

const goneVersion = (modelId: string, version: number): SearchDocument => goneDocument('version', `${modelId}/${version}`, Date.now());

/** Versions under the name that their model has now; those that were deleted, alone or with it, are gone. */
const versionsOf = async ({ registry, store }: Sources, modelId: string, name: string | undefined): Promise<readonly SearchDocument[]> => {
  const documents: SearchDocument[] = [];
  for (let cursor: string | undefined, more = name !== undefined; name !== undefined && more; more = cursor !== undefined) {
    const page = await registry.listVersions(name, { cursor, limit: 100 });
    documents.push(...page.items.map(versionDocument));
    cursor = page.cursor;
  }
  for await (const { version, deleted } of store.versions(modelId)) {
    if (deleted || name === undefined) documents.push(goneVersion(modelId, version));
  }
  return documents;
};

/** Every thing that there is, and every model that there was: what a rebuild goes through. */
export async function* everyThing({ store, experiments, runs }: Sources): AsyncGenerator<Thing> {
  const names = { KeyConditionExpression: 'pk = :pk', ExpressionAttributeValues: { ':pk': REGISTRY_KEYS.models } };
  for await (const { modelId, formerIds } of store.query(names) as AsyncGenerator<{ modelId?: string; formerIds?: string[] }>) {
    for (const id of [modelId ?? [], formerIds ?? []].flat()) yield { kind: 'model', modelId: id, withVersions: true };
  }
  for await (const { experimentId } of experiments.list()) {
    yield { kind: 'experiment', experimentId };
    for await (const page of runs.rows(experimentId, { includeDeleted: true })) {
      for (const { runId } of page) yield { kind: 'run', runId, revision: 0 };
    }
  }
}
