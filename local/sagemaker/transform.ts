import { randomUUID } from 'node:crypto';
import type { CreateTransformJobCommandInput, TransformJobStatus } from '@aws-sdk/client-sagemaker';
import { type Context, announce, openLog } from './context';
import { invalid } from './errors';
import { type JobFault, strike } from './job-faults';
import { Jobs } from './jobs';
import { ModelServer, StartFailure } from './model-server';
import type { ModelRecord, Models } from './models';
import { type ListRequest, withoutTags } from './records';
import { storageReason } from './storage';
import { TransformWork, checkTransform } from './transform-work';

class TransformJob {
  readonly created = new Date();
  modified = this.created;
  status: TransformJobStatus = 'InProgress';
  failureReason?: string;
  started?: Date;
  ended?: Date;
  done: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();
  private server?: ModelServer;
  /** Why a fault rule ended the work. */
  private broken?: string;

  constructor(
    private readonly context: Context,
    private readonly request: CreateTransformJobCommandInput,
    private readonly model: ModelRecord,
    readonly arn: string,
    private readonly fault?: JobFault,
  ) {
    this.announce();
  }

  get name(): string {
    return this.request.TransformJobName!;
  }

  describe() {
    return {
      ...withoutTags(this.request),
      BatchStrategy: this.request.BatchStrategy ?? 'MultiRecord',
      TransformJobArn: this.arn,
      TransformJobStatus: this.status,
      FailureReason: this.failureReason,
      CreationTime: this.created,
      TransformStartTime: this.started,
      TransformEndTime: this.ended,
    };
  }

  stop(): void {
    if (this.status === 'Stopping') return;
    if (this.status !== 'InProgress') throw invalid(`The request was rejected because the transform job is in status ${this.status}`);
    this.end();
  }

  private end(): void {
    this.enter('Stopping');
    this.stopping.abort();
    void this.server?.stop();
  }

  async run(): Promise<void> {
    const stream = `${this.name}/i-${randomUUID().replace(/-/g, '').slice(0, 17)}`;
    const log = openLog(this.context, this.model.roleArn, '/aws/sagemaker/TransformJobs', stream);
    this.server = new ModelServer(this.context, this.model, (line) => log.write(line), {
      ...this.request.Environment,
      SAGEMAKER_BATCH: 'True',
    });
    this.started = new Date();
    let reason: string | undefined;
    const withdraw = strike(this.fault, {
      stop: () => this.end(),
      kill: () => this.break('AlgorithmError: The primary container ended, exit code: 137'),
      fail: () => this.break('AlgorithmError: a fault rule of the local engine made this job fail'),
      timeout: () => this.break('AlgorithmError: Bad HTTP status received from algorithm: no answer within InvocationsTimeoutInSeconds'),
    });
    try {
      await this.work(this.server);
    } catch (error) {
      reason = this.broken ?? reasonOf(error);
      log.write(reason);
    }
    withdraw();
    await this.server.stop();
    await log.settle();
    this.context.streams.delete(log);
    this.ended = new Date();
    if (this.status === 'Stopping') return this.enter('Stopped');
    this.failureReason = reason;
    this.enter(reason ? 'Failed' : 'Completed');
  }

  private break(reason: string): void {
    this.broken = reason;
    this.stopping.abort();
    void this.server?.stop();
  }

  private async work(server: ModelServer): Promise<void> {
    const work = new TransformWork(this.request, this.context.engine.s3(this.model.roleArn), server, this.stopping.signal);
    const { bucket, names } = await work.inputs();
    if (names.size === 0) {
      const uri = this.request.TransformInput!.DataSource!.S3DataSource!.S3Uri;
      throw new StartFailure('data', `No S3 objects found under S3 URL "${uri}" given in input data source.`);
    }
    this.stopping.signal.throwIfAborted();
    await server.start();
    for (const [key, name] of names) {
      this.stopping.signal.throwIfAborted();
      await work.object(bucket, key, name);
    }
  }

  private enter(status: TransformJobStatus): void {
    this.status = status;
    this.modified = new Date();
    this.announce();
  }

  private announce(): void {
    announce(this.context, 'Transform Job', { ...this.describe(), Tags: this.context.tags.asObject(this.arn) }, this.arn);
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof StartFailure && error.kind === 'ping') {
    return `AlgorithmError: The primary container did not pass the ping health check. See job logs. (Local engine: ${error.message})`;
  }
  if (error instanceof StartFailure) return `ClientError: ${error.message}`;
  const text = storageReason(error);
  return text.startsWith('Bad HTTP status') ? `AlgorithmError: ${text}` : `ClientError: ${text}`;
}

export class TransformJobs {
  private readonly jobs: Jobs<TransformJob>;

  constructor(
    private readonly context: Context,
    private readonly models: Models,
  ) {
    const unknown = (name: string) => invalid(`Could not find requested job with name: ${name}`);
    this.jobs = new Jobs(context, 'Transform job', { kind: 'transform-job', unknown, descendingByDefault: true });
  }

  async create(request: CreateTransformJobCommandInput, fault?: JobFault) {
    const name = request.TransformJobName!;
    checkTransform(request);
    const model = this.models.get(request.ModelName!);
    const make = (arn: string) => new TransformJob(this.context, request, model, arn, fault);
    return { TransformJobArn: (await this.jobs.start({ name, tags: request.Tags, make })).arn };
  }

  describe({ TransformJobName }: { TransformJobName: string }) {
    return this.jobs.get(TransformJobName).describe();
  }

  list(request: ListRequest) {
    const { items, NextToken } = this.jobs.page(request);
    return {
      TransformJobSummaries: items.map(({ name, arn, created, modified, status, ended, failureReason }) => ({
        TransformJobName: name,
        TransformJobArn: arn,
        CreationTime: created,
        TransformEndTime: ended,
        LastModifiedTime: modified,
        TransformJobStatus: status,
        FailureReason: failureReason,
      })),
      NextToken,
    };
  }

  stop({ TransformJobName }: { TransformJobName: string }) {
    this.jobs.get(TransformJobName).stop();
    return {};
  }

  settled(): Promise<void> {
    return this.jobs.settled();
  }
}
