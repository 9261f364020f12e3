import type { CreateAutoMLJobV2CommandInput } from '@aws-sdk/client-sagemaker';
import { AutoMlJob } from './automl-job';
import { autoMlPlanOf } from './automl-requests';
import type { Context } from './context';
import { ServiceError, inUse } from './errors';
import type { JobFault } from './job-faults';
import { type ListRequest, Records } from './records';
import type { TuningJobs } from './tuning';

export class AutoMlJobs {
  private readonly jobs: Records<AutoMlJob>;

  constructor(
    private readonly context: Context,
    private readonly tuning: TuningJobs,
  ) {
    const { region, accountId } = context.options;
    const unknown = (name: string) => new ServiceError('ResourceNotFound', `Could not find AutoML job with name ${name}.`);
    this.jobs = new Records({ kind: 'automl-job', unknown, descendingByDefault: true }, region, accountId);
  }

  async create(request: CreateAutoMLJobV2CommandInput, fault?: JobFault) {
    const plan = autoMlPlanOf(request);
    const name = request.AutoMLJobName!;
    const arn = this.jobs.arnOf(name);
    this.refuseKnown(name, arn);
    await this.context.engine.assume(request.RoleArn!);
    this.refuseKnown(name, arn);
    this.context.tags.set(arn, request.Tags);
    const job = new AutoMlJob(this.context, this.tuning, request, plan, arn, fault);
    this.jobs.add(job);
    job.done = job.run();
    return { AutoMLJobArn: arn };
  }

  describe({ AutoMLJobName }: { AutoMLJobName: string }) {
    return this.jobs.get(AutoMLJobName).describe();
  }

  stop({ AutoMLJobName }: { AutoMLJobName: string }) {
    this.jobs.get(AutoMLJobName).stop();
    return {};
  }

  list(request: ListRequest) {
    const { items, NextToken } = this.jobs.page(request);
    return {
      AutoMLJobSummaries: items.map(({ name, arn, created, modified, ended, status, secondary, failureReason }) => ({
        AutoMLJobName: name,
        AutoMLJobArn: arn,
        AutoMLJobStatus: status,
        AutoMLJobSecondaryStatus: secondary,
        CreationTime: created,
        EndTime: ended,
        LastModifiedTime: modified,
        FailureReason: failureReason,
      })),
      NextToken,
    };
  }

  async settled(): Promise<void> {
    await Promise.all(this.jobs.values().map((job) => job.done));
  }

  private refuseKnown(name: string, arn: string): void {
    if (this.jobs.has(name)) throw inUse(`AutoML job names must be unique within an AWS account and region, and one with this name exists (${arn})`);
  }
}
