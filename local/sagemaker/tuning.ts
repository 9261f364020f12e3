import type { CreateHyperParameterTuningJobCommandInput } from '@aws-sdk/client-sagemaker';
import { ALGORITHM_METRICS, modeOf } from './algorithm';
import type { Context } from './context';
import { ServiceError, invalid, unsupported } from './errors';
import type { OwnImages } from './images';
import type { JobFault } from './job-faults';
import { Jobs } from './jobs';
import { type ListRequest, Records } from './records';
import type { TrainingJobs } from './training';
import { type Child, TuningJob, type TuningPlan } from './tuning-job';
import { Space, checkStrategy } from './tuning-space';

type Create = CreateHyperParameterTuningJobCommandInput;

export class TuningJobs {
  private readonly jobs: Jobs<TuningJob>;

  constructor(
    private readonly context: Context,
    private readonly training: TrainingJobs,
  ) {
    const unknown = (name: string) => new ServiceError('ResourceNotFound', `Amazon SageMaker can't find a tuning job with the name ${name}.`);
    this.jobs = new Jobs(context, 'Tuning job', { kind: 'hyper-parameter-tuning-job', unknown, descendingByDefault: true });
  }

  async create(request: Create, fault?: JobFault) {
    return { HyperParameterTuningJobArn: (await this.launch(request, fault)).arn };
  }

  /** The job that was made and started; an AutoML job searches by one. */
  async launch(request: Create, fault?: JobFault): Promise<TuningJob> {
    const plan = planOf(request, this.context.options.images);
    this.context.images.framework(plan.definition.AlgorithmSpecification!.TrainingImage!);
    const name = request.HyperParameterTuningJobName!;
    const make = (arn: string) => new TuningJob(this.context, this.training, request, plan, arn, fault);
    return this.jobs.start({ name, roleArn: plan.definition.RoleArn, tags: request.Tags, make });
  }

  describe({ HyperParameterTuningJobName }: { HyperParameterTuningJobName: string }) {
    return this.jobs.get(HyperParameterTuningJobName).describe();
  }

  stop({ HyperParameterTuningJobName }: { HyperParameterTuningJobName: string }) {
    this.jobs.get(HyperParameterTuningJobName).stop();
    return {};
  }

  list(request: ListRequest) {
    const { items, NextToken } = this.jobs.page(request);
    return {
      HyperParameterTuningJobSummaries: items.map((job) => ({
        HyperParameterTuningJobName: job.name,
        HyperParameterTuningJobArn: job.arn,
        HyperParameterTuningJobStatus: job.status,
        Strategy: job.request.HyperParameterTuningJobConfig!.Strategy,
        CreationTime: job.created,
        HyperParameterTuningEndTime: job.ended,
        LastModifiedTime: job.modified,
        ...job.counters(),
        ResourceLimits: job.request.HyperParameterTuningJobConfig!.ResourceLimits,
      })),
      NextToken,
    };
  }

  listChildren(request: ListRequest & { HyperParameterTuningJobName: string }) {
    const job = this.jobs.get(request.HyperParameterTuningJobName);
    const { region, accountId } = this.context.options;
    const children = new Records<ChildRecord>({ kind: 'training-job', unknown: () => invalid('Requested resource not found.') }, region, accountId);
    const judged = request.SortBy === 'FinalObjectiveMetricValue';
    const worth = (child: Child): number => job.summary(child).FinalHyperParameterTuningJobObjectiveMetric?.Value ?? -Infinity;
    const ordered = judged ? [...job.children].sort((a, b) => worth(a) - worth(b)) : job.children;
    ordered.forEach((child, index) => {
      const { name, arn, created, modified, status } = child.job;
      // Order by value goes as order by time: of records that were made in the order of their values.
      children.add({ name, arn, created: judged ? new Date(index) : created, modified, status, child });
    });
    const { items, NextToken } = children.page({ ...request, SortBy: judged ? 'CreationTime' : request.SortBy });
    return { TrainingJobSummaries: items.map(({ child }) => job.summary(child)), NextToken };
  }

  settled(): Promise<void> {
    return this.jobs.settled();
  }

  /** The service closes: what runs ends with its containers, and nothing new is begun. */
  close(): void {
    for (const job of this.jobs.values()) if (job.status === 'InProgress') job.stop();
  }
}

interface ChildRecord {
  readonly name: string;
  readonly arn: string;
  readonly created: Date;
  readonly modified: Date;
  readonly status: string;
  readonly child: Child;
}

/** Refuses what AWS refuses and what this engine does not play. */
function planOf(request: Create, own: OwnImages | undefined): TuningPlan {
  if (request.WarmStartConfig) throw unsupported('WarmStartConfig of a tuning job');
  if (request.Autotune) throw unsupported('Autotune');
  if (request.TrainingJobDefinitions) {
    if (request.TrainingJobDefinition) throw invalid('TrainingJobDefinition and TrainingJobDefinitions cannot both be specified');
    throw unsupported('TrainingJobDefinitions: give one TrainingJobDefinition');
  }
  const definition = request.TrainingJobDefinition;
  if (!definition) throw invalid('Either TrainingJobDefinition or TrainingJobDefinitions must be specified');
  const algorithm = definition.AlgorithmSpecification!;
  if (!algorithm.TrainingImage) throw unsupported('AlgorithmName: name the image in TrainingImage');
  const config = request.HyperParameterTuningJobConfig!;
  const objective = config.HyperParameterTuningJobObjective;
  if (!objective) throw invalid('HyperParameterTuningJobObjective must be specified in HyperParameterTuningJobConfig');
  if (!config.ParameterRanges) throw invalid('ParameterRanges must be specified in HyperParameterTuningJobConfig');
  const mode = modeOf(algorithm.TrainingImage, definition.StaticHyperParameters?.sagemaker_program, own, 'train');
  const metrics = (algorithm.MetricDefinitions ?? (mode === 'algorithm' ? ALGORITHM_METRICS : [])).map(({ Name }) => Name);
  if (!metrics.includes(objective.MetricName)) {
    throw invalid(`The objective metric ${objective.MetricName} must be one of MetricDefinitions: ${metrics.join(', ') || 'there are none'}`);
  }
  const space = new Space(config.ParameterRanges, definition.StaticHyperParameters);
  return { space, definition, objective, jobs: checkStrategy(config, space) };
}
