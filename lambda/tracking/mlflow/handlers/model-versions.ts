import type { ModelVersion } from '../../../../lib/registry/contract';
import { createLogger } from '../../../common/logger';
import { canonicalStage } from '../../../registry/names';
import { invalid } from '../errors';
import { asRecord, boolean, keyValues, optionalText, required, text } from '../fields';
import type { ApiRequest } from '../http';
import { aboutVersion, changeBy, checkRegistryTag, versionNumber } from '../registry-fields';
import { wireVersion } from '../registry-wire';
import type { Route } from '../router';
import { searchModelVersions } from '../search';
import type { Stores } from '../stores';
import { downloadUri, isPrompt, originOf } from '../version-source';
import { withoutEmpty } from '../wire';

const PREFIX = '/api/2.0/mlflow/model-versions';

const logger = createLogger('mlflow-api');

/** Tag of a logged model that lists the versions made of it. */
const VERSIONS_TAG = 'mlflow.modelVersions';

const create = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  const name = required(json, 'name');
  const source = required(json, 'source');
  const given = keyValues(json, 'tags');
  for (const { key, value } of given) checkRegistryTag(key, value);
  const tags = asRecord(given);
  const asked = { source, runId: optionalText(json, 'run_id') || undefined, modelId: optionalText(json, 'model_id') || undefined };
  const runLink = optionalText(json, 'run_link');
  const description = optionalText(json, 'description');
  const origin = await originOf(asked, tags, stores);
  const version = await stores.registry.createVersion(
    name,
    { source: origin.source, runId: origin.runId, loggedModelId: origin.modelId, runLink, description, tags },
    changeBy(request),
  );
  await remember(version, isPrompt(tags), stores);
  return { model_version: wireVersion(version) };
};

/**
 * Tells run and logged model what was made of them. The version stands already, and names both: were this call answered with an error, its client
 * would send it again and make a second one.
 */
const remember = async (version: ModelVersion, prompt: boolean, stores: Stores): Promise<void> => {
  const { model, version: number, runId } = version;
  const linked = runId ? stores.lineage.link({ kind: 'run', id: runId }, { kind: 'version', id: `${model}/${number}` }) : undefined;
  const done = await Promise.allSettled([linked, prompt ? undefined : tagLoggedModel(version, stores)]);
  for (const result of done) {
    if (result.status === 'fulfilled') continue;
    logger.warn('version not linked to its origin', { version: number, error: (result.reason as Error).name });
  }
};

const tagLoggedModel = async ({ model, version: number, loggedModelId }: ModelVersion, { loggedModels }: Stores): Promise<void> => {
  if (!loggedModelId) return;
  const { tags } = await loggedModels.get(loggedModelId);
  const known = listOf(tags[VERSIONS_TAG]);
  if (known.some((entry) => entry.name === model && entry.version === String(number))) return;
  await loggedModels.setTags(loggedModelId, { [VERSIONS_TAG]: JSON.stringify([...known, { name: model, version: String(number) }]) });
};

/** Anybody may write the tag: what is no list counts as an empty one. */
const listOf = (tag: string | undefined): { name?: unknown; version?: unknown }[] => {
  try {
    const list: unknown = JSON.parse(tag ?? '[]');
    return Array.isArray(list) ? (list as []) : [];
  } catch {
    return [];
  }
};

/** Reads name and version of a call and runs it. */
const about = async <T>(request: ApiRequest, action: (name: string, version: number) => Promise<T>): Promise<T> => {
  const name = required(request.json(), 'name');
  const version = versionNumber(request.json());
  return aboutVersion(name, version, () => action(name, version));
};

const get = (request: ApiRequest, { registry }: Stores): Promise<unknown> =>
  about(request, async (name, version) => ({ model_version: wireVersion(await registry.getVersion(name, version)) }));

const update = (request: ApiRequest, { registry }: Stores): Promise<unknown> =>
  about(request, async (name, version) => {
    const description = text(request.json(), 'description');
    return { model_version: wireVersion(await registry.updateVersion(name, version, { description }, changeBy(request))) };
  });

const remove = (request: ApiRequest, { registry }: Stores): Promise<unknown> =>
  about(request, async (name, version) => {
    await registry.deleteVersion(name, version, changeBy(request));
    return {};
  });

const transitionStage = (request: ApiRequest, { registry }: Stores): Promise<unknown> =>
  about(request, async (name, version) => {
    const asked = required(request.json(), 'stage');
    const stage = canonicalStage(asked);
    const archiveExisting = boolean(request.json(), 'archive_existing_versions');
    if (archiveExisting && stage !== 'Staging' && stage !== 'Production') {
      throw invalid(
        `Model version transition cannot archive existing model versions because '${asked}' is not an Active stage. Valid stages are ` +
          '(\'Staging\', \'Production\')',
      );
    }
    return { model_version: wireVersion(await registry.setStage(name, version, stage, archiveExisting, changeBy(request))) };
  });

const getDownloadUri = (request: ApiRequest, stores: Stores): Promise<unknown> =>
  about(request, async (name, version) => ({ artifact_uri: await downloadUri(await stores.registry.getVersion(name, version), stores) }));

const setTag = (request: ApiRequest, { registry }: Stores): Promise<unknown> =>
  about(request, async (name, version) => {
    const key = required(request.json(), 'key');
    const value = text(request.json(), 'value');
    checkRegistryTag(key, value);
    await registry.setVersionTag(name, version, key, value, changeBy(request));
    return {};
  });

const deleteTag = (request: ApiRequest, { registry }: Stores): Promise<unknown> =>
  about(request, async (name, version) => {
    const key = required(request.json(), 'key');
    checkRegistryTag(key);
    await registry.deleteVersionTag(name, version, key, changeBy(request));
    return {};
  });

const search = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const { versions, nextPageToken } = await searchModelVersions(request.json(), registry);
  return withoutEmpty({ model_versions: versions.map(wireVersion), next_page_token: nextPageToken });
};

export const modelVersionRoutes: readonly Route[] = [
  { method: 'POST', path: `${PREFIX}/create`, access: 'write', handle: create },
  { method: 'GET', path: `${PREFIX}/get`, access: 'read', handle: get },
  { method: 'PATCH', path: `${PREFIX}/update`, access: 'write', handle: update },
  { method: 'DELETE', path: `${PREFIX}/delete`, access: 'write', handle: remove },
  { method: 'GET', path: `${PREFIX}/search`, access: 'read', handle: search },
  { method: 'POST', path: `${PREFIX}/search`, access: 'read', handle: search },
  { method: 'POST', path: `${PREFIX}/transition-stage`, access: 'write', handle: transitionStage },
  { method: 'GET', path: `${PREFIX}/get-download-uri`, access: 'read', handle: getDownloadUri },
  { method: 'POST', path: `${PREFIX}/set-tag`, access: 'write', handle: setTag },
  { method: 'DELETE', path: `${PREFIX}/delete-tag`, access: 'write', handle: deleteTag },
];
