import { REGISTRY_ERRORS } from '../../../lib/registry/contract';
import type { Change } from '../../registry/registry-writes';
import { invalid, isNamed, missing } from './errors';
import { checkKey, checkLength, LIMITS, required } from './fields';
import type { ApiRequest, Json } from './http';

/** Who asked stands in the history; MLflow's protocol has no field for why. */
export const changeBy = ({ caller, method, path }: ApiRequest): Change => ({
  actor: caller.id,
  reason: `asked for through the MLflow API (${method} ${path.replace(/^.*\/mlflow\//, '')})`,
});

/** A tag of a model or version; without a value only the key is looked at. */
export const checkRegistryTag = (key: string, value = ''): void => {
  checkKey(key, 'key');
  checkLength('key', LIMITS.key, key);
  checkLength('value', LIMITS.registryTagValue, value);
};

/** The protocol's versions are texts. */
export const versionNumber = (json: Json): number => {
  const version = required(json, 'version');
  if (!/^\s*[+-]?\d+\s*$/.test(version)) throw invalid(`Parameter 'version' must be an integer, got '${version}'.`);
  return Number(version);
};

/** Runs what is about one version; of a model that is missing the version is missing, in the protocol's words. */
export const aboutVersion = async <T>(name: string, version: number, action: () => Promise<T>): Promise<T> => {
  try {
    return await action();
  } catch (error) {
    if (!isNamed(error, REGISTRY_ERRORS.notFound)) throw error;
    throw missing(`Model Version (name=${name}, version=${version}) not found`);
  }
};
