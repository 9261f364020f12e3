/** A failure a person can act on: what happened, and what to do about it. */
export class LocalError extends Error {
  constructor(
    message: string,
    readonly fix?: string,
    options?: { cause?: unknown },
  ) {
    super(fix ? `${message}: ${fix}` : message, options);
    this.name = 'LocalError';
  }
}

export const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
