import type { HistoryEvent } from '@aws-sdk/client-sfn';
import { type JobFacts, jobFacts, parsedObject, textField } from './job-facts';

export interface Failure {
  /** Name of the state that failed. */
  readonly step: string;
  readonly error: string;
  readonly message: string;
  /** Of the process in the job's container. */
  readonly exitCode?: number;
  /** Job that the state had started. */
  readonly job?: Pick<JobFacts, 'kind' | 'name'>;
  /** ARN or name of the function that the state had invoked. */
  readonly function?: string;
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
  const sinceEnd = newestFirst.slice(0, sinceRedrive(newestFirst));
  const origin = sinceEnd.find((event) => {
    const found = isEnd(event) ? undefined : errorOf(event)?.error;
    return found !== undefined && (found === error || (error === undefined && end === undefined));
  });
  const details = (origin && errorOf(origin)) ?? (end && errorOf(end)) ?? fallback;
  const cause = details.cause || fallback.cause || 'no cause was given';
  const attempt = attemptOf(origin ?? sinceEnd.find((event) => !isEnd(event)), byId, newestFirst);
  const { message, exitCode } = readCause(cause);
  const job = jobFacts(cause) ?? attempt.job;
  return {
    step: stateBefore(origin, byId) ?? lastEntered(newestFirst) ?? 'unknown',
    error: details.error || fallback.error || 'Unknown',
    message,
    ...(exitCode !== undefined && { exitCode }),
    ...(job && { job: { kind: job.kind, name: job.name } }),
    ...(attempt.function !== undefined && { function: attempt.function }),
  };
};

/** SageMaker's and Lambda's causes are JSON around the sentence that a person needs. */
export const readCause = (cause: string): { readonly message: string; readonly exitCode?: number } => {
  const value = parsedObject(cause);
  const text = (field: string): string | undefined => {
    const found = value && field in value ? value[field] : value && textField(cause, field);
    return typeof found === 'string' && found !== '' ? found : undefined;
  };
  const reason = text('FailureReason') ?? text('errorMessage') ?? text('Message') ?? text('message');
  // Processing tells what the container left behind beside why it failed.
  const said = [reason, text('ExitMessage')].filter((part, at, all) => part !== undefined && all.indexOf(part) === at).join(': ');
  const status = ['TrainingJobStatus', 'TransformJobStatus', 'ProcessingJobStatus', 'HyperParameterTuningJobStatus'].map(text).find(Boolean);
  // A job that ran into its limit and one that somebody stopped end alike but for this.
  const detail = text('SecondaryStatus');
  const ended = status && (detail === undefined || detail === status ? status : `${status}: ${detail}`);
  const message = said || (ended === undefined ? cause : `the job ended as ${ended}`);
  const code = /exit ?code:? ?(\d+)/i.exec(message);
  return { message: message.slice(0, MESSAGE_LENGTH), ...(code && { exitCode: Number(code[1]) }) };
};

export const readableCause = (cause: string): string => readCause(cause).message;

/** Each kind of event has its details in a field of its own. */
const detailsOf = (event: HistoryEvent): ErrorDetails | undefined =>
  Object.entries(event).find(([name, value]) => name.endsWith('EventDetails') && value !== undefined)?.[1] as ErrorDetails | undefined;

const errorOf = (event: HistoryEvent): ErrorDetails | undefined =>
  /(Failed|TimedOut|Aborted)$/.test(event.type ?? '') ? detailsOf(event) : undefined;

const isEnd = (event: HistoryEvent): boolean => /^Execution(Failed|TimedOut|Aborted)$/.test(event.type ?? '');

const isEntry = (event: HistoryEvent): boolean => event.type?.endsWith('StateEntered') === true;

/** Errors from before the last redrive were repaired by it. */
const sinceRedrive = (newestFirst: readonly HistoryEvent[]): number => {
  const found = newestFirst.findIndex(({ type }) => type === 'ExecutionRedriven');
  return found === -1 ? newestFirst.length : found;
};

const stateBefore = (event: HistoryEvent | undefined, byId: ReadonlyMap<number | undefined, HistoryEvent>): string | undefined => {
  for (const found of before(event, byId)) if (isEntry(found)) return found.stateEnteredEventDetails?.name;
  return undefined;
};

function* before(event: HistoryEvent | undefined, byId: ReadonlyMap<number | undefined, HistoryEvent>): Generator<HistoryEvent> {
  const seen = new Set<HistoryEvent>();
  for (let found = event; found && !seen.has(found); found = found.previousEventId ? byId.get(found.previousEventId) : undefined) {
    seen.add(found);
    yield found;
  }
}

/** What the state that failed had asked for: the job by its request, where the error itself does not name it, or the function. */
const attemptOf = (
  origin: HistoryEvent | undefined,
  byId: ReadonlyMap<number | undefined, HistoryEvent>,
  newestFirst: readonly HistoryEvent[],
): { readonly job?: JobFacts; readonly function?: string } => {
  const linked = [...before(origin, byId)];
  const path = linked.length > 1 ? linked : newestFirst.slice(origin ? newestFirst.indexOf(origin) : 0);
  for (const event of path) {
    if (isEntry(event)) break;
    const resource = event.lambdaFunctionScheduledEventDetails?.resource ?? event.taskScheduledEventDetails?.resource ?? '';
    if (/^arn:[^:]+:lambda:/.test(resource)) return { function: resource };
    const job = jobFacts(event.taskScheduledEventDetails?.parameters) ?? jobFacts(event.taskSubmittedEventDetails?.output);
    if (job) return { job };
  }
  return {};
};

const lastEntered = (newestFirst: readonly HistoryEvent[]): string | undefined => newestFirst.find(isEntry)?.stateEnteredEventDetails?.name;
