import type { CreateTrainingJobCommandInput } from '@aws-sdk/client-sagemaker';
import { trainingMode } from './algorithm';
import { type Context, waited } from './context';
import { inUse, invalid, unsupported } from './errors';
import type { JobFault } from './job-faults';
import { type ListRequest, Records } from './records';
import { type Circumstances, type Description, TrainingJob } from './training-job';
import { checkTraining } from './training-requests';

export class TrainingJobs {
  private readonly jobs: Records<TrainingJob>;

  constructor(private readonly context: Context) {
    const { region, accountId } = context.options;
    this.jobs = new Records({ kind: 'training-job', unknown: () => invalid('Requested resource not found.') }, region, accountId);
  }

  async create(request: CreateTrainingJobCommandInput, fault?: JobFault) {
    return { TrainingJobArn: (await this.launch(request, { fault })).arn };
  }

  /** The job that was made and started; a tuning job makes its children so. */
  async launch(request: CreateTrainingJobCommandInput, circumstances: Circumstances): Promise<TrainingJob> {
    const name = request.TrainingJobName!;
    checkTraining(request, trainingMode(request, this.context.options.images));
    this.context.images.framework(request.AlgorithmSpecification!.TrainingImage!);
    const arn = this.jobs.arnOf(name);
    this.refuseKnown(name, arn);
    await this.context.engine.assume(request.RoleArn!);
    this.refuseKnown(name, arn);
    this.context.tags.set(arn, request.Tags);
    const job = new TrainingJob(this.context, request, arn, circumstances);
    this.jobs.add(job);
    job.done = job.run();
    return job;
  }

  describe({ TrainingJobName }: { TrainingJobName: string }): Description {
    const { description } = this.jobs.get(TrainingJobName);
    return { ...description, WarmPoolStatus: this.warmPool(description) };
  }

  find(name: string): TrainingJob | undefined {
    return this.jobs.find(name);
  }

  list(request: ListRequest & { WarmPoolStatusEquals?: string; TrainingPlanArnEquals?: string }) {
    if (request.TrainingPlanArnEquals) throw unsupported('training plans');
    const wanted = request.WarmPoolStatusEquals;
    const { items, NextToken } = this.jobs.page(request, wanted ? (job) => this.warmPool(job.description)?.Status === wanted : undefined);
    return {
      TrainingJobSummaries: items.map(({ name, arn, created, modified, status, description }) => ({
        TrainingJobName: name,
        TrainingJobArn: arn,
        CreationTime: created,
        TrainingEndTime: description.TrainingEndTime,
        LastModifiedTime: modified,
        TrainingJobStatus: status,
        SecondaryStatus: description.SecondaryStatus,
        WarmPoolStatus: this.warmPool(description),
      })),
      NextToken,
    };
  }

  stop({ TrainingJobName }: { TrainingJobName: string }) {
    this.jobs.get(TrainingJobName).stop();
    return {};
  }

  /** Jobs end with their containers when the service closes. */
  async settled(): Promise<void> {
    await Promise.all(this.jobs.values().map((job) => job.done));
  }

  /** Kept for its time and never used again: every job here starts as fast as it would on a warm machine. */
  private warmPool({ ResourceConfig, TrainingEndTime }: Description): Description['WarmPoolStatus'] {
    const keptSeconds = ResourceConfig?.KeepAlivePeriodInSeconds;
    if (!keptSeconds || !TrainingEndTime) return undefined;
    const passed = Date.now() - TrainingEndTime.getTime();
    const kept = waited(this.context, keptSeconds);
    const share = Math.min(1, passed / kept);
    return { Status: passed < kept ? 'Available' : 'Terminated', ResourceRetainedBillableTimeInSeconds: Math.round(keptSeconds * share) };
  }

  private refuseKnown(name: string, arn: string): void {
    if (!this.jobs.has(name)) return;
    throw inUse(`Training job names must be unique within an AWS account and region, and a training job with this name already exists (${arn})`);
  }
}
