import path from 'node:path';
import { REGISTRY_ERRORS, ModelVersion, Stage } from '../../../lib/registry/contract';
import { TRACKING_ERRORS } from '../../../lib/tracking/contract';
import { canonicalStage } from '../../registry/names';
import { fullyDecoded, joined, keyOfRoot } from './artifact-paths';
import { invalid, isNamed, missing, MlflowError } from './errors';
import type { Stores } from './stores';

/** Where a version comes from: the place of its files, and the run and logged model that made them. */
export interface Origin {
  readonly source: string;
  readonly runId?: string;
  readonly modelId?: string;
}

/** Sources of prompts, which have no files. */
const PROMPT_SOURCES = new Set(['dummy-source', 'prompt-template']);

const schemeOf = (uri: string): string => /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1].toLowerCase() ?? '';

/** Path of a URI: without scheme, host, query and fragment. */
const pathOf = (uri: string): string => uri.replace(/^[A-Za-z][A-Za-z0-9+.-]*:/, '').replace(/^\/\/[^/?#]*/, '').replace(/[?#].*$/s, '');

const hostOf = (uri: string): string => /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1] ?? '';

const isLocal = (uri: string): boolean => schemeOf(uri) === '' || schemeOf(uri) === 'file';

const notContained = (source: string, parameter: 'run_id' | 'model_id'): MlflowError =>
  invalid(`Invalid model version source: '${source}'. The ${parameter} request parameter must identify the resource that contains the source.`);

const checkAbsolute = (source: string): void => {
  const plain = fullyDecoded(source).replaceAll('+', ' ');
  const place = pathOf(plain).replace(/\/+/g, '/').replace(/\/$/, '');
  const straight = path.posix.normalize(place === '' ? '/' : place);
  if (plain.includes('\0') || plain.split('/').includes('..') || (place !== '' && (!place.startsWith('/') || straight !== place))) {
    throw invalid(
      `Invalid model version source: '${source}'. If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts ` +
        'uri, an absolute path must be provided without relative path references present. Please provide an absolute path.',
    );
  }
};

type Kind = 'run' | 'model';

/** Where a run or logged model keeps its artifacts; undefined where there is none of that id. */
const rootOf = async (kind: Kind, id: string, { runs, loggedModels }: Stores): Promise<string | undefined> => {
  try {
    return (kind === 'run' ? await runs.get(id) : await loggedModels.get(id)).artifactUri;
  } catch (error) {
    if (isNamed(error, TRACKING_ERRORS.notFound) || isNamed(error, TRACKING_ERRORS.loggedModelNotFound)) return undefined;
    throw error;
  }
};

const partsOf = (uri: string): string[] => fullyDecoded(pathOf(uri)).split('/').filter((part) => part !== '');

const isWithin = (source: string, root: string): boolean => {
  const parts = partsOf(root);
  const same = schemeOf(source) === schemeOf(root) && hostOf(source).toLowerCase() === hostOf(root).toLowerCase();
  return same && parts.length > 0 && parts.every((part, index) => partsOf(source)[index] === part);
};

const checkLocal = async (source: string, kind: Kind, id: string | undefined, stores: Stores): Promise<void> => {
  const parameter = `${kind}_id` as const;
  const root = id ? await rootOf(kind, id, stores) : undefined;
  const file = (uri: string): string => path.posix.normalize(fullyDecoded(pathOf(uri)));
  if (root !== undefined && isLocal(root) && `${file(source)}/`.startsWith(`${file(root).replace(/\/$/, '')}/`)) return;
  throw invalid(
    `Invalid model version source: '${source}'. To use a local path as a model version source, the ${parameter} request parameter has to be ` +
      `specified and the local path has to be contained within the artifact directory of the run specified by the ${parameter}.`,
  );
};

const PROXY_PATH = 'api/2.0/mlflow-artifacts/artifacts';

/** Places behind the proxied scheme belong to whoever they were made for. */
const isProxied = (source: string): boolean =>
  schemeOf(source) === 'mlflow-artifacts' || (/^https?$/.test(schemeOf(source)) && partsOf(source).join('/').includes(PROXY_PATH));

const checkPlace = async (source: string, kind: Kind, id: string | undefined, stores: Stores): Promise<void> => {
  if (isLocal(source)) return checkLocal(source, kind, id, stores);
  checkAbsolute(source);
  const parameter = `${kind}_id` as const;
  const scheme = schemeOf(source);
  if (scheme === 'runs') {
    if (kind !== 'run' || hostOf(source) !== '' || id === undefined || partsOf(source)[0] !== id) throw notContained(source, parameter);
  }
  if (scheme === 'models' && loggedModelOf(source) !== undefined && (kind !== 'model' || loggedModelOf(source) !== id)) {
    throw notContained(source, 'model_id');
  }
  if (isProxied(source)) {
    const root = id ? await rootOf(kind, id, stores) : undefined;
    if (root === undefined || !isWithin(source, root)) throw notContained(source, parameter);
  }
};

interface ModelUri {
  readonly name: string;
  readonly version?: number;
  readonly alias?: string;
  readonly stage?: string;
  /** Whether the URI names a logged model instead. */
  readonly logged?: boolean;
}

const parseModelUri = (uri: string): ModelUri => {
  const parts = pathOf(uri).replace(/^\/+/, '').split('/');
  const [name = '', suffix] = parts;
  if (!/^models:\//i.test(uri) || hostOf(uri) !== '' || parts.length > 2 || name.trim() === '' || suffix?.trim() === '') {
    throw notContained(uri, 'model_id');
  }
  if (suffix !== undefined) {
    if (/^\d+$/.test(suffix)) return { name, version: Number(suffix) };
    return suffix.toLowerCase() === 'latest' ? { name } : { name, stage: suffix };
  }
  const at = name.lastIndexOf('@');
  return at < 0 ? { name, logged: true } : { name: name.slice(0, at), alias: name.slice(at + 1) };
};

/** Id in `models:/m-…`. */
const loggedModelOf = (uri: string): string | undefined => {
  const { name, logged } = parseModelUri(uri);
  return logged ? name : undefined;
};

const versionOf = async ({ name, version, alias, stage }: ModelUri, { registry }: Stores): Promise<ModelVersion> => {
  if (version !== undefined) return registry.getVersion(name, version);
  if (alias !== undefined) return registry.getByAlias(name, alias);
  const stages: Stage[] | undefined = stage === undefined ? undefined : [canonicalStage(stage)];
  const newest = (await registry.latestVersions(name, stages)).sort((a, b) => b.version - a.version)[0];
  if (!newest) throw missing(`No versions of model with name '${name}'${stage === undefined ? '' : ` and stage '${stage}'`} found`);
  return newest;
};

const PROMPT_TAG = 'mlflow.prompt.is_prompt';

export const isPrompt = (tags: Readonly<Record<string, string>>): boolean => tags[PROMPT_TAG]?.toLowerCase() === 'true';

/** Another version as source: its number is fixed now, its run and logged model come along. */
const originOfVersion = async (asked: Origin, uri: ModelUri, stores: Stores): Promise<Origin> => {
  if (isPrompt((await stores.registry.getModel(uri.name)).tags)) {
    throw invalid(`Invalid model version source: '${asked.source}'. Prompt versions cannot be used as model version sources.`);
  }
  const found = await versionOf(uri, stores);
  const differs = (one: string | undefined, other: string | undefined): boolean => one !== undefined && one !== (other ?? '');
  if (differs(asked.runId, found.runId) || differs(asked.modelId, found.loggedModelId)) {
    throw invalid(
      `Invalid model version source: '${asked.source}'. The run_id and model_id request parameters must match the referenced model version.`,
    );
  }
  return { source: `models:/${found.model}/${found.version}`, runId: found.runId, modelId: found.loggedModelId };
};

/** What is recorded as the origin of a new version; refuses sources that are not the caller's to name. */
export const originOf = async (asked: Origin, tags: Readonly<Record<string, string>>, stores: Stores): Promise<Origin> => {
  const { source } = asked;
  if (isPrompt(tags)) {
    if (PROMPT_SOURCES.has(source)) return asked;
    throw invalid(`Invalid prompt source: '${source}'. Prompt sources must use an MLflow placeholder.`);
  }
  if (schemeOf(source) === 'models') {
    if (hostOf(source) !== '') {
      throw invalid(`Invalid model version source: '${source}'. Registered model sources must use the active model registry.`);
    }
    const uri = parseModelUri(source);
    if (!uri.logged) return originOfVersion(asked, uri, stores);
  }
  await checkPlace(source, asked.modelId ? 'model' : 'run', asked.modelId || asked.runId || undefined, stores);
  if (!asked.modelId) return asked;
  const model = await stores.loggedModels.get(asked.modelId).catch((error: unknown) => {
    if (!isNamed(error, TRACKING_ERRORS.loggedModelNotFound)) throw error;
    throw missing(`Unable to fetch model from model URI source artifact location '${source}'. Error: ${(error as Error).message}`);
  });
  return { ...asked, runId: asked.runId || model.sourceRunId };
};

/** Longest chain of versions that name one another as their source. */
const MOST_HOPS = 10;

/** Where the files of a version are, for clients to read: the logged model's or other version's place where the source names one. */
export const downloadUri = async ({ source, model, version }: ModelVersion, stores: Stores): Promise<string> => {
  let place = source;
  for (let hops = 0; schemeOf(place) === 'models'; hops += 1) {
    if (hops === MOST_HOPS) throw invalid(`The source of ${model} v${version} leads over more than ${MOST_HOPS} other versions.`);
    const uri = parseModelUri(place);
    try {
      place = uri.logged ? (await stores.loggedModels.get(uri.name)).artifactUri : (await versionOf(uri, stores)).source;
    } catch (error) {
      if (!isNamed(error, TRACKING_ERRORS.loggedModelNotFound) && !isNamed(error, REGISTRY_ERRORS.notFound)) throw error;
      throw missing(`The files of ${model} v${version} are gone: its source ${place} was deleted.`);
    }
  }
  return place;
};

/** Key below which the files of a version stand in the platform's own bucket. */
export const artifactRootOfVersion = async (version: ModelVersion, stores: Stores): Promise<string> => {
  const place = await downloadUri(version, stores);
  if (schemeOf(place) === 'runs') {
    const [runId, ...rest] = partsOf(place);
    const run = await stores.runs.get(runId);
    return joined(keyOfRoot(run.artifactUri, stores.artifactsBucket, run.pipeline !== undefined), rest.join('/'));
  }
  return keyOfRoot(place, stores.artifactsBucket, version.unpacked?.uri === place);
};
