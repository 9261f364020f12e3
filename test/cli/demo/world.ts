import { CreateTransformJobCommand, DescribeTransformJobCommand, SageMakerClient } from '@aws-sdk/client-sagemaker';
import type { DemoClient } from '../../../cli/demo/client';
import { GovernorClient } from '../../../lambda/retraining/governor.client';
import { capturePrefix } from '../../../lib/artifacts/contract';
import type { MonitorAnswer, MonitorRequest, MonitorRun } from '../../../lib/monitoring/contract';
import type { Decision } from '../../../lib/retraining/contract';
import type { RecordedInvocation } from '../../../lib/serving/contract';
import { MemoryPlatform, modelResources, PLATFORM } from '../../fakes/platform';
import { register, registryOver, versionRecord } from '../../fakes/registry';

export const MODEL = 'BikeDemand';

/** How long a run takes: long enough to see the client go on, short enough for a test. */
const RUN_MS = 400;
const RESOURCES = modelResources(MODEL);
const by = { actor: 'pipeline', reason: 'x' };

/**
 * A platform in memory whose functions do what the demo's story rests on: requests are answered and recorded, April is worse than the first version
 * may be, and a degraded month starts a run that promotes the next version, unless one runs already or has just run.
 */
export class DemoWorld extends MemoryPlatform {
  /** Rows of every answered request, in order. */
  readonly answered: string[][] = [];
  readonly registry = registryOver(this.dynamo.client());
  readonly governor = new GovernorClient('governor', this.dynamo.client());
  /** How the next run ends. */
  runStatus: 'SUCCEEDED' | 'FAILED' = 'SUCCEEDED';
  transformStatus: 'Completed' | 'Failed' = 'Completed';
  /** What the endpoint answers instead of predictions. */
  refusal?: { readonly statusCode: number; readonly body: string };
  private running?: string;
  private versions = 0;
  private decided = 0;

  constructor() {
    super();
    this.add(PLATFORM, [RESOURCES]);
    this.functions.set(RESOURCES.recorderFunction!, (payload) => this.predict(payload as never));
    this.machines.answers.set(RESOURCES.monitorStateMachineArn, (request) => this.monitor(request));
    this.bus.taken = ({ detail }) => this.decide('manual', String(detail.occurredAt));
  }

  override install(): this {
    super.install();
    jest.spyOn(SageMakerClient.prototype, 'send').mockImplementation((async (command: object) => this.transform(command)) as never);
    return this;
  }

  /** The version that serves, made by hand. */
  async promote(): Promise<number> {
    this.versions += 1;
    const runId = this.running ?? `by-hand-${this.versions}`;
    const about = { sagemakerModelName: 'first-model', cause: `cause of version ${this.versions}` };
    await register(this.registry, MODEL, versionRecord(runId, about), by);
    await this.registry.transition(MODEL, this.versions, 'Approved', by);
    await this.registry.promote(MODEL, this.versions, by);
    return this.versions;
  }

  private predict({ body, inferenceId }: RecordedInvocation): object {
    if (this.refusal) return { ...this.refusal, inferenceId };
    const rows = body.trim().split('\n');
    this.answered.push(rows);
    const name = String(this.answered.length).padStart(5, '0');
    this.bucket.objects.set(`predictions/${capturePrefix(RESOURCES.endpointName, 'primary')}2026/01/01/00/${name}.jsonl`, '{"one":"record"}\n');
    return { statusCode: 200, body: rows.map(() => '100\n').join(''), contentType: 'text/csv', inferenceId };
  }

  /** The two weeks that end in the middle and at the end of the range. */
  private async monitor({ windowStart = '', windowEnd = '' }: MonitorRequest): Promise<MonitorRun> {
    const middle = `${windowStart.slice(0, 8)}15T00:00:00.000Z`;
    return {
      windows: [await this.judged(windowStart, middle, false), await this.judged(middle, windowEnd, windowStart.startsWith('2012-04'))],
      unchanged: 0,
    };
  }

