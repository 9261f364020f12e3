import { randomUUID } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CreateTrainingJobCommandInput,
  DescribeTrainingJobCommandOutput,
  MetricData,
  SecondaryStatus,
  TrainingJobStatus,
} from '@aws-sdk/client-sagemaker';
import { ALGORITHM_METRICS, type Mode, trainingMode } from './algorithm';
import { type Context, announce, openLog, scaled, waited } from './context';
import { DirectorySync } from './directory-sync';
import { invalid, messageOf } from './errors';
import { FinalMetrics } from './final-metrics';
import { programOf } from './images';
import { type JobFault, strike } from './job-faults';
import type { LogStream } from './logs';
import type { Container, Exit } from './processes';
import { withoutTags } from './records';
import { archive, isEmpty, joinUri, removeDirectory, storageReason, upload } from './storage';
import { CodeFailure, fetchCode, fetchInputs } from './training-inputs';

const GRACE_SECONDS = 120;
/** How long a spot job waits for capacity after it lost its machine. */
const CAPACITY_SECONDS = 30;
/** What a spot second costs of an on-demand one; AWS's prices move, this one does not. */
const SPOT_PRICE = 0.3;
const LONGEST_MILLISECONDS = 2 ** 31 - 1;
const RUNNERS = { program: 'processing', script: 'training', algorithm: 'algorithm' } as const;
/** What no line of a log may hold: CloudWatch has #011 for the tabs of XGBoost, and metrics are read with it. */
const CONTROL = /\p{Cc}/gu;
const MESSAGES: Partial<Record<SecondaryStatus, string>> = {
  Starting: 'Starting the training job',
  Downloading: 'Downloading the training image',
  Training: 'Training image download completed. Training in progress.',
  Uploading: 'Uploading generated training model',
  Interrupted: 'Training job interrupted: the managed spot instances were taken back',
  Completed: 'Training job completed',
  Failed: 'Training job failed',
  Stopping: 'Stopping the training job',
  Stopped: 'Training job stopped',
  MaxRuntimeExceeded: 'Training job exceeded its maximum run time',
  MaxWaitTimeExceeded: 'Training job exceeded its maximum wait time',
};

export type Description = { -readonly [K in keyof Omit<DescribeTrainingJobCommandOutput, '$metadata'>]: DescribeTrainingJobCommandOutput[K] };

/** What a job is beside its request. */
export interface Circumstances {
  readonly fault?: JobFault;
  readonly tuningJobArn?: string;
  /** Hears every value of a metric as the log shows it. */
  readonly onMetric?: (metric: MetricData) => void;
}

/** A failure in the service's own words; anything else that is thrown is an internal one. */
class JobFailure extends Error {}

type Cause = 'Stopped' | 'MaxRuntimeExceeded' | 'MaxWaitTimeExceeded';

export class TrainingJob {
  readonly created = new Date();
  readonly root: string;
  description: Description;
  done: Promise<void> = Promise.resolve();
  private container?: Container;
  private stopping?: Cause;
  /** The spot machine was taken back: what follows is another attempt. */
  private reclaimed = false;
  private injected = false;
  private trainedMilliseconds = 0;
  private attempt = 0;
  private readonly ending = new AbortController();
  private readonly mode: Mode;

