import { createHash } from 'node:crypto';
import * as sfn from 'aws-cdk-lib/aws-stepfunctions';

/** Tuning and AutoML jobs have names of at most 32 characters; these begin theirs. */
const SHORT_PREFIX = 6;
const SHORT_HASH = 5;

/**
 * A value of the execution's state or context.
 *
 * @internal
 */
export const at = (path: string): string => sfn.JsonPath.stringAt(path);

/**
 * Redrive and retry count keep repeated attempts apart: names of jobs and models are never free again. At most 52 characters for the base, 5 and 2
 * for the counts and 3 for the suffix: 63.
 *
 * @internal
 */
export const jobName = (suffix: string): string =>
  sfn.JsonPath.format(`{}-{}-{}-${suffix}`, at('$.prepared.jobNameBase'), at('$$.Execution.RedriveCount'), at('$$.State.RetryCount'));

/**
 * What short names of jobs of an endpoint's pipeline begin with: 12 characters at most.
 *
 * @internal
 */
export const shortPrefix = (endpointName: string): string => {
  const hash = createHash('sha256').update(endpointName).digest('hex').slice(0, SHORT_HASH);
  return `${endpointName.slice(0, SHORT_PREFIX).replace(/-+$/, '')}-${hash}`;
};

/**
 * As `jobName`, within 32 characters: the prefix, the execution's hash with the round, the counts.
 *
 * @internal
 */
export const shortJobName = (endpointName: string): string => {
  const parts = sfn.JsonPath.stringSplit(at('$.prepared.jobNameBase'), '-');
  const hash = sfn.JsonPath.arrayGetItem(parts, endpointName.split('-').length);
  return sfn.JsonPath.format(`${shortPrefix(endpointName)}-{}-{}-{}`, hash, at('$$.Execution.RedriveCount'), at('$$.State.RetryCount'));
};
