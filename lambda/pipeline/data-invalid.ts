import { PIPELINE_ERRORS } from '../../lib/pipeline/contract';
import { NamedError } from '../common/errors';

/** The data cannot be used: where, which rule, and what to do about it. */
export const dataInvalid = (where: string, rule: string, fix: string): NamedError =>
  new NamedError(PIPELINE_ERRORS.dataInvalid, `${where}: ${rule}; ${fix}`);
