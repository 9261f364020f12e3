import type { HistoryEvent } from '@aws-sdk/client-sfn';

export interface Failure {
  /** Name of the state that failed. */
  readonly step: string;
  readonly error: string;
  readonly message: string;
}

interface ErrorDetails {
  readonly error?: string;
  readonly cause?: string;
  readonly name?: string;
}

const MESSAGE_LENGTH = 2_000;

/**
 * What an execution broke on, from its history, newest event first. An execution ends with the error of the state that broke it: the newest event
 * with that error is where it began. Errors that were tried again have no part in the end.
 */
export const failureOf = (newestFirst: readonly HistoryEvent[], fallback: { readonly error?: string; readonly cause?: string }): Failure => {
  const byId = new Map(newestFirst.map((event) => [event.id, event]));
  const end = newestFirst.find(isEnd);
  const error = (end && errorOf(end)?.error) ?? fallback.error;
  const origin = newestFirst.find((event) => {
    const found = isEnd(event) ? undefined : errorOf(event)?.error;
    return found !== undefined && (found === error || (error === undefined && end === undefined));
  });
  const details = (origin && errorOf(origin)) ?? (end && errorOf(end)) ?? fallback;
  return {
    step: stateBefore(origin, byId) ?? lastEntered(newestFirst) ?? 'unknown',
    error: details.error ?? fallback.error ?? 'Unknown',
    message: readableCause(details.cause ?? fallback.cause ?? 'no cause was given'),
  };
};

/** SageMaker's and Lambda's causes are JSON around the sentence that a person needs. */
export const readableCause = (cause: string): string => {
  const value = parsed(cause);
  const sentence = [value?.FailureReason, value?.errorMessage, value?.Message, value?.message].find(
    (text) => typeof text === 'string' && text !== '',
  );
  const status = value?.TrainingJobStatus ?? value?.TransformJobStatus;
  return ((sentence as string | undefined) ?? (status === undefined ? cause : `the job ended as ${String(status)}`)).slice(0, MESSAGE_LENGTH);
};

const parsed = (text: string): Record<string, unknown> | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
};

/** Each kind of event has its details in a field of its own. */
const detailsOf = (event: HistoryEvent): ErrorDetails | undefined =>
  Object.entries(event).find(([name, value]) => name.endsWith('EventDetails') && value !== undefined)?.[1] as ErrorDetails | undefined;

const errorOf = (event: HistoryEvent): ErrorDetails | undefined =>
  /(Failed|TimedOut|Aborted)$/.test(event.type ?? '') ? detailsOf(event) : undefined;

const isEnd = (event: HistoryEvent): boolean => /^Execution(Failed|TimedOut|Aborted)$/.test(event.type ?? '');

const isEntry = (event: HistoryEvent): boolean => event.type?.endsWith('StateEntered') === true;

const stateBefore = (event: HistoryEvent | undefined, byId: ReadonlyMap<number | undefined, HistoryEvent>): string | undefined => {
  for (let found = event; found; found = found.previousEventId === undefined ? undefined : byId.get(found.previousEventId)) {
    if (isEntry(found)) return found.stateEnteredEventDetails?.name;
  }
  return undefined;
};

const lastEntered = (newestFirst: readonly HistoryEvent[]): string | undefined => newestFirst.find(isEntry)?.stateEnteredEventDetails?.name;
