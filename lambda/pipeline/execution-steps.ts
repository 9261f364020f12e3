import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { RunStep } from '../../lib/tracking/contract';
import { readableCause } from './failed-step';
import { type JobFacts, jobFacts, type JobKind, kindOfRequest, parsedObject, valueAt } from './job-facts';
import { logsOfJob } from './log-place';
import { type StepOf, stepOfState, TUNE_STEP } from './step-of-state';

type Data = Record<string, unknown>;
type Events = AsyncIterable<HistoryEvent> | Iterable<HistoryEvent>;

interface Seen {
  readonly about: StepOf;
  start: Date;
  end?: Date;
  data: Data;
  /** States of this step that are under way: branches, or one. */
  open: number;
  error?: string;
  /** Names of the jobs of its last attempt. */
  jobs: Set<string>;
  /** Job that was asked for last, and the one that was told of last. */
  asked?: JobFacts;
  latest?: JobFacts;
}

/** A job of a step. */
export interface StepJob extends JobFacts {
  readonly step: string;
  /** Whether the step's last attempt asked for it. */
  readonly isLast: boolean;
}

/** What an execution did, as far as its history tells. */
export interface ExecutionAccount {
  readonly steps: readonly RunStep[];
  /** All that were asked for, also by attempts that were repeated, as far as the history tells of them. */
  readonly jobs: readonly StepJob[];
  /** Kinds of the jobs that were asked for, however that ended. */
  readonly kinds: readonly JobKind[];
  /** What the state machine knew when the last state was entered or left. */
  readonly data: Readonly<Data>;
}

/**
 * What the steps of a run did, from its execution's history, oldest event first. A step that was tried again tells of its last attempt; what was
 * under way when the execution ended badly has failed, and is under way again after a redrive.
 */
export const accountOf = async (events: Events): Promise<ExecutionAccount> => {
  const seen = new Map<string, Seen>();
  const steps = new Map<number | undefined, Seen>();
  const jobs = new Map<string, Omit<StepJob, 'isLast'>>();
  const kinds = new Set<JobKind>();
  let last: Seen | undefined;
  let data: Data = {};
  for await (const event of events) {
    const { id, previousEventId, timestamp: time = new Date(0), type = '' } = event;
    const { stateEnteredEventDetails: entered, stateExitedEventDetails: exited } = event;
    const about = pollOf(seen, stepOfState(entered?.name ?? exited?.name, type));
    if (entered) data = parsed(entered.input);
    else if (exited) data = parsed(exited.output);
    if (about && entered) {
      last = enter(seen, about, time);
      if (last.open === 1) last.data = data;
      steps.set(id, last);
      continue;
    }
    const of = steps.get(previousEventId) ?? last;
    if (of) steps.set(id, of);
    if (about && exited) leave(seen.get(about.step), time, data);
    else if (event.taskSucceededEventDetails) note(of, jobs, jobFacts(event.taskSucceededEventDetails.output));
    else if (event.taskFailedEventDetails) note(of, jobs, jobFacts(event.taskFailedEventDetails.cause));
    else if (event.taskScheduledEventDetails) {
      const kind = kindOfRequest(event.taskScheduledEventDetails.resource);
      const asked = jobFacts(event.taskScheduledEventDetails.parameters);
      if (kind) {
        kinds.add(kind);
        note(of, jobs, asked);
      }
      if (of) of.asked = asked ?? of.asked;
    }
    else if (type === 'ExecutionRedriven') reopen(seen, time);
    else if (/^Execution(Failed|TimedOut|Aborted)$/.test(type)) close(seen, time, errorOf(event));
  }
  const all = [...jobs.values()].map((job) => ({ ...job, isLast: seen.get(job.step)?.jobs.has(job.name) === true }));
  return { steps: [...seen.values()].map(toStep), jobs: all, kinds: [...kinds], data };
};

/** A user's step that asks again and again how far its job is has a state of its own for it. */
const pollOf = (seen: ReadonlyMap<string, Seen>, about: StepOf | undefined): StepOf | undefined =>
  seen.get(about?.step.replace(/Describe$/, '') ?? '')?.about ?? about;

const enter = (seen: Map<string, Seen>, about: StepOf, time: Date): Seen => {
  const before = seen.get(about.step);
  if (before?.error === undefined && before !== undefined) {
    before.end = undefined;
    before.open += 1;
    return before;
  }
  const fresh: Seen = { about, start: time, data: {}, open: 1, jobs: new Set() };
  seen.set(about.step, fresh);
  return fresh;
};

const leave = (step: Seen | undefined, time: Date, data: Data): void => {
  if (!step) return;
  step.open = Math.max(0, step.open - 1);
  // Branches know their own part only; the state around them is left last.
  if (step.open === 0) Object.assign(step, { end: time, data });
};

const note = (step: Seen | undefined, jobs: Map<string, Omit<StepJob, 'isLast'>>, job: JobFacts | undefined): void => {
  if (!job || !step) return;
  // The best job of a tuning is one of those that the tuning is billed for.
  if (job.kind === 'training' && step.about.step === TUNE_STEP) return;
  step.jobs.add(job.name);
  step.latest = job;
  jobs.set(job.name, { ...jobs.get(job.name), ...job, step: step.about.step });
};

const close = (seen: Map<string, Seen>, time: Date, error: string): void => {
  for (const step of seen.values()) if (step.end === undefined) Object.assign(step, { end: time, error, open: 0 });
};

/** A redriven state need not be entered anew: it begins again with the redrive. */
const reopen = (seen: Map<string, Seen>, time: Date): void => {
  const again = { start: time, end: undefined, error: undefined, asked: undefined, latest: undefined };
  for (const step of seen.values()) if (step.error !== undefined) Object.assign(step, again, { jobs: new Set() });
};

const errorOf = (event: HistoryEvent): string => {
  const { type = '' } = event;
  const details = event.executionFailedEventDetails ?? event.executionTimedOutEventDetails ?? event.executionAbortedEventDetails;
  return details?.cause ? `${details.error || type}: ${readableCause(details.cause)}` : details?.error || type;
};

const toStep = ({ about, start, end, data, error, asked, latest }: Seen): RunStep => {
  const job = asked ?? latest;
  return {
    name: about.step,
    status: error !== undefined ? 'FAILED' : end === undefined ? 'RUNNING' : 'FINISHED',
    startTime: start.toISOString(),
    ...(end && { endTime: end.toISOString() }),
    inputs: references(about.inputs, data),
    outputs: error === undefined && end !== undefined ? references(about.outputs, data) : {},
    ...(job && { logs: logsOfJob(job) }),
    ...(error === undefined ? {} : { error }),
  };
};

const references = (places: Readonly<Record<string, string>> = {}, data: Data): Record<string, string> =>
  Object.fromEntries(
    Object.entries(places)
      .map(([name, place]) => [name, valueAt(data, place)] as const)
      .filter(([, value]) => value !== undefined && value !== null && typeof value !== 'object')
      .map(([name, value]) => [name, String(value)]),
  );

const parsed = (text: string | undefined): Data => parsedObject(text ?? '{}') ?? {};
