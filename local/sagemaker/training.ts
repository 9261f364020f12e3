import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type {
  CreateTrainingJobCommandInput,
  DescribeTrainingJobCommandOutput,
  SecondaryStatus,
  TrainingJobStatus,
} from '@aws-sdk/client-sagemaker';
import { type Context, announce, openLog, scaled } from './context';
import { inUse, invalid, messageOf, unsupported } from './errors';
import { FinalMetrics } from './final-metrics';
import type { LogStream } from './logs';
import type { Container, Exit } from './processes';
import { type ListRequest, Records, withoutTags } from './records';
import { archive, isEmpty, joinUri, removeDirectory, storageReason, upload } from './storage';
import { fetchInputs } from './training-inputs';
import { checkTraining } from './training-requests';

const GRACE_SECONDS = 120;
const MESSAGES: Partial<Record<SecondaryStatus, string>> = {
  Starting: 'Starting the training job',
  Downloading: 'Downloading the training image',
  Training: 'Training image download completed. Training in progress.',
  Uploading: 'Uploading generated training model',
  Completed: 'Training job completed',
  Failed: 'Training job failed',
  Stopping: 'Stopping the training job',
  Stopped: 'Training job stopped',
  MaxRuntimeExceeded: 'Training job exceeded its maximum run time',
};

type Description = { -readonly [K in keyof Omit<DescribeTrainingJobCommandOutput, '$metadata'>]: DescribeTrainingJobCommandOutput[K] };

/** A failure in the service's own words; anything else that is thrown is an internal one. */
class JobFailure extends Error {}

class TrainingJob {
  readonly created = new Date();
  readonly root: string;
  description: Description;
  done: Promise<void> = Promise.resolve();
  private container?: Container;
  private stopping?: 'Stopped' | 'MaxRuntimeExceeded';

  constructor(
    private readonly context: Context,
    private readonly request: CreateTrainingJobCommandInput,
    readonly arn: string,
  ) {
    this.root = path.join(context.options.workDirectory, 'training', `${request.TrainingJobName}-${randomUUID().slice(0, 8)}`);
    this.description = {
      ...withoutTags(request),
      TrainingJobArn: arn,
      EnableNetworkIsolation: request.EnableNetworkIsolation ?? false,
      EnableInterContainerTrafficEncryption: request.EnableInterContainerTrafficEncryption ?? false,
      EnableManagedSpotTraining: request.EnableManagedSpotTraining ?? false,
      StoppingCondition: { MaxRuntimeInSeconds: 86_400, ...request.StoppingCondition },
      ModelArtifacts: undefined,
      TrainingJobStatus: 'InProgress',
      SecondaryStatus: 'Starting',
      SecondaryStatusTransitions: [],
      CreationTime: this.created,
      LastModifiedTime: this.created,
    };
    this.enter('Starting');
  }

  get name(): string {
    return this.request.TrainingJobName!;
  }

  get modified(): Date {
    return this.description.LastModifiedTime!;
  }

  get status(): TrainingJobStatus {
    return this.description.TrainingJobStatus!;
  }

  async run(): Promise<void> {
    const log = openLog(this.context, this.request.RoleArn!, '/aws/sagemaker/TrainingJobs', `${this.name}/algo-1-${Math.floor(Date.now() / 1000)}`);
    try {
      await this.work(log);
    } catch (error) {
      if (error instanceof JobFailure) this.finish('Failed', 'Failed', error.message);
      else this.finish('Failed', 'Failed', `InternalServerError: ${messageOf(error)}`);
    } finally {
      await log.flush();
      this.context.streams.delete(log);
      await removeDirectory(this.root);
    }
  }

  stop(): void {
    if (this.status === 'Stopping') return;
    if (this.status !== 'InProgress') throw invalid(`The request was rejected because the training job is in status ${this.status}`);
    this.interrupt('Stopped');
  }

  private interrupt(cause: 'Stopped' | 'MaxRuntimeExceeded'): void {
    if (this.stopping) return;
    this.stopping = cause;
    this.description.TrainingJobStatus = 'Stopping';
    this.enter('Stopping');
    void this.container?.stop(scaled(this.context, GRACE_SECONDS));
  }

  private async work(log: LogStream): Promise<void> {
    for (const directory of ['input/config', 'input/data', 'model', 'output/data', 'output/intermediate', 'code']) {
      await mkdir(path.join(this.root, directory), { recursive: true });
    }
    if (!this.stopping) this.enter('Downloading');
    const framework = this.context.images.framework(this.request.AlgorithmSpecification!.TrainingImage!);
    try {
      await fetchInputs(this.context.engine.s3(this.request.RoleArn!), this.request, this.root);
    } catch (error) {
      throw new JobFailure(`ClientError: Data download failed:${storageReason(error)}`);
    }
    if (this.stopping) return this.finish('Stopped', this.stopping);

    this.enter('Training');
    this.description.TrainingStartTime = new Date();
    const metrics = new FinalMetrics(this.request.AlgorithmSpecification!.MetricDefinitions ?? []);
    this.container = this.context.containers.take();
    this.container.start(
      { runner: 'training', framework, root: this.root, cpus: 2, environment: this.environment() },
      (line) => {
        log.write(line);
        metrics.read(line);
      },
    );
    const exit = await this.outcome();
    await log.settle();
    this.description.FinalMetricDataList = metrics.list();
    metrics.publish(this.context.metrics, this.name);
    if (!this.stopping && exit.code !== 0) throw new JobFailure(await this.failure(exit));
    // What follows a training is most often a model that wants a container.
    this.context.containers.prepare();

    if (!this.stopping) this.enter('Uploading');
    await this.uploadResults();
    if (this.stopping) this.finish('Stopped', this.stopping);
    else this.finish('Completed', 'Completed');
  }

