import type { BilledInstances, InstancePrices, PipelineRun, RunStep } from '../../lib/tracking/contract';
import { mapConcurrent } from '../common/concurrent';
import type { ExecutionAccount, StepJob } from './execution-steps';
import type { JobFacts } from './job-facts';

/** What a run's jobs are billed for and cost, as far as anybody tells. */
export interface RunBill extends Required<Pick<PipelineRun, 'billed' | 'unbilled'>>, Pick<PipelineRun, 'costUsd'> {
  /** With what the jobs of their last attempts are billed for and cost. */
  readonly steps: readonly RunStep[];
}

/** What SageMaker itself says of a job: nothing of one that it never made, undefined where it does not say. */
export type AskJob = (job: Pick<JobFacts, 'kind' | 'name'>) => Promise<JobFacts | 'none' | undefined>;

const ASKED_AT_ONCE = 4;
const HOUR = 3600;

/**
 * The bill of a run: seconds by type of instance, and dollars where prices are stated. A history tells of jobs that ended; of the others, such as
 * those that end with the execution, and of the jobs within a tuning SageMaker is asked. With one part unknown there is no cost: it would look whole.
 */
export const billOf = async ({ steps, jobs }: Pick<ExecutionAccount, 'steps' | 'jobs'>, prices?: InstancePrices, ask?: AskJob): Promise<RunBill> => {
  const known = (await mapConcurrent(jobs, ASKED_AT_ONCE, (job) => completed(job, ask))).filter((job) => job !== undefined);
  const costUsd = costOf(known, prices);
  return {
    steps: steps.map((step) => withBill(step, known.filter((job) => job.step === step.name && job.isLast), prices)),
    billed: secondsByType(known),
    unbilled: known.filter((job) => !isTold(job)).map(({ name }) => name),
    ...(costUsd !== undefined && { costUsd }),
  };
};

const isTold = ({ instanceType, instanceSeconds }: JobFacts): boolean => instanceType !== undefined && instanceSeconds !== undefined;

const completed = async (job: StepJob, ask?: AskJob): Promise<StepJob | undefined> => {
  if (isTold(job) || !ask) return job;
  const said = await ask(job);
  return said === 'none' ? undefined : { ...job, ...said };
};

const secondsByType = (jobs: readonly JobFacts[]): BilledInstances[] => {
  const sums = new Map<string, number>();
  for (const { instanceType, instanceSeconds } of jobs) {
    if (instanceType !== undefined && instanceSeconds !== undefined) sums.set(instanceType, (sums.get(instanceType) ?? 0) + instanceSeconds);
  }
  return [...sums].map(([instanceType, seconds]) => ({ instanceType, seconds })).sort((a, b) => a.instanceType.localeCompare(b.instanceType));
};

/** Dollars; undefined where a price or a bill is unknown. Jobs that are billed for nothing need no price. */
const costOf = (jobs: readonly JobFacts[], prices: InstancePrices | undefined): number | undefined => {
  if (prices === undefined) return undefined;
  let sum = 0;
  for (const { instanceType = '', instanceSeconds } of jobs) {
    if (instanceSeconds === undefined) return undefined;
    if (instanceSeconds === 0) continue;
    const price = Object.hasOwn(prices, instanceType) ? prices[instanceType] : undefined;
    if (price === undefined) return undefined;
    sum += (instanceSeconds / HOUR) * price;
  }
  return Number(sum.toFixed(6));
};

const withBill = (step: RunStep, jobs: readonly JobFacts[], prices: InstancePrices | undefined): RunStep => {
  if (jobs.length === 0) return step;
  const seconds = jobs.flatMap(({ instanceSeconds }) => instanceSeconds ?? []);
  const types = [...new Set(jobs.flatMap(({ instanceType }) => instanceType ?? []))].sort();
  const training = jobs.at(-1)?.trainingSeconds;
  const costUsd = costOf(jobs, prices);
  const outputs = {
    ...step.outputs,
    ...(seconds.length > 0 && { billableSeconds: String(seconds.reduce((sum, part) => sum + part, 0)) }),
    ...(seconds.length > 0 && types.length > 0 && { instances: types.join(', ') }),
    ...(training !== undefined && { trainingSeconds: String(training) }),
  };
  return { ...step, outputs, ...(costUsd !== undefined && { costUsd }) };
};