  constructor(
    private readonly context: Context,
    private readonly request: CreateTrainingJobCommandInput,
    readonly arn: string,
    private readonly circumstances: Circumstances = {},
  ) {
    this.root = path.join(context.options.workDirectory, 'training', `${request.TrainingJobName}-${randomUUID().slice(0, 8)}`);
    this.mode = trainingMode(request, context.options.images);
    const algorithm = request.AlgorithmSpecification!;
    const MetricDefinitions = algorithm.MetricDefinitions ?? (this.mode === 'algorithm' ? [...ALGORITHM_METRICS] : undefined);
    this.description = {
      ...withoutTags(request),
      AlgorithmSpecification: { ...algorithm, MetricDefinitions },
      TrainingJobArn: arn,
      TuningJobArn: circumstances.tuningJobArn,
      EnableNetworkIsolation: request.EnableNetworkIsolation ?? false,
      EnableInterContainerTrafficEncryption: request.EnableInterContainerTrafficEncryption ?? false,
      EnableManagedSpotTraining: request.EnableManagedSpotTraining ?? false,
      StoppingCondition: { MaxRuntimeInSeconds: 86_400, ...request.StoppingCondition },
      CheckpointConfig: request.CheckpointConfig && { LocalPath: '/opt/ml/checkpoints', ...request.CheckpointConfig },
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
    const longest = this.request.EnableManagedSpotTraining ? this.request.StoppingCondition!.MaxWaitTimeInSeconds! * 1000 : LONGEST_MILLISECONDS;
    const late = setTimeout(() => this.interrupt('MaxWaitTimeExceeded'), Math.min(longest, LONGEST_MILLISECONDS));
    try {
      while (!(await this.work(log))) await this.waitForCapacity();
    } catch (error) {
      if (error instanceof JobFailure) this.finish('Failed', 'Failed', error.message);
      else this.finish('Failed', 'Failed', `InternalServerError: ${messageOf(error)}`);
    } finally {
      clearTimeout(late);
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

  /** For those who need no answer where it has ended already. */
  stopEarly(): void {
    this.interrupt('Stopped');
  }

  /** Its process dies as it stands. */
  kill(): void {
    this.container?.signal('SIGKILL');
  }

  private interrupt(cause: Cause): void {
    if (this.stopping || this.status !== 'InProgress') return;
    this.stopping = cause;
    this.description.TrainingJobStatus = 'Stopping';
    this.enter('Stopping');
    this.ending.abort();
    void this.container?.stop(scaled(this.context, GRACE_SECONDS));
  }

  /** The machine goes: two minutes on AWS, of which the container gets its grace period. */
  private reclaim(): void {
    if (!this.request.EnableManagedSpotTraining || this.stopping) return;
    this.reclaimed = true;
    void this.container?.stop(scaled(this.context, GRACE_SECONDS));
  }

  /** One run on one machine; false when the machine was lost and the job begins again. */
  private async work(log: LogStream): Promise<boolean> {
    this.attempt += 1;
    await removeDirectory(this.root);
    for (const directory of ['input/config', 'input/data', 'model', 'output/data', 'output/intermediate', 'code']) {
      await mkdir(path.join(this.root, directory), { recursive: true });
    }
    if (!this.stopping) this.enter('Downloading');
    const image = this.request.AlgorithmSpecification!.TrainingImage!;
    const framework = this.context.images.framework(image);
    const checkpoints = this.checkpoints();
    const unreachable = await this.fetch(checkpoints);
    if (this.stopping) return this.finish('Stopped', this.stopping);

    this.enter('Training');
    this.description.TrainingStartTime ??= new Date();
    if (unreachable) throw new JobFailure(unreachable);
    const metrics = new FinalMetrics(this.description.AlgorithmSpecification!.MetricDefinitions ?? [], this.circumstances.onMetric);
    const isolated = this.request.EnableNetworkIsolation === true;
    this.container = this.context.containers.take();
    const environment = this.environment(checkpoints);
    const program = programOf(this.context.options.images, image, 'train');
    this.container.start({ runner: RUNNERS[this.mode], program, framework, root: this.root, cpus: 2, isolated, environment }, (line) => {
      const shown = line.replace(CONTROL, (character) => `#${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
      log.write(shown);
      metrics.read(shown);
    });
    checkpoints?.start();
    const exit = await this.outcome(checkpoints);
    this.container = undefined;
    await log.settle();
    this.description.FinalMetricDataList = metrics.list();
    metrics.publish(this.context.metrics, this.name);
    await this.keep(checkpoints);
    if (this.reclaimed && !this.stopping) return false;
    if (!this.stopping && (exit.code !== 0 || this.injected)) throw new JobFailure(await this.failure(exit));
    // What follows a training is most often a model that wants a container.
    this.context.containers.prepare();

    if (!this.stopping) this.enter('Uploading');
    await this.uploadResults();
    return this.stopping ? this.finish('Stopped', this.stopping) : this.finish('Completed', 'Completed');
  }

  private async waitForCapacity(): Promise<void> {
    this.reclaimed = false;
    this.enter('Interrupted');
    await sleep(waited(this.context, CAPACITY_SECONDS), undefined, { ref: false, signal: this.ending.signal }).catch(() => undefined);
    if (!this.stopping) this.enter('Starting');
  }

  private checkpoints(): DirectorySync | undefined {
    const config = this.description.CheckpointConfig;
    if (!config) return undefined;
    const s3 = this.context.engine.s3(this.request.RoleArn!);
    const directory = path.join(this.root, path.relative('/opt/ml', config.LocalPath!));
    return new DirectorySync(s3, config.S3Uri!, directory, this.request.OutputDataConfig?.KmsKeyId);
  }

  /** What the toolkit inside the container could not fetch, if anything; what the service itself cannot fetch fails the job here. */
  private async fetch(checkpoints: DirectorySync | undefined): Promise<string | undefined> {
    const s3 = this.context.engine.s3(this.request.RoleArn!);
    try {
      await fetchInputs(s3, this.request, this.root);
      await checkpoints?.fetch();
      if (this.request.HyperParameters?.sagemaker_submit_directory) await fetchCode(s3, this.request, this.root);
    } catch (error) {
      if (error instanceof CodeFailure) return `AlgorithmError: ${error.message}, exit code: 1`;
      throw new JobFailure(`ClientError: Data download failed:${storageReason(error)}`);
    }
    return undefined;
  }

  private async outcome(checkpoints: DirectorySync | undefined): Promise<Exit> {
    const began = Date.now();
    const left = (this.description.StoppingCondition!.MaxRuntimeInSeconds ?? 86_400) * 1000 - this.trainedMilliseconds;
    const timer = setTimeout(() => this.interrupt('MaxRuntimeExceeded'), Math.min(left, LONGEST_MILLISECONDS));
    const container = this.container!;
    // A fault strikes once: what a spot job does after its interruption is what the rule wants to see.
    const effects = {
      timeout: () => this.interrupt('MaxRuntimeExceeded'),
      stop: () => this.interrupt('Stopped'),
      'interrupt-spot': () => this.reclaim(),
      kill: () => container.signal('SIGKILL'),
      fail: () => {
        this.injected = true;
        container.signal('SIGKILL');
      },
    };
    const withdraw = strike(this.attempt === 1 ? this.circumstances.fault : undefined, effects, checkpoints?.first);
    const exit = await container.exited;
    clearTimeout(timer);
    withdraw();
    this.trainedMilliseconds += Date.now() - began;
    return exit;
  }

  private async keep(checkpoints: DirectorySync | undefined): Promise<void> {
    try {
      await checkpoints?.stop();
    } catch (error) {
      throw new JobFailure(`ClientError: Checkpoint upload failed:${storageReason(error)}`);
    }
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
    if (this.injected) return 'AlgorithmError: a fault rule of the local engine made this job fail, exit code: 1';
    const text = await readFile(path.join(this.root, 'output/failure'), 'utf8').catch(() => '');
    const status = code ?? (signal === 'SIGKILL' ? 137 : 143);
    const cause = text ? `${text.slice(0, 1024)}, ` : '';
    return `AlgorithmError: ${cause}exit code: ${status}`;
  }

  private environment(checkpoints: DirectorySync | undefined): Record<string, string> {
    return {
      ...this.request.Environment,
      TRAINING_JOB_NAME: this.name,
      TRAINING_JOB_ARN: this.arn,
      AWS_REGION: this.context.options.region,
      // Only here: on AWS the directory is the one that CheckpointConfig names.
      ...(checkpoints ? { SM_CHECKPOINT_DIR: checkpoints.directory } : {}),
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

  private finish(status: TrainingJobStatus, secondary: SecondaryStatus, reason?: string): true {
    const now = new Date();
    this.description.TrainingJobStatus = status;
    this.description.FailureReason = reason;
    this.description.TrainingEndTime = now;
    const started = this.description.TrainingStartTime;
    const seconds = started ? Math.max(1, Math.ceil(this.trainedMilliseconds / 1000)) : 0;
    this.description.TrainingTimeInSeconds = seconds;
    this.description.BillableTimeInSeconds = this.request.EnableManagedSpotTraining ? Math.floor(seconds * SPOT_PRICE) : seconds;
    this.enter(secondary);
    const transitions = this.description.SecondaryStatusTransitions!;
    transitions[transitions.length - 1].EndTime = now;
    if (reason) transitions[transitions.length - 1].StatusMessage = reason;
    return true;
  }
}
