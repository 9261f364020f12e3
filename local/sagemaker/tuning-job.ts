import { randomBytes } from 'node:crypto';
import type {
  CreateHyperParameterTuningJobCommandInput,
  CreateTrainingJobCommandInput,
  HyperParameterTrainingJobDefinition,
  HyperParameterTrainingJobSummary,
  HyperParameterTuningJobObjective,
  HyperParameterTuningJobStatus,
} from '@aws-sdk/client-sagemaker';
import { type Context, announce } from './context';
import { invalid, messageOf } from './errors';
import { type JobFault, jobFaultOf, strike } from './job-faults';
import { withoutTags } from './records';
import type { TrainingJobs } from './training';
import type { TrainingJob } from './training-job';
import type { Point, Space } from './tuning-space';
import { type Search, type Trial, searchOf } from './tuning-strategies';

/** More at a time would only slow each other down here. */
const MOST_PARALLEL = 2;
const LONGEST_MILLISECONDS = 2 ** 31 - 1;

export interface Child extends Trial {
  readonly job: TrainingJob;
}

export interface TuningPlan {
  readonly space: Space;
  readonly definition: HyperParameterTrainingJobDefinition;
  readonly objective: HyperParameterTuningJobObjective;
  readonly jobs: number;
}

export class TuningJob {
  readonly created = new Date();
  modified = this.created;
  status: HyperParameterTuningJobStatus = 'InProgress';
  ended?: Date;
  done: Promise<void> = Promise.resolve();
  readonly children: Child[] = [];
  private readonly search: Search;
  private readonly sign: 1 | -1;
  private failureReason?: string;
  /** Children asked for. */
  private made = 0;
  /** Children that could not even be made. */
  private refused = 0;
  /** Finished jobs since the best one. */
  private withoutProgress = 0;
  private enough = false;

  constructor(
    private readonly context: Context,
    private readonly training: TrainingJobs,
    readonly request: CreateHyperParameterTuningJobCommandInput,
    private readonly plan: TuningPlan,
    readonly arn: string,
    private readonly fault?: JobFault,
  ) {
    this.search = searchOf(request.HyperParameterTuningJobConfig!, plan.space);
    this.sign = plan.objective.Type === 'Maximize' ? 1 : -1;
    this.enter('InProgress');
  }

  get name(): string {
    return this.request.HyperParameterTuningJobName!;
  }

  async run(): Promise<void> {
    const limits = this.request.HyperParameterTuningJobConfig!.ResourceLimits!;
    const late = setTimeout(() => this.halt(), Math.min((limits.MaxRuntimeInSeconds ?? Infinity) * 1000, LONGEST_MILLISECONDS));
    const withdraw = strike(this.fault, {
      stop: () => this.halt(),
      timeout: () => this.halt(),
      kill: () => this.children.forEach(({ job }) => job.kill()),
      fail: () => {
        this.failureReason = 'InternalServerError: a fault rule of the local engine made this job fail';
        this.stopChildren();
      },
    });
    const workers = Array.from({ length: Math.min(limits.MaxParallelTrainingJobs!, MOST_PARALLEL, this.plan.jobs) }, () => this.work());
    await Promise.all(workers);
    clearTimeout(late);
    withdraw();
    this.finish();
  }

  stop(): void {
    if (this.status === 'Stopping') return;
    if (this.status !== 'InProgress') throw invalid(`The request was rejected because the tuning job is in status ${this.status}`);
    this.halt();
  }

  describe() {
    const best = this.best();
    return {
      ...withoutTags(this.request),
      HyperParameterTuningJobArn: this.arn,
      TrainingJobDefinition: { ...this.plan.definition, StaticHyperParameters: this.fixed() },
      HyperParameterTuningJobStatus: this.status,
      CreationTime: this.created,
      HyperParameterTuningEndTime: this.ended,
      LastModifiedTime: this.modified,
      ...this.counters(),
      BestTrainingJob: best && this.summary(best),
      TuningJobCompletionDetails: { NumberOfTrainingJobsObjectiveNotImproving: this.withoutProgress },
      ConsumedResources: { RuntimeInSeconds: Math.round(((this.ended?.getTime() ?? Date.now()) - this.created.getTime()) / 1000) },
      FailureReason: this.failureReason,
    };
  }

  counters() {
    const count = (...wanted: string[]) => this.children.filter(({ job }) => wanted.includes(job.status)).length;
    const objective = (wanted: string) => this.children.filter((child) => this.objectiveStatus(child) === wanted).length;
    return {
      TrainingJobStatusCounters: {
        Completed: count('Completed'),
        InProgress: count('InProgress', 'Stopping'),
        RetryableError: 0,
        NonRetryableError: count('Failed') + this.refused,
        Stopped: count('Stopped'),
      },
      ObjectiveStatusCounters: { Succeeded: objective('Succeeded'), Pending: objective('Pending'), Failed: objective('Failed') },
    };
  }

  summary(child: Child): HyperParameterTrainingJobSummary {
    const { job, score, point } = child;
    const { MetricName, Type } = this.plan.objective;
    return {
      TrainingJobDefinitionName: this.plan.definition.DefinitionName,
      TrainingJobName: job.name,
      TrainingJobArn: job.arn,
      CreationTime: job.created,
      TrainingStartTime: job.description.TrainingStartTime,
      TrainingEndTime: job.description.TrainingEndTime,
      TrainingJobStatus: job.status,
      TunedHyperParameters: point,
      FailureReason: job.description.FailureReason,
      FinalHyperParameterTuningJobObjectiveMetric: score === undefined ? undefined : { MetricName, Type, Value: score * this.sign },
      ObjectiveStatus: this.objectiveStatus(child),
    };
  }

