import { ModelVersion, RecordedVersion, REGISTRY_ERRORS } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';

/** The version as its pipeline recorded it; one whose record lacks items is refused, naming each. */
export const recorded = (version: ModelVersion): RecordedVersion => {
  const missing = [...version.missing, ...(['gate', 'baselineUri', 'sagemakerModelName'] as const).filter((item) => version[item] === undefined)];
  if (missing.length === 0) return version as RecordedVersion;
  throw new NamedError(REGISTRY_ERRORS.incomplete, `${version.model} v${version.version} was not recorded in full: it lacks ${missing.join(', ')}`);
};
