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

/** What the index is to say about a thing, as the thing is now. */
export const documentsOf = async (sources: Sources, thing: Thing): Promise<readonly SearchDocument[]> => {
  const { registry, experiments, runs } = sources;
  if (thing.kind === 'experiment') {
    const experiment = await existing(experiments.get(thing.experimentId));
    return experiment ? [experimentDocument(experiment)] : [];
  }
  if (thing.kind === 'run') {
    const run = await existing(runs.get(thing.runId));
    return run ? runDocuments(run, thing.revision) : [];
  }
  const name = await nameOf(sources, thing.modelId);
  if (thing.kind === 'version') {
    const version = name === undefined ? undefined : await existing(registry.getVersion(name, thing.version));
    return [version ? versionDocument(version) : goneDocument('version', `${thing.modelId}/${thing.version}`, Date.now())];
  }
  const model = name === undefined ? undefined : await existing(registry.getModel(name));
  if (!model) return [goneDocument('model', thing.modelId, Date.now())];
  const documents = [modelDocument(model)];
  if (!thing.withVersions) return documents;
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await registry.listVersions(model.name, { cursor, limit: 100 });
    documents.push(...page.items.map(versionDocument));
    cursor = page.cursor;
  }
  return documents;
};

/** Every thing that there is: what a rebuild goes through. */
export async function* everyThing({ registry, experiments, runs }: Sources): AsyncGenerator<Thing> {
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await registry.listModels({ cursor, limit: 100 });
    for (const { modelId } of page.items) yield { kind: 'model', modelId, withVersions: true };
    cursor = page.cursor;
  }
  for await (const { experimentId } of experiments.list()) {
    yield { kind: 'experiment', experimentId };
    for await (const page of runs.rows(experimentId, { includeDeleted: true })) {
      for (const { runId } of page) yield { kind: 'run', runId, revision: 0 };
    }
  }
}
