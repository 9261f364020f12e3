import { REGISTRY_ERRORS, Stage } from '../../lib/registry/contract';
import { NamedError } from '../common/errors';

/** Limits and wording of MLflow, whose clients show the messages and match on some. */
const LIMITS = {
  name: 256,
  alias: 255,
  key: 250,
  value: 100_000,
  description: 100_000,
  source: 2_048,
  runId: 500,
  runLink: 2_048,
  reason: 10_000,
} as const;

export const STAGES: readonly Stage[] = ['None', 'Staging', 'Production', 'Archived'];

export const invalid = (message: string): NamedError => new NamedError(REGISTRY_ERRORS.invalid, message);
export const noModel = (name: string): NamedError => new NamedError(REGISTRY_ERRORS.notFound, `Registered Model with name=${name} not found`);
export const noVersion = (name: string, version: number): NamedError =>
  new NamedError(REGISTRY_ERRORS.notFound, `Model Version (name=${name}, version=${version}) not found`);
export const nameTaken = (name: string): NamedError => new NamedError(REGISTRY_ERRORS.exists, `Registered Model (name=${name}) already exists.`);
export const noAlias = (alias: string): NamedError => invalid(`Registered model alias ${alias} not found.`);

/** Characters as MLflow counts them: code points. */
const lengthOf = (text: string): number => [...text].length;

const checkText = (what: keyof typeof LIMITS, text: string): void => {
  if (text.length > LIMITS[what] && lengthOf(text) > LIMITS[what]) {
    throw invalid(`'${what}' exceeds the maximum length of ${LIMITS[what]} characters`);
  }
  if (/\p{Surrogate}/u.test(text)) throw invalid(`'${what}' holds half of a character: it is no valid Unicode text`);
};

export const checkModelName = (name: string): void => {
  if (name.trim() === '') throw invalid("Missing value for required parameter 'name'");
  if (/[/:]/.test(name)) throw invalid(`Invalid model name '${name}'. Names cannot contain '/' or ':'.`);
  if (name === '.' || name.startsWith('..')) throw invalid(`Invalid value '${name}' for parameter 'name' supplied: names must not look like paths`);
  checkText('name', name);
};

export const checkAlias = (alias: string): void => {
  if (alias === '') throw invalid('Registered model alias name cannot be empty.');
  if (!/^[\p{L}\p{N}\p{M}_-]*$/u.test(alias)) {
    throw invalid(`Invalid alias name: '${alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).`);
  }
  checkText('alias', alias);
  if (alias.toLowerCase() === 'latest') throw invalid("'latest' alias name (case insensitive) is reserved.");
  if (/^v\d+$/i.test(alias)) throw invalid(`Version alias name '${alias}' is reserved.`);
};

export const checkTag = (key: string, value: string): void => {
  if (key === '') throw invalid("Missing value for required parameter 'key'");
  checkText('key', key);
  checkText('value', value);
};

export const checkTags = (tags: Readonly<Record<string, string>> = {}): void => {
  for (const [key, value] of Object.entries(tags)) checkTag(key, value);
};

export const checkDescription = (description: string | undefined): void => checkText('description', description ?? '');

export const checkReason = (reason: string): void => checkText('reason', reason);

export const checkNewVersion = (version: { readonly source: string; readonly runId?: string; readonly runLink?: string }): void => {
  if (version.source.trim() === '') throw invalid("Missing value for required parameter 'source'");
  checkText('source', version.source);
  checkText('runId', version.runId ?? '');
  checkText('runLink', version.runLink ?? '');
};

/** The stage as it is written, whatever its case. */
export const canonicalStage = (stage: string): Stage => {
  const found = STAGES.find((known) => known.toLowerCase() === stage.toLowerCase());
  if (!found) throw invalid(`Invalid Model Version stage: ${stage}. Value must be one of ${STAGES.join(', ')}.`);
  return found;
};