  private async outcome(): Promise<Exit> {
    const limit = (this.description.StoppingCondition!.MaxRuntimeInSeconds ?? 86_400) * 1000;
    const timer = setTimeout(() => this.interrupt('MaxRuntimeExceeded'), Math.min(limit, 2 ** 31 - 1));
    const exit = await this.container!.exited;
    clearTimeout(timer);
    return exit;
  }

  private async uploadResults(): Promise<void> {
    const s3 = this.context.engine.s3(this.request.RoleArn!);
    const { S3OutputPath, KmsKeyId } = this.request.OutputDataConfig!;
    const send = async (directory: string, name: string) => {
      const target = joinUri(S3OutputPath!, this.name, 'output', name);
      await upload(s3, target, await archive(path.join(this.root, directory), path.join(this.root, name)), KmsKeyId);
      return target;
    };
    try {
      // A script that saved nothing still completes; its archive is then empty, as on AWS.
      if (!this.stopping || !(await isEmpty(path.join(this.root, 'model')))) {
        this.description.ModelArtifacts = { S3ModelArtifacts: await send('model', 'model.tar.gz') };
      }
      if (!(await isEmpty(path.join(this.root, 'output/data')))) await send('output/data', 'output.tar.gz');
    } catch (error) {
      throw new JobFailure(`ClientError: Artifact upload failed:${storageReason(error)}`);
    }
  }

  private async failure({ code, signal }: Exit): Promise<string> {
    const text = await readFile(path.join(this.root, 'output/failure'), 'utf8').catch(() => '');
    const status = code ?? (signal === 'SIGKILL' ? 137 : 143);
    const cause = text ? `${text.slice(0, 1024)}, ` : '';
    return `AlgorithmError: ${cause}exit code: ${status}`;
  }

  private environment(): Record<string, string> {
    return {
      ...this.request.Environment,
      TRAINING_JOB_NAME: this.name,
      TRAINING_JOB_ARN: this.arn,
      AWS_REGION: this.context.options.region,
    };
  }

  private enter(status: SecondaryStatus): void {
    const now = new Date();
    const transitions = this.description.SecondaryStatusTransitions!;
    const last = transitions[transitions.length - 1];
    if (last) last.EndTime = now;
    transitions.push({ Status: status, StartTime: now, EndTime: undefined, StatusMessage: MESSAGES[status] });
    this.description.SecondaryStatus = status;
    this.description.LastModifiedTime = now;
    announce(this.context, 'Training Job', { ...this.description, Tags: this.context.tags.asObject(this.arn) }, this.arn);
  }

  private finish(status: TrainingJobStatus, secondary: SecondaryStatus, reason?: string): void {
    const now = new Date();
    this.description.TrainingJobStatus = status;
    this.description.FailureReason = reason;
    this.description.TrainingEndTime = now;
    const started = this.description.TrainingStartTime;
    const seconds = started ? Math.max(1, Math.round((now.getTime() - started.getTime()) / 1000)) : 0;
    this.description.TrainingTimeInSeconds = seconds;
    this.description.BillableTimeInSeconds = seconds;
    this.enter(secondary);
    const transitions = this.description.SecondaryStatusTransitions!;
    transitions[transitions.length - 1].EndTime = now;
    if (reason) transitions[transitions.length - 1].StatusMessage = reason;
  }
}

export class TrainingJobs {
  private readonly jobs: Records<TrainingJob>;

  constructor(private readonly context: Context) {
    const { region, accountId } = context.options;
    this.jobs = new Records({ kind: 'training-job', unknown: () => invalid('Requested resource not found.') }, region, accountId);
  }

  async create(request: CreateTrainingJobCommandInput) {
    const name = request.TrainingJobName!;
    checkTraining(request);
    this.context.images.framework(request.AlgorithmSpecification!.TrainingImage!);
    const arn = this.jobs.arnOf(name);
    this.refuseKnown(name, arn);
    await this.context.engine.assume(request.RoleArn!);
    this.refuseKnown(name, arn);
    this.context.tags.set(arn, request.Tags);
    const job = new TrainingJob(this.context, request, arn);
    this.jobs.add(job);
    job.done = job.run();
    return { TrainingJobArn: arn };
  }

  describe({ TrainingJobName }: { TrainingJobName: string }): Description {
    return this.jobs.get(TrainingJobName).description;
  }

  list(request: ListRequest & { WarmPoolStatusEquals?: string; TrainingPlanArnEquals?: string }) {
    if (request.WarmPoolStatusEquals || request.TrainingPlanArnEquals) throw unsupported('warm pools and training plans');
    const { items, NextToken } = this.jobs.page(request);
    return {
      TrainingJobSummaries: items.map(({ name, arn, created, modified, status, description }) => ({
        TrainingJobName: name,
        TrainingJobArn: arn,
        CreationTime: created,
        TrainingEndTime: description.TrainingEndTime,
        LastModifiedTime: modified,
        TrainingJobStatus: status,
        SecondaryStatus: description.SecondaryStatus,
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

  private refuseKnown(name: string, arn: string): void {
    if (!this.jobs.has(name)) return;
    throw inUse(`Training job names must be unique within an AWS account and region, and a training job with this name already exists (${arn})`);
  }
}
