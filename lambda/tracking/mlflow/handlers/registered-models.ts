import { REGISTRY_ERRORS, RegisteredModel, Stage } from '../../../../lib/registry/contract';
import { canonicalStage } from '../../../registry/names';
import { isNamed, missing, MlflowError } from '../errors';
import { asRecord, keyValues, optionalText, required, text, texts } from '../fields';
import type { ApiRequest } from '../http';
import { changeBy, checkRegistryTag, versionNumber } from '../registry-fields';
import { wireLatest, wireModel, wireVersion } from '../registry-wire';
import type { Route } from '../router';
import { searchRegisteredModels } from '../search';
import type { Stores } from '../stores';
import { isPrompt } from '../version-source';
import { withoutEmpty } from '../wire';

const PREFIX = '/api/2.0/mlflow/registered-models';

/** The model with the newest version of each stage, as the protocol shows it everywhere. */
const wired = async (model: RegisteredModel, { registry }: Stores): Promise<unknown> =>
  wireModel(model, (await registry.latestOf([model])).get(model.modelId) ?? []);

const create = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  const name = required(json, 'name');
  const given = keyValues(json, 'tags');
  for (const { key, value } of given) checkRegistryTag(key, value);
  const tags = asRecord(given);
  try {
    const model = await stores.registry.createModel({ name, description: optionalText(json, 'description'), tags }, changeBy(request));
    return { registered_model: await wired(model, stores) };
  } catch (error) {
    if (!isNamed(error, REGISTRY_ERRORS.exists)) throw error;
    throw await taken(name, isPrompt(tags), stores, error);
  }
};

/** Models and prompts share their names; the client tells a prompt's author which of the two has it. */
const taken = async (name: string, wantsPrompt: boolean, { registry }: Stores, cause: unknown): Promise<MlflowError> => {
  const model = await registry.findModel(name);
  const kind = (prompt: boolean): string => (prompt ? 'Prompt' : 'Registered Model');
  const isTakenByPrompt = model !== undefined && isPrompt(model.tags);
  const message =
    isTakenByPrompt === wantsPrompt
      ? `${kind(wantsPrompt)} (name=${name}) already exists.`
      : `Tried to create a ${kind(wantsPrompt).toLowerCase()} with name '${name}', but the name is already taken by a ` +
        `${kind(isTakenByPrompt).toLowerCase()}. MLflow does not allow creating a model and a prompt with the same name.`;
  return new MlflowError('RESOURCE_ALREADY_EXISTS', message, { cause });
};

const get = async (request: ApiRequest, stores: Stores): Promise<unknown> => ({
  registered_model: await wired(await stores.registry.getModel(required(request.json(), 'name')), stores),
});

const update = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  const model = await stores.registry.updateModel(required(json, 'name'), { description: text(json, 'description') }, changeBy(request));
  return { registered_model: await wired(model, stores) };
};

const rename = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const json = request.json();
  const model = await stores.registry.renameModel(required(json, 'name'), required(json, 'new_name'), changeBy(request));
  return { registered_model: await wired(model, stores) };
};

const remove = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  await registry.deleteModel(required(request.json(), 'name'), changeBy(request));
  return {};
};

const search = async (request: ApiRequest, stores: Stores): Promise<unknown> => {
  const { models, nextPageToken } = await searchRegisteredModels(request.json(), stores.registry);
  const latest = await stores.registry.latestOf(models);
  return withoutEmpty({
    registered_models: models.map((model) => wireModel(model, latest.get(model.modelId) ?? [])),
    next_page_token: nextPageToken,
  });
};

const latestVersions = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const json = request.json();
  const name = required(json, 'name');
  const stages: Stage[] = texts(json, 'stages', request.method === 'GET').map(canonicalStage);
  const versions = await registry.latestVersions(name, stages.length > 0 ? [...new Set(stages)] : undefined);
  return withoutEmpty({ model_versions: wireLatest(versions) });
};

const setTag = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const json = request.json();
  const name = required(json, 'name');
  const key = required(json, 'key');
  const value = text(json, 'value');
  checkRegistryTag(key, value);
  await registry.setModelTag(name, key, value, changeBy(request));
  return {};
};

const deleteTag = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const json = request.json();
  const name = required(json, 'name');
  const key = required(json, 'key');
  checkRegistryTag(key);
  await registry.deleteModelTag(name, key, changeBy(request));
  return {};
};

const setAlias = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const json = request.json();
  const name = required(json, 'name');
  const alias = required(json, 'alias');
  const version = versionNumber(json);
  await registry.setAlias(name, alias, version, changeBy(request));
  return {};
};

const deleteAlias = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const json = request.json();
  await registry.deleteAlias(required(json, 'name'), required(json, 'alias'), changeBy(request));
  return {};
};

const getAlias = async (request: ApiRequest, { registry }: Stores): Promise<unknown> => {
  const json = request.json();
  const name = required(json, 'name');
  const alias = required(json, 'alias');
  if (alias.toLowerCase() !== 'latest') return { model_version: wireVersion(await registry.getByAlias(name, alias)) };
  const newest = (await registry.latestVersions(name)).sort((one, other) => other.version - one.version)[0];
  if (!newest) throw missing(`Latest version not found for model ${name}.`);
  return { model_version: wireVersion(newest) };
};

export const registeredModelRoutes: readonly Route[] = [
  { method: 'POST', path: `${PREFIX}/create`, access: 'write', handle: create },
  { method: 'GET', path: `${PREFIX}/get`, access: 'read', handle: get },
  { method: 'PATCH', path: `${PREFIX}/update`, access: 'write', handle: update },
  { method: 'POST', path: `${PREFIX}/rename`, access: 'write', handle: rename },
  { method: 'DELETE', path: `${PREFIX}/delete`, access: 'write', handle: remove },
  { method: 'GET', path: `${PREFIX}/search`, access: 'read', handle: search },
  { method: 'POST', path: `${PREFIX}/search`, access: 'read', handle: search },
  { method: 'GET', path: `${PREFIX}/get-latest-versions`, access: 'read', handle: latestVersions },
  { method: 'POST', path: `${PREFIX}/get-latest-versions`, access: 'read', handle: latestVersions },
  { method: 'POST', path: `${PREFIX}/set-tag`, access: 'write', handle: setTag },
  { method: 'DELETE', path: `${PREFIX}/delete-tag`, access: 'write', handle: deleteTag },
  { method: 'POST', path: `${PREFIX}/alias`, access: 'write', handle: setAlias },
  { method: 'DELETE', path: `${PREFIX}/alias`, access: 'write', handle: deleteAlias },
  { method: 'GET', path: `${PREFIX}/alias`, access: 'read', handle: getAlias },
];
