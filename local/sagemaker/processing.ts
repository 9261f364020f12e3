import { randomUUID } from 'node:crypto';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CreateProcessingJobCommandInput, ProcessingJobStatus, ProcessingOutput } from '@aws-sdk/client-sagemaker';
import { type Context, announce, openLog, scaled } from './context';
import { DirectorySync } from './directory-sync';
import { invalid, messageOf } from './errors';
import { type JobFault, strike } from './job-faults';
import { Jobs } from './jobs';
import type { LogStream } from './logs';
import type { Container, Exit } from './processes';
import { checkProcessing } from './processing-requests';
import { type ListRequest, withoutTags } from './records';
import { downloadAll, listKeys, locationOf, relativeName, removeDirectory, storageReason } from './storage';

const GRACE_SECONDS = 120;
const DEFAULT_RUNTIME_SECONDS = 86_400;
const LONGEST_MILLISECONDS = 2 ** 31 - 1;

/** A failure in the service's own words; anything else that is thrown is an internal one. */
class JobFailure extends Error {}

class ProcessingJob {
  readonly created = new Date();
  modified = this.created;
  status: ProcessingJobStatus = 'InProgress';
  failureReason?: string;
  exitMessage?: string;
  started?: Date;
  ended?: Date;
  done: Promise<void> = Promise.resolve();
  private readonly root: string;
  private container?: Container;
  private stopReason?: string;
  private injected = false;
  private lastLine = '';

  constructor(
    private readonly context: Context,
    private readonly request: CreateProcessingJobCommandInput,
    readonly arn: string,
    private readonly fault?: JobFault,
  ) {
    this.root = path.join(context.options.workDirectory, 'processing', `${this.name}-${randomUUID().slice(0, 8)}`);
    this.announce();
  }

  get name(): string {
    return this.request.ProcessingJobName!;
  }

  describe() {
    return {
      ...withoutTags(this.request),
      StoppingCondition: this.request.StoppingCondition ?? { MaxRuntimeInSeconds: DEFAULT_RUNTIME_SECONDS },
      ProcessingJobArn: this.arn,
      ProcessingJobStatus: this.status,
      ExitMessage: this.exitMessage,
      FailureReason: this.failureReason,
      CreationTime: this.created,
      LastModifiedTime: this.modified,
      ProcessingStartTime: this.started,
      ProcessingEndTime: this.ended,
    };
  }

  stop(): void {
    if (this.status === 'Stopping') return;
    if (this.status !== 'InProgress') throw invalid(`The request was rejected because the processing job is in status ${this.status}`);
    this.end();
  }

  async run(): Promise<void> {
    const log = openLog(this.context, this.request.RoleArn!, '/aws/sagemaker/ProcessingJobs', `${this.name}/algo-1-${Math.floor(Date.now() / 1000)}`);
    let reason: string | undefined;
    try {
      await this.work(log);
    } catch (error) {
      reason = error instanceof JobFailure ? error.message : `InternalServerError: ${messageOf(error)}`;
    }
    await log.settle();
    this.context.streams.delete(log);
    this.ended = new Date();
    const stopped = (this.status as ProcessingJobStatus) === 'Stopping';
    this.failureReason = stopped ? this.stopReason : reason;
    this.enter(stopped ? 'Stopped' : reason ? 'Failed' : 'Completed');
    await removeDirectory(this.root);
  }

  private end(reason?: string): void {
    if (this.status !== 'InProgress') return;
    this.stopReason = reason;
    this.enter('Stopping');
    void this.container?.stop(scaled(this.context, GRACE_SECONDS));
  }

  private async work(log: LogStream): Promise<void> {
    const framework = this.context.images.framework(this.request.AppSpecification!.ImageUri!);
    const outputs = this.request.ProcessingOutputConfig?.Outputs ?? [];
    for (const { S3Output } of outputs) await mkdir(this.inside(S3Output!.LocalPath!), { recursive: true });
    await this.writeConfiguration();
    await this.fetchInputs();
    if (this.status !== 'InProgress') return;
    const syncs = outputs.filter(({ S3Output }) => S3Output!.S3UploadMode === 'Continuous').map((output) => this.syncOf(output));
    this.started = new Date();
    this.modified = this.started;
    const { ContainerEntrypoint = [], ContainerArguments = [] } = this.request.AppSpecification!;
    this.container = this.context.containers.take();
    this.container.start(
      {
        runner: 'processing',
        framework,
        root: this.root,
        cpus: 2,
        command: [...ContainerEntrypoint, ...ContainerArguments],
        isolated: this.request.NetworkConfig?.EnableNetworkIsolation === true,
        environment: { ...this.request.Environment, AWS_REGION: this.context.options.region, PROCESSING_JOB_NAME: this.name },
      },
      (line) => {
        if (line.trim()) this.lastLine = line.trim();
        log.write(line);
      },
    );
    for (const sync of syncs) sync.start();
    const exit = await this.outcome();
    const message = await readFile(path.join(this.root, 'output/message'), 'utf8').catch(() => '');
    this.exitMessage = message.slice(0, 1024) || undefined;
    const good = exit.code === 0 && !this.injected;
    await this.keep(syncs);
    if (!good && this.status === 'InProgress') throw new JobFailure(this.failure(exit));
    if (good || this.status !== 'InProgress') {
      await this.keep(outputs.filter(({ S3Output }) => S3Output!.S3UploadMode === 'EndOfJob').map((output) => this.syncOf(output)));
    }
  }

