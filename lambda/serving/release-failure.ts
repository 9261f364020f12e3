import { PIPELINE_ERRORS } from '../../lib/pipeline/contract';
import { NamedError } from '../common/errors';

/** The endpoint does not run what it should. */
export class ReleaseFailure extends NamedError {
  constructor(
    readonly wanted: string,
    readonly found: string,
    readonly reason: string,
  ) {
    super(PIPELINE_ERRORS.releaseFailed, reason);
  }
}

/** `wanted` and `found` are configurations of the endpoint. */
export const failed = (wanted: string, found: string, reason: string): ReleaseFailure => new ReleaseFailure(wanted, found, reason);

/** Retried by the state machine: somebody else's change of the endpoint, or its deletion, has to end first. */
export const busy = (message: string): NamedError => new NamedError('ServiceUnavailable', message);
