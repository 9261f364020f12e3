import type { CreateTrainingJobCommandInput } from '@aws-sdk/client-sagemaker';
import { trainingMode } from './algorithm';
import { type Context, waited } from './context';
import { invalid, unsupported } from './errors';
import type { JobFault } from './job-faults';
import { Jobs } from './jobs';
import type { ListRequest } from './records';
import { type Circumstances, type Description, TrainingJob } from './training-job';
import { checkTraining } from './training-requests';

export class TrainingJobs {
  private readonly jobs: Jobs<TrainingJob>;

  constructor(private readonly context: Context) {
    this.jobs = new Jobs(context, 'Training job', { kind: 'training-job', unknown: () => invalid('Requested resource not found.') });
  }

  async create(request: CreateTrainingJobCommandInput, fault?: JobFault) {
    return { TrainingJobArn: (await this.launch(request, { fault })).arn };
  }

  /** The job that was made and started; a tuning job makes its children so. */
  async launch(request: CreateTrainingJobCommandInput, circumstances: Circumstances): Promise<TrainingJob> {
    const name = request.TrainingJobName!;
    checkTraining(request, trainingMode(request, this.context.options.images));
    this.context.images.framework(request.AlgorithmSpecification!.TrainingImage!);
    const make = (arn: string) => new TrainingJob(this.context, request, arn, circumstances);
    return this.jobs.start({ name, roleArn: request.RoleArn, tags: request.Tags, make });
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

  settled(): Promise<void> {
    return this.jobs.settled();
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
}
