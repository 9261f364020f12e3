import { setTimeout as sleep } from 'node:timers/promises';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { S3Files } from '../../lambda/common/s3.client';
import { capturePrefix, datasetPrefix, hourPath, labelsPrefix } from '../../lib/artifacts/contract';
import type { MonitorRequest, MonitorRun } from '../../lib/monitoring/contract';
import type { ModelResources, PlatformResources } from '../../lib/platform/contract';
import { VARIANT_NAME, type LabelRecord, type RecordedAnswer, type RecordedInvocation } from '../../lib/serving/contract';
import { followExecution } from '../executions';
import type { Platform } from '../platform';
import { inferenceIdOf, requestCsv, trainingCsv, type Hour } from './bike-data';

/** What a client application, a labelling job and a scheduler do around the platform; counts requests and failures. */
export class DemoClient {
  public requests = 0;
  public failures = 0;
  /** First message of a failed request, for the summary. */
  public firstFailure?: string;

  /** Objects of recorded requests that were read, and their lines: each is read once, however often the delivery is waited for. */
  private readonly counted = new Set<string>();
  private recorded = 0;

  private readonly lambda: LambdaClient;
  private readonly machines: SFNClient;
  private readonly files: S3Files;
  private readonly platform: PlatformResources;
  private readonly model: ModelResources;

  constructor(platform: Platform, model: string) {
    // One attempt: a request that had to be sent twice would be a failed one.
    this.lambda = new LambdaClient({ ...platform.connection, maxAttempts: 1 });
    this.machines = new SFNClient(platform.connection);
    this.files = new S3Files(new S3Client(platform.connection));
    this.platform = platform.resources;
    this.model = platform.model(model);
  }

  /** One request with the rows of these hours, as a client would send it; answers the predictions. */
  public async predict(hours: readonly Hour[]): Promise<number[]> {
    const invocation: RecordedInvocation = { body: requestCsv(hours), contentType: 'text/csv', inferenceId: inferenceIdOf(hours) };
    this.requests += 1;
    try {
      const answer = await this.invoke<RecordedAnswer>(this.model.recorderFunction as string, invocation);
      if (answer.statusCode !== 200) throw new Error(`HTTP ${answer.statusCode}: ${answer.body}`);
      return answer.body.trim().split('\n').map(Number);
    } catch (error) {
      this.failures += 1;
      this.firstFailure ??= (error as Error).message;
      return [];
    }
  }

  /** The true counts of answered requests, as one file of labels. */
  public async deliverLabels(requests: readonly (readonly Hour[])[], observedAt: string): Promise<void> {
    const labels = requests.flatMap((hours) =>
      hours.map((hour, rowIndex): LabelRecord => ({ inferenceId: inferenceIdOf(hours), rowIndex, value: hour.count, observedAt, labelVersion: 1 })),
    );
    const key = `${labelsPrefix(this.model.model)}${hourPath(new Date())}/${observedAt.slice(0, 13)}-${labels.length}.jsonl`;
    await this.files.putText(`s3://${this.platform.predictionsBucket}/${key}`, labels.map((label) => JSON.stringify(label)).join('\n') + '\n');
  }

  /** Hours with their truth join the training data. */
  public async uploadTrainingData(name: string, hours: readonly Hour[]): Promise<void> {
    await this.files.putText(`s3://${this.platform.dataBucket}/${datasetPrefix(this.model.model)}${name}.csv`, trainingCsv(hours), {
      contentType: 'text/csv',
    });
  }

  /** Waits until the records of `requests` answered requests lie in the bucket; Firehose delivers with a delay. */
  public async recordsDelivered(requests: number, seconds = 20): Promise<void> {
    const prefix = `s3://${this.platform.predictionsBucket}/${capturePrefix(this.model.endpointName, VARIANT_NAME)}`;
    const deadline = Date.now() + seconds * 1000;
    while (Date.now() < deadline) {
      for await (const object of this.files.list(prefix)) {
        if (this.counted.has(object.key)) continue;
        this.counted.add(object.key);
        for await (const line of this.files.readLines(object.uri)) this.recorded += line.trim() ? 1 : 0;
      }
      if (this.recorded >= requests) return;
      await sleep(250);
    }
    throw new Error(`only ${this.recorded} of ${requests} requests were recorded within ${seconds} s: see the recording function's log`);
  }

  /** An execution of the monitor on demand, of the same state machine that the schedule starts. */
  public async monitor(request: MonitorRequest): Promise<MonitorRun> {
    const { monitorStateMachineArn: stateMachineArn } = this.model;
    const { executionArn = '' } = await this.machines.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(request) }));
    return followExecution(this.machines, executionArn, { what: 'the monitor' });
  }

  private async invoke<T>(functionName: string, payload: object): Promise<T> {
    const answer = await this.lambda.send(new InvokeCommand({ FunctionName: functionName, Payload: Buffer.from(JSON.stringify(payload)) }));
    const text = Buffer.from(answer.Payload ?? []).toString('utf8');
    if (answer.FunctionError) {
      const error = JSON.parse(text) as { errorType?: string; errorMessage?: string };
      throw new Error(`${functionName}: ${error.errorType ?? answer.FunctionError}: ${error.errorMessage ?? text}`);
    }
    return JSON.parse(text) as T;
  }
}
