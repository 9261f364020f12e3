import { createHash } from 'node:crypto';
import { ENDPOINT_NAME_MAX_LENGTH } from './contract';

const PLATFORM_MAX_LENGTH = 16;
const HASH_LENGTH = 6;

/** Lower case, because SageMaker compares names in lower case but ARNs in policies letter by letter. */
const slug = (name: string, maxLength: number): string => {
  const clean = name.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
  if (clean.length <= maxLength) return clean;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_LENGTH);
  return `${clean.slice(0, maxLength - HASH_LENGTH - 1).replace(/-+$/, '')}-${hash}`;
};

/** What the names of everything that a platform makes at run time begin with. */
export const platformSlug = (platformName: string): string => slug(platformName, PLATFORM_MAX_LENGTH);

/** The same name at every synth, so that clients, policies and the pipeline know the endpoint before it exists. */
export const endpointNameOf = (platformName: string, modelName: string): string => {
  const platform = platformSlug(platformName);
  return `${platform}-${slug(modelName, ENDPOINT_NAME_MAX_LENGTH - platform.length - 1)}`;
};
