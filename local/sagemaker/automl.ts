import type { CreateAutoMLJobV2CommandInput } from '@aws-sdk/client-sagemaker';
import { AutoMlJob } from './automl-job';
import { autoMlPlanOf } from './automl-requests';
import type { Context } from './context';
import { ServiceError } from './errors';
import type { JobFault } from './job-faults';
import { Jobs } from './jobs';
import type { ListRequest } from './records';
import type { TuningJobs } from './tuning';

export class AutoMlJobs {
  private readonly jobs: Jobs<AutoMlJob>;

  constructor(
    private readonly context: Context,
    private readonly tuning: TuningJobs,
  ) {
    const unknown = (name: string) => new ServiceError('ResourceNotFound', `Could not find AutoML job with name ${name}.`);
    this.jobs = new Jobs(context, 'AutoML job', { kind: 'automl-job', unknown, descendingByDefault: true });
  }

  async create(request: CreateAutoMLJobV2CommandInput, fault?: JobFault) {
    const plan = autoMlPlanOf(request);
    const name = request.AutoMLJobName!;
    const make = (arn: string) => new AutoMlJob(this.context, this.tuning, request, plan, arn, fault);
    return { AutoMLJobArn: (await this.jobs.start({ name, roleArn: request.RoleArn, tags: request.Tags, make })).arn };
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

  settled(): Promise<void> {
    return this.jobs.settled();
  }
}