  private objectiveStatus({ job, score }: Child) {
    if (['InProgress', 'Stopping'].includes(job.status)) return 'Pending';
    return score === undefined || job.status === 'Failed' ? 'Failed' : 'Succeeded';
  }

  private best(): Child | undefined {
    const judged = this.children.filter((child) => this.objectiveStatus(child) === 'Succeeded');
    return judged.reduce<Child | undefined>((found, child) => (found === undefined || child.score! > found.score! ? child : found), undefined);
  }

  private async work(): Promise<void> {
    while (this.status === 'InProgress' && !this.enough && !this.failureReason && this.made < this.plan.jobs) {
      const point = this.search.next(this.children);
      if (!point) return;
      await this.try(point);
    }
  }

  private async try(point: Point): Promise<void> {
    const request = this.childRequest(point);
    const scores: number[] = [];
    const trial: { child?: Child } = {};
    try {
      const fault = jobFaultOf(await this.context.engine.faultOf('CreateTrainingJob', request.TrainingJobName!));
      const job = await this.training.launch(request, {
        fault,
        tuningJobArn: this.arn,
        onMetric: ({ MetricName, Value }) => {
          if (MetricName !== this.plan.objective.MetricName) return;
          scores.push(Value! * this.sign);
          if (trial.child && this.search.hopeless(trial.child, this.children)) job.stopEarly();
        },
      });
      trial.child = { job, point, scores, completed: false };
      this.children.push(trial.child);
      if (this.status !== 'InProgress' || this.failureReason) job.stopEarly();
      await job.done;
      this.judge(trial.child);
    } catch (error) {
      this.refused += 1;
      this.context.log(`a training job of ${this.name} was not made: ${messageOf(error)}`);
    }
  }

  private judge(child: Child): void {
    child.completed = child.job.status === 'Completed';
    const before = this.best()?.score;
    if (child.job.status !== 'Failed') child.score = child.scores[child.scores.length - 1];
    const criteria = this.request.HyperParameterTuningJobConfig!.TuningJobCompletionCriteria;
    const improved = child.score !== undefined && (before === undefined || child.score > before);
    this.withoutProgress = improved ? 0 : this.withoutProgress + 1;
    const target = criteria?.TargetObjectiveMetricValue;
    const patience = criteria?.BestObjectiveNotImproving?.MaxNumberOfTrainingJobsNotImproving ?? Infinity;
    const reached = target !== undefined && child.score !== undefined && child.score >= target * this.sign;
    if (reached || this.withoutProgress >= patience) {
      this.enough = true;
      this.stopChildren();
    }
  }

  private childRequest(point: Point): CreateTrainingJobCommandInput {
    const { definition } = this.plan;
    this.made += 1;
    const resources = definition.HyperParameterTuningResourceConfig;
    return {
      TrainingJobName: `${this.name}-${String(this.made).padStart(3, '0')}-${randomBytes(4).toString('hex')}`,
      HyperParameters: { ...this.fixed(), ...point },
      AlgorithmSpecification: definition.AlgorithmSpecification as CreateTrainingJobCommandInput['AlgorithmSpecification'],
      RoleArn: definition.RoleArn,
      InputDataConfig: definition.InputDataConfig,
      OutputDataConfig: definition.OutputDataConfig,
      ResourceConfig: definition.ResourceConfig ?? (resources as CreateTrainingJobCommandInput['ResourceConfig']),
      VpcConfig: definition.VpcConfig,
      StoppingCondition: definition.StoppingCondition,
      EnableNetworkIsolation: definition.EnableNetworkIsolation,
      EnableInterContainerTrafficEncryption: definition.EnableInterContainerTrafficEncryption,
      EnableManagedSpotTraining: definition.EnableManagedSpotTraining,
      CheckpointConfig: definition.CheckpointConfig,
      RetryStrategy: definition.RetryStrategy,
      Environment: definition.Environment,
      Tags: this.request.Tags,
    };
  }

  private fixed(): Record<string, string> {
    return { ...this.plan.definition.StaticHyperParameters, _tuning_objective_metric: this.plan.objective.MetricName! };
  }

  private halt(): void {
    if (this.status !== 'InProgress') return;
    this.enter('Stopping');
    this.stopChildren();
  }

  private stopChildren(): void {
    for (const { job } of this.children) job.stopEarly();
  }

  private finish(): void {
    this.ended = new Date();
    if (this.status === 'Stopping') return this.enter('Stopped');
    if (!this.failureReason && !this.best()) {
      this.failureReason = this.children.every(({ job }) => job.status === 'Failed')
        ? 'All training jobs failed. Please take a look at the training jobs failures to get more details.'
        : `No training job wrote the objective metric ${this.plan.objective.MetricName} to its log.`;
    }
    this.enter(this.failureReason ? 'Failed' : 'Completed');
  }

  private enter(status: HyperParameterTuningJobStatus): void {
    this.status = status;
    this.modified = new Date();
    announce(this.context, 'HyperParameter Tuning Job', { ...this.describe(), Tags: this.context.tags.asObject(this.arn) }, this.arn);
  }
}
