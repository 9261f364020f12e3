/** An answer other than 200: `type` becomes `__type`, as the SageMaker JSON protocol has it. */
export class ServiceError extends Error {
  constructor(
    readonly type: string,
    message: string,
    readonly status = 400,
    readonly detail: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = type;
  }
}

export const invalid = (message: string) => new ServiceError('ValidationException', message);
export const inUse = (message: string) => new ServiceError('ResourceInUse', message);

/** What AWS would accept and this engine does not play: never silently ignored, always named as the engine's own limit. */
export const unsupported = (message: string) => new ServiceError('EngineUnsupported', `The local engine does not support ${message}`);

export { textOf as messageOf } from '../errors';
