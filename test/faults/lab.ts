import {
  ListEndpointConfigsCommand,
  ListHyperParameterTuningJobsCommand,
  ListProcessingJobsCommand,
  ListTrainingJobsCommand,
  ListTransformJobsCommand,
  DescribeEndpointCommand,
  SageMakerClient,
} from '@aws-sdk/client-sagemaker';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { sendRequest } from '../../cli/retrain/send-request';
import { executionHash } from '../../lambda/pipeline/job-names';
import { executionArnOf } from '../../lambda/retraining/governor';
import { shortPrefix } from '../../lib/pipeline/names';
import type { RunRecord } from '../../lib/tracking/contract';
import { Faults } from '../../local/faults';
import { client, eventually, useEngine } from '../integration/harness';
import { DeployedModel } from '../integration/loop';
import { trainingRows } from './app';
import type { Injection } from './steps';

/** What is left behind by a run. */
export interface Remains {
  readonly jobs: readonly string[];
  readonly endpointStatus: string;
  readonly endpointConfig: string;
  readonly champion?: number;
}

const SECONDS = 180;

/** One model of the matrix: its runs, and what faults do to them. */
export class Lab {
  static async of(platformName: string, modelName: string): Promise<Lab> {
    const model = await DeployedModel.find(platformName, modelName);
    const lab = new Lab(model, modelName);
    await model.upload('rows.csv', trainingRows());
    await lab.readStates();
    return lab;
  }

  private readonly faults = new Faults(useEngine());
  private readonly machines = client(SFNClient);
  private readonly sagemaker = client(SageMakerClient);
  /** Function of each state that is one. */
  private readonly functionOf = new Map<string, string>();
  private runs = 0;

  private constructor(
    readonly model: DeployedModel,
    private readonly name: string,
  ) {}

  /** Starts a run through the governor; answers its id. */
  async start(): Promise<string> {
    const { platform } = this.model;
    await eventually('the end of the run before', async () => ((await platform.governor.state(this.name)).lock ? undefined : true), SECONDS);
    this.runs += 1;
    const occurredAt = new Date(Date.UTC(2025, 0, 1, this.runs)).toISOString();
    await sendRequest(platform, this.name, { reason: `run ${this.runs}`, occurredAt, requestedBy: 'the fault matrix' });
    return eventually(
      'the decision',
      async () => (await this.model.decisions()).find(({ cause }) => cause.occurredAt === occurredAt)?.runId,
      SECONDS,
    );
  }

  /** Sets the fault for this model's calls; what is answered takes it back and tells how often it struck. */
  async inject(state: string, { rule }: Injection): Promise<() => Promise<number>> {
    const { endpointName } = this.model.resources;
    const where =
      rule.on === 'lambda'
        ? { operation: this.functionOf.get(state) as string, nameContains: rule.nameContains ?? this.name }
        : { nameContains: rule.operation === 'CreateHyperParameterTuningJob' ? shortPrefix(endpointName) : endpointName };
    const { id } = await this.faults.add({ ...rule, ...where });
    return async () => {
      const hits = (await this.faults.list()).find((fault) => fault.id === id)?.hits ?? 0;
      await this.faults.clear(id);
      return hits;
    };
  }

  async entered(runId: string, state: string): Promise<void> {
    const executionArn = this.arnOf(runId);
    await eventually(
      `state ${state}`,
      async () => {
        const { events = [] } = await this.machines.send(new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1000 }));
        return events.some(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name === state) || undefined;
      },
      SECONDS,
    );
  }

  async stop(runId: string): Promise<void> {
    await this.machines.send(new StopExecutionCommand({ executionArn: this.arnOf(runId), error: 'StoppedByHand', cause: 'a person stopped it' }));
  }

  async ended(runId: string): Promise<RunRecord> {
    return this.model.ended(runId);
  }

  /** Goes on where the run failed; answers its record at the end. */
  async redrive(runId: string): Promise<RunRecord> {
    const executionArn = this.arnOf(runId);
    await eventually('an execution to redrive', async () => {
      const { redriveStatus } = await this.machines.send(new DescribeExecutionCommand({ executionArn }));
      return redriveStatus === 'REDRIVABLE' || undefined;
    });
    await this.machines.send(new RedriveExecutionCommand({ executionArn }));
    await eventually(
      'the end of the redriven execution',
      async () => ((await this.machines.send(new DescribeExecutionCommand({ executionArn }))).status === 'RUNNING' ? undefined : true),
      SECONDS,
    );
    return eventually(
      'the record of the redriven run',
      async () => {
        const run = await this.model.platform.runs.getRun(runId);
        return run.status === 'RUNNING' || (run.status !== 'FINISHED' && run.outcome !== undefined) ? undefined : run;
      },
      SECONDS,
    );
  }

  async remains(runId: string): Promise<Remains> {
    const query = { NameContains: executionHash(this.arnOf(runId)), StatusEquals: 'InProgress' } as const;
    const training = await this.sagemaker.send(new ListTrainingJobsCommand(query));
    const transform = await this.sagemaker.send(new ListTransformJobsCommand(query));
    const processing = await this.sagemaker.send(new ListProcessingJobsCommand(query));
    const tuning = await this.sagemaker.send(new ListHyperParameterTuningJobsCommand(query));
    const endpoint = await this.sagemaker
      .send(new DescribeEndpointCommand({ EndpointName: this.model.resources.endpointName }))
      .catch(() => undefined);
    return {
      jobs: [
        ...(training.TrainingJobSummaries ?? []).map(({ TrainingJobName }) => TrainingJobName ?? ''),
        ...(transform.TransformJobSummaries ?? []).map(({ TransformJobName }) => TransformJobName ?? ''),
        ...(processing.ProcessingJobSummaries ?? []).map(({ ProcessingJobName }) => ProcessingJobName ?? ''),
        ...(tuning.HyperParameterTuningJobSummaries ?? []).map(({ HyperParameterTuningJobName }) => HyperParameterTuningJobName ?? ''),
      ],
      endpointStatus: endpoint?.EndpointStatus ?? 'none',
      endpointConfig: endpoint?.EndpointConfigName ?? 'none',
      champion: (await this.model.platform.registry.champion(this.name))?.version,
    };
  }

  async settledEndpoint(): Promise<void> {
    await eventually(
      'an endpoint at rest',
      async () => {
        const { EndpointStatus } = await this.sagemaker.send(new DescribeEndpointCommand({ EndpointName: this.model.resources.endpointName }));
        return EndpointStatus === 'InService' || undefined;
      },
      SECONDS,
    );
  }

  /** Configurations of the endpoint: the live one and one for a rollback, never more. */
  async configurations(): Promise<number> {
    const { EndpointConfigs = [] } = await this.sagemaker.send(new ListEndpointConfigsCommand({ NameContains: this.model.resources.endpointName }));
    return EndpointConfigs.length;
  }

  private arnOf(runId: string): string {
    return executionArnOf(this.model.resources.stateMachineArn, runId);
  }

  private async readStates(): Promise<void> {
    const { stateMachineArn } = this.model.resources;
    const { definition = '{}' } = await this.machines.send(new DescribeStateMachineCommand({ stateMachineArn }));
    const { States } = JSON.parse(definition) as { States: Record<string, { Resource?: string }> };
    for (const [state, { Resource = '' }] of Object.entries(States)) {
      const [, name] = /:function:([^:]+)/.exec(Resource) ?? [];
      if (name) this.functionOf.set(state, name);
    }
  }
}