  private async outcome(): Promise<Exit> {
    const seconds = this.request.StoppingCondition?.MaxRuntimeInSeconds ?? DEFAULT_RUNTIME_SECONDS;
    const late = () => this.end(`The processing job exceeded MaxRuntimeInSeconds (${seconds})`);
    const timer = setTimeout(late, Math.min(seconds * 1000, LONGEST_MILLISECONDS));
    const container = this.container!;
    const withdraw = strike(this.fault, {
      timeout: late,
      stop: () => this.end(),
      kill: () => container.signal('SIGKILL'),
      fail: () => {
        this.injected = true;
        container.signal('SIGKILL');
      },
    });
    const exit = await container.exited;
    clearTimeout(timer);
    withdraw();
    return exit;
  }

  private failure({ code, signal }: Exit): string {
    const status = this.injected ? 1 : (code ?? (signal === 'SIGKILL' ? 137 : 143));
    const last = this.injected ? 'a fault rule made this job fail' : this.lastLine;
    return `AlgorithmError: See job logs for more information (Local engine: exit code ${status}${last ? `; ${last}` : ''})`.slice(0, 1024);
  }

  private async writeConfiguration(): Promise<void> {
    const directory = path.join(this.root, 'config');
    await mkdir(directory, { recursive: true });
    const { ProcessingInputs = [], ProcessingOutputConfig, ProcessingResources, AppSpecification, Environment, RoleArn } = this.request;
    const { StoppingCondition, NetworkConfig } = this.request;
    const job = {
      ProcessingJobArn: this.arn,
      ProcessingJobName: this.name,
      AppSpecification,
      Environment,
      ProcessingInputs,
      ProcessingOutputConfig,
      ProcessingResources,
      RoleArn,
      StoppingCondition,
      NetworkConfig,
    };
    await writeFile(path.join(directory, 'processingjobconfig.json'), JSON.stringify(job));
    await writeFile(path.join(directory, 'resourceconfig.json'), JSON.stringify({ current_host: 'algo-1', hosts: ['algo-1'] }));
  }

  private async fetchInputs(): Promise<void> {
    const s3 = this.context.engine.s3(this.request.RoleArn!);
    for (const { S3Input } of this.request.ProcessingInputs ?? []) {
      const directory = this.inside(S3Input!.LocalPath!);
      try {
        await mkdir(directory, { recursive: true });
        const { bucket, key } = locationOf(S3Input!.S3Uri!);
        const keys = await listKeys(s3, bucket, key);
        if (keys.length === 0) throw new Error(`No S3 objects found under S3 URL "${S3Input!.S3Uri}"`);
        await downloadAll(s3, bucket, new Map(keys.map((name) => [name, relativeName(name, key)])), directory);
      } catch (error) {
        throw new JobFailure(`ClientError: Data download failed:${storageReason(error)}`);
      }
    }
  }

  private syncOf({ S3Output }: ProcessingOutput): DirectorySync {
    const s3 = this.context.engine.s3(this.request.RoleArn!);
    return new DirectorySync(s3, S3Output!.S3Uri!, this.inside(S3Output!.LocalPath!), this.request.ProcessingOutputConfig?.KmsKeyId);
  }

  private async keep(syncs: readonly DirectorySync[]): Promise<void> {
    try {
      for (const sync of syncs) {
        const links = (await readdir(sync.directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isSymbolicLink());
        if (links.length > 0) throw new Error(`symbolic links are not allowed in outputs: ${links[0].name}`);
        await sync.stop();
      }
    } catch (error) {
      throw new JobFailure(`ClientError: Failed to upload output:${storageReason(error)}`);
    }
  }

  private inside(local: string): string {
    return path.join(this.root, path.relative('/opt/ml', local));
  }

  private enter(status: ProcessingJobStatus): void {
    this.status = status;
    this.modified = new Date();
    this.announce();
  }

  private announce(): void {
    announce(this.context, 'Processing Job', { ...this.describe(), Tags: this.context.tags.asObject(this.arn) }, this.arn);
  }
}

export class ProcessingJobs {
  private readonly jobs: Jobs<ProcessingJob>;

  constructor(private readonly context: Context) {
    const unknown = (name: string) => invalid(`Could not find requested job with name: ${name}`);
    this.jobs = new Jobs(context, 'Processing job', { kind: 'processing-job', unknown, descendingByDefault: true });
  }

  async create(request: CreateProcessingJobCommandInput, fault?: JobFault) {
    const name = request.ProcessingJobName!;
    checkProcessing(request);
    this.context.images.framework(request.AppSpecification!.ImageUri!);
    const make = (arn: string) => new ProcessingJob(this.context, request, arn, fault);
    return { ProcessingJobArn: (await this.jobs.start({ name, roleArn: request.RoleArn, tags: request.Tags, make })).arn };
  }

  describe({ ProcessingJobName }: { ProcessingJobName: string }) {
    return this.jobs.get(ProcessingJobName).describe();
  }

  list(request: ListRequest) {
    const { items, NextToken } = this.jobs.page(request);
    return {
      ProcessingJobSummaries: items.map(({ name, arn, created, modified, ended, status, failureReason, exitMessage }) => ({
        ProcessingJobName: name,
        ProcessingJobArn: arn,
        CreationTime: created,
        ProcessingEndTime: ended,
        LastModifiedTime: modified,
        ProcessingJobStatus: status,
        FailureReason: failureReason,
        ExitMessage: exitMessage,
      })),
      NextToken,
    };
  }

  stop({ ProcessingJobName }: { ProcessingJobName: string }) {
    this.jobs.get(ProcessingJobName).stop();
    return {};
  }

  settled(): Promise<void> {
    return this.jobs.settled();
  }
}
