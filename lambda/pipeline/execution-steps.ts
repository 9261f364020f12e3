import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { BilledInstances, RunStep } from '../../lib/tracking/contract';
import { readableCause } from './failed-step';
import { type JobFacts, jobFacts, type JobKind, kindOfRequest, parsedObject, valueAt } from './job-facts';
import { logsOfJob } from './log-place';
import { type StepOf, stepOfState } from './step-of-state';

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
  /** Jobs of its last attempt that have ended. */
  jobs: JobFacts[];
  /** Job that was asked for last. */
  asked?: JobFacts;
}

/** What an execution did, as far as its history tells. */
export interface ExecutionAccount {
  readonly steps: readonly RunStep[];
  /** Of all jobs that ended, also of attempts that were repeated. */
  readonly billed: readonly BilledInstances[];
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
  const billed = new Map<string, number>();
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
    else if (event.taskSucceededEventDetails) note(of, billed, jobFacts(event.taskSucceededEventDetails.output));
    else if (event.taskFailedEventDetails) note(of, billed, jobFacts(event.taskFailedEventDetails.cause));
    else if (event.taskScheduledEventDetails) {
      const kind = kindOfRequest(event.taskScheduledEventDetails.resource);
      if (kind) kinds.add(kind);
      if (of) of.asked = jobFacts(event.taskScheduledEventDetails.parameters) ?? of.asked;
    }
    else if (type === 'ExecutionRedriven') reopen(seen, time);
    else if (/^Execution(Failed|TimedOut|Aborted)$/.test(type)) close(seen, time, errorOf(event));
  }
  const found = [...billed].map(([instanceType, seconds]) => ({ instanceType, seconds }));
  found.sort((a, b) => a.instanceType.localeCompare(b.instanceType));
  return { steps: [...seen.values()].map(toStep), billed: found, kinds: [...kinds], data };
};

export const stepsOf = async (events: Events): Promise<readonly RunStep[]> => (await accountOf(events)).steps;

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
  const fresh: Seen = { about, start: time, data: {}, open: 1, jobs: [] };
  seen.set(about.step, fresh);
  return fresh;
};

const leave = (step: Seen | undefined, time: Date, data: Data): void => {
  if (!step) return;
  step.open = Math.max(0, step.open - 1);
  // Branches know their own part only; the state around them is left last.
  if (step.open === 0) Object.assign(step, { end: time, data });
};

const note = (step: Seen | undefined, billed: Map<string, number>, job: JobFacts | undefined): void => {
  if (!job || !step) return;
  step.jobs = [...step.jobs.filter(({ name }) => name !== job.name), job];
  const { instanceType, instanceSeconds } = job;
  if (instanceType !== undefined && instanceSeconds !== undefined) billed.set(instanceType, (billed.get(instanceType) ?? 0) + instanceSeconds);
};

const close = (seen: Map<string, Seen>, time: Date, error: string): void => {
  for (const step of seen.values()) if (step.end === undefined) Object.assign(step, { end: time, error, open: 0 });
};

/** A redriven state need not be entered anew: it begins again with the redrive. */
const reopen = (seen: Map<string, Seen>, time: Date): void => {
  const again = { start: time, end: undefined, error: undefined, jobs: [], asked: undefined };
  for (const step of seen.values()) if (step.error !== undefined) Object.assign(step, again);
};

const errorOf = (event: HistoryEvent): string => {
  const { type = '' } = event;
  const details = event.executionFailedEventDetails ?? event.executionTimedOutEventDetails ?? event.executionAbortedEventDetails;
  return details?.cause ? `${details.error || type}: ${readableCause(details.cause)}` : details?.error || type;
};

const toStep = ({ about, start, end, data, error, jobs, asked }: Seen): RunStep => {
  const job = asked ?? jobs.at(-1);
  return {
    name: about.step,
    status: error !== undefined ? 'FAILED' : end === undefined ? 'RUNNING' : 'FINISHED',
    startTime: start.toISOString(),
    ...(end && { endTime: end.toISOString() }),
    inputs: references(about.inputs, data),
    outputs: { ...(error === undefined && end !== undefined ? references(about.outputs, data) : {}), ...billedBy(jobs) },
    ...(job && { logs: logsOfJob(job) }),
    ...(error === undefined ? {} : { error }),
  };
};

/** What SageMaker bills; what a second costs depends on region and contract, which nothing here knows. */
const billedBy = (jobs: readonly JobFacts[]): Record<string, string> => {
  const seconds = jobs.flatMap(({ instanceSeconds }) => (instanceSeconds === undefined ? [] : [instanceSeconds]));
  const types = [...new Set(jobs.flatMap(({ instanceType }) => (instanceType === undefined ? [] : [instanceType])))];
  const training = jobs.at(-1)?.trainingSeconds;
  return {
    ...(seconds.length > 0 && { billableSeconds: String(seconds.reduce((sum, part) => sum + part, 0)) }),
    ...(types.length > 0 && { instances: types.join(', ') }),
    ...(training !== undefined && { trainingSeconds: String(training) }),
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
