import {
  DescribeHyperParameterTuningJobCommand,
  DescribeProcessingJobCommand,
  DescribeTrainingJobCommand,
  DescribeTransformJobCommand,
  paginateListTrainingJobsForHyperParameterTuningJob,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import { mapConcurrent } from '../common/concurrent';
import { type JobFacts, jobFacts } from './job-facts';

const DESCRIBED_AT_ONCE = 4;

interface Period {
  readonly TrainingStartTime?: Date;
  readonly TrainingEndTime?: Date;
}

/** What SageMaker bills jobs for, also while they run. */
export class BillsClient {
  constructor(
    private readonly client: SageMakerClient = new SageMakerClient({}),
    private readonly now: () => number = Date.now,
  ) {}

  /** Facts of a job with its seconds so far; 'none' where there never was such a job, undefined where it cannot be told. */
  async ask({ kind, name }: Pick<JobFacts, 'kind' | 'name'>): Promise<JobFacts | 'none' | undefined> {
    try {
      switch (kind) {
        case 'training':
          return await this.training(name);
        case 'transform': {
          const job = await this.client.send(new DescribeTransformJobCommand({ TransformJobName: name }));
          return this.period({ ...job }, 'TransformStartTime', 'TransformEndTime');
        }
        case 'processing': {
          const job = await this.client.send(new DescribeProcessingJobCommand({ ProcessingJobName: name }));
          return this.period({ ...job }, 'ProcessingStartTime', 'ProcessingEndTime');
        }
        case 'tuning':
          return await this.tuning(name);
        case 'auto-ml':
          // It runs jobs of kinds and instances that its description does not name.
          return undefined;
      }
    } catch (error) {
      // A bill that cannot be read must not keep anything else from being recorded.
      const isMissing = error instanceof Error && /ValidationException|ResourceNotFound/.test(error.name);
      return isMissing ? 'none' : undefined;
    }
  }

  private async training(name: string): Promise<JobFacts | undefined> {
    const job = await this.client.send(new DescribeTrainingJobCommand({ TrainingJobName: name }));
    return factsOf({ ...job, BillableTimeInSeconds: job.BillableTimeInSeconds ?? this.seconds(job) });
  }

  /** What the jobs of a tuning are billed for together. Spare capacity costs less than its time, and each job alone tells how much. */
  private async tuning(name: string): Promise<JobFacts | undefined> {
    const { client } = this;
    const job = await client.send(new DescribeHyperParameterTuningJobCommand({ HyperParameterTuningJobName: name }));
    const { ResourceConfig, EnableManagedSpotTraining: isSpot = false } = job.TrainingJobDefinition ?? {};
    const found: (Period & { readonly TrainingJobName?: string })[] = [];
    for await (const page of paginateListTrainingJobsForHyperParameterTuningJob({ client }, { HyperParameterTuningJobName: name })) {
      found.push(...(page.TrainingJobSummaries ?? []));
    }
    const told = await mapConcurrent(found, DESCRIBED_AT_ONCE, async (child) =>
      isSpot && child.TrainingJobName !== undefined
        ? (await this.training(child.TrainingJobName))?.instanceSeconds
        : this.seconds(child) * (ResourceConfig?.InstanceCount ?? 1),
    );
    const instanceSeconds = told.every((seconds) => seconds !== undefined) ? Math.round(told.reduce((sum, seconds) => sum + seconds, 0)) : undefined;
    const facts = factsOf(job);
    return facts && { ...facts, ...(instanceSeconds !== undefined && { instanceSeconds }) };
  }

  /** A job that has not ended is billed until now, one that has not begun for nothing. */
  private period(job: Record<string, unknown>, start: string, end: string): JobFacts | undefined {
    const now = new Date(this.now());
    return factsOf({ ...job, [start]: job[start] ?? now, [end]: job[start] === undefined ? now : (job[end] ?? now) });
  }

  /** SageMaker bills the time from the start of training on its instances; a job that never got there costs nothing. */
  private seconds({ TrainingStartTime: start, TrainingEndTime: end }: Period): number {
    return start === undefined ? 0 : Math.max(0, ((end?.getTime() ?? this.now()) - start.getTime()) / 1000);
  }
}

const factsOf = (described: object): JobFacts | undefined => jobFacts(JSON.stringify(described));
