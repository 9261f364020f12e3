import { REGISTRY_ERRORS } from '../../../lib/registry/contract';
import { TRACKING_ERRORS } from '../../../lib/tracking/contract';

/** MLflow's error codes with the status that its server answers. */
const STATUS_OF_CODE = {
  INVALID_PARAMETER_VALUE: 400,
  BAD_REQUEST: 400,
  RESOURCE_ALREADY_EXISTS: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_DOES_NOT_EXIST: 404,
  ENDPOINT_NOT_FOUND: 404,
  RESOURCE_CONFLICT: 409,
  REQUEST_LIMIT_EXCEEDED: 429,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL_ERROR: 500,
  INVALID_STATE: 500,
  NOT_IMPLEMENTED: 501,
  TEMPORARILY_UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
} as const;

export type ErrorCode = keyof typeof STATUS_OF_CODE;

/** What the API answers instead of a result; the client raises by `code`. */
export class MlflowError extends Error {
  constructor(
    readonly code: ErrorCode,
    message: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
    this.name = 'MlflowError';
  }

  get status(): number {
    return STATUS_OF_CODE[this.code];
  }
}

export const invalid = (message: string): MlflowError => new MlflowError('INVALID_PARAMETER_VALUE', message);
/** Whether an error is the one that a contract names. */
export const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name;

export const missing = (message: string): MlflowError => new MlflowError('RESOURCE_DOES_NOT_EXIST', message);

/** Errors of the stores, by their names; their messages name what was asked for and the rule. */
const CODE_OF_ERROR: Readonly<Record<string, ErrorCode>> = {
  [TRACKING_ERRORS.notFound]: 'RESOURCE_DOES_NOT_EXIST',
  [TRACKING_ERRORS.experimentNotFound]: 'RESOURCE_DOES_NOT_EXIST',
  [TRACKING_ERRORS.loggedModelNotFound]: 'RESOURCE_DOES_NOT_EXIST',
  [TRACKING_ERRORS.exists]: 'RESOURCE_ALREADY_EXISTS',
  [TRACKING_ERRORS.conflict]: 'INVALID_PARAMETER_VALUE',
  [TRACKING_ERRORS.deleted]: 'INVALID_PARAMETER_VALUE',
  [TRACKING_ERRORS.paramChanged]: 'INVALID_PARAMETER_VALUE',
  [TRACKING_ERRORS.paramTwice]: 'INVALID_PARAMETER_VALUE',
  [TRACKING_ERRORS.tooLarge]: 'INVALID_PARAMETER_VALUE',
  [REGISTRY_ERRORS.notFound]: 'RESOURCE_DOES_NOT_EXIST',
  [REGISTRY_ERRORS.exists]: 'RESOURCE_ALREADY_EXISTS',
  [REGISTRY_ERRORS.illegalTransition]: 'INVALID_PARAMETER_VALUE',
  [REGISTRY_ERRORS.conflict]: 'RESOURCE_CONFLICT',
  [REGISTRY_ERRORS.forbidden]: 'PERMISSION_DENIED',
  [REGISTRY_ERRORS.incomplete]: 'INVALID_PARAMETER_VALUE',
  [REGISTRY_ERRORS.invalid]: 'INVALID_PARAMETER_VALUE',
};

/** DynamoDB, S3 or Lambda refuse for now: the client waits and comes again by itself. */
const BUSY = new Set([
  'ProvisionedThroughputExceededException',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'SlowDown',
  'TransactionConflictException',
  'TransactionInProgressException',
]);

/** Not answering for now: the client comes again too. */
const AWAY = new Set(['ServiceUnavailable', 'InternalServerError', 'TimeoutError', 'RequestTimeout', 'NetworkingError', 'ServiceException']);

const LOST_RACES = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded', 'ConditionalCheckFailed']);

const isLostRace = (error: Error): boolean => {
  const reasons = (error as { CancellationReasons?: readonly { Code?: string }[] }).CancellationReasons ?? [];
  return error.name === 'TransactionCanceledException' && reasons.some(({ Code = 'None' }) => LOST_RACES.has(Code));
};

/** Any fault as the API's answer; what nobody foresaw tells nothing about the inside, only an id that the log has too. */
export const toMlflowError = (error: unknown, requestId = 'unknown'): MlflowError => {
  if (error instanceof MlflowError) return error;
  const fault = error instanceof Error ? error : new Error(String(error));
  const code = CODE_OF_ERROR[fault.name];
  if (code) return new MlflowError(code, fault.message, { cause: error });
  if (BUSY.has(fault.name) || isLostRace(fault)) {
    return new MlflowError('REQUEST_LIMIT_EXCEEDED', 'Too many requests at once; please try again.', { cause: error });
  }
  if (AWAY.has(fault.name)) return new MlflowError('TEMPORARILY_UNAVAILABLE', 'The store does not answer; please try again.', { cause: error });
  return new MlflowError('INTERNAL_ERROR', `Internal error. The log names its cause under request id ${requestId}.`, { cause: error });
};