  private async judged(windowStart: string, windowEnd: string, degraded: boolean): Promise<MonitorAnswer> {
    if (degraded) await this.decide('quality', windowEnd);
    const reportUri = `s3://reports/monitoring/${windowEnd}/report.html`;
    this.bucket.objects.set(reportUri.slice(5), `<!doctype html><p>report to ${windowEnd}`);
    return {
      ...{ model: MODEL, version: this.versions, windowStart, windowEnd, rows: this.answered.flat().length },
      ...{ resultUri: reportUri.replace('report.html', 'result.json'), reportUri, metrics: { rmse: degraded ? 120.5 : 64.25 } },
      ...{ driftVerdict: degraded ? 'drift' : 'ok', driftedFeatures: degraded ? ['temp'] : [], qualityVerdict: degraded ? 'degraded' : 'ok' },
      ...{ groupsVerdict: 'no-rules', constraintsVerdict: 'ok', episodes: degraded ? ['drift', 'quality'] : [] },
    };
  }

  private async decide(kind: 'manual' | 'quality', occurredAt: string): Promise<void> {
    const decision: Decision = this.running ? 'coalesced' : kind === 'manual' || this.versions === 1 ? 'started' : 'refused-cooldown';
    this.decided += 1;
    const runId = decision === 'started' ? `${MODEL}-${this.decided}` : this.running;
    if (decision === 'started') this.start(runId!);
    await this.governor.addDecision({
      ...{ platform: 'mlops', model: MODEL, occurredAt, decision, runId, reason: 'the rules say so' },
      cause: { causeId: String(this.decided), kind, key: 'rmse', summary: `${kind} at ${occurredAt}`, occurredAt },
      at: new Date(Date.UTC(2026, 0, 1, 0, this.decided)).toISOString(),
    });
  }

  private start(runId: string): void {
    this.running = runId;
    const arn = `${RESOURCES.stateMachineArn.replace(':stateMachine:', ':execution:')}:${runId}`;
    const entered = (name: string) => [{ id: 1, timestamp: new Date(0), type: 'TaskStateEntered' as const, stateEnteredEventDetails: { name } }];
    this.machines.executions.set(arn, { status: 'RUNNING', events: entered('Train') });
    setTimeout(() => {
      const end = async (): Promise<void> => {
        const failed = this.runStatus === 'FAILED';
        const version = failed ? undefined : await this.promote();
        this.running = undefined;
        this.machines.executions.set(arn, {
          status: this.runStatus,
          events: entered(failed ? 'Train' : 'FinishPromoted'),
          output: JSON.stringify({ outcome: 'promoted', version, runId }),
          ...(failed && { error: 'AlgorithmError', cause: 'no memory' }),
        });
      };
      void end();
    }, RUN_MS);
  }

  /** Scores of every file below the input: 100 for each row. */
  private transform(command: object): object {
    if (command instanceof DescribeTransformJobCommand) return { TransformJobStatus: this.transformStatus, FailureReason: 'no memory' };
    if (!(command instanceof CreateTransformJobCommand)) throw new Error(`not stubbed: ${command.constructor.name}`);
    const { ModelName, TransformInput, TransformOutput } = command.input;
    if (ModelName !== 'first-model') throw new Error(`Could not find model "${ModelName}".`);
    const input = TransformInput!.DataSource!.S3DataSource!.S3Uri!.slice(5);
    for (const [key, text] of [...this.bucket.objects]) {
      if (!key.startsWith(input)) continue;
      const scores = text
        .trim()
        .split('\n')
        .map(() => '100')
        .join('\n');
      this.bucket.objects.set(`${TransformOutput!.S3OutputPath!.slice(5)}/${key.slice(input.length)}.out`, `${scores}\n`);
    }
    return {};
  }
}

/** What the client counts. */
export const countsOf = ({ requests, failures, firstFailure }: DemoClient) => ({ requests, failures, firstFailure });
