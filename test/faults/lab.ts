import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  RedriveExecutionCommand,
  SFNClient,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { sendRequest } from '../../cli/retrain/send-request';
import { championMoves } from '../../lambda/registry/rollback-target';
import { executionArnOf } from '../../lambda/retraining/governor';
import { PipelineRunsClient } from '../../lambda/retraining/runs.client';
import { shortPrefix } from '../../lib/pipeline/names';
import type { RunRecord } from '../../lib/tracking/contract';
import { Faults } from '../../local/faults';
import { client, eventually, useEngine } from '../integration/harness';
import { DeployedModel } from '../integration/loop';
import { trainingRows } from './app';
import { Reviewer } from './persons';
import { endpointOf, type Standing, standingOf } from './remains';
import type { Injection, Step } from './steps';

/** What is left behind by a run. */
export interface Remains extends Standing {
  readonly champion?: number;
}

/** A fault that is in force. */
export interface SetFault {
  /** How often it has struck. */
  readonly hits: () => Promise<number>;
  /** Takes it back; how often it struck. */
  readonly lift: () => Promise<number>;
}

export type Hyperparameters = Readonly<Record<string, string>>;

// Of a machine that has much else to do.
const SECONDS = 600;

/** One model of the matrix: its runs, and what faults do to them. */
export class Lab {
  static async of(platformName: string, modelName: string): Promise<Lab> {
    const model = await DeployedModel.find(platformName, modelName);
    const asked = model.resources.decideFunction !== undefined;
    const lab = new Lab(model, modelName, asked ? await Reviewer.of(model, modelName) : undefined);
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
    readonly name: string,
    /** Only where a person approves the versions. */
    readonly reviewer?: Reviewer,
  ) {}

  get endpointName(): string {
    return this.model.resources.endpointName;
  }

  /** Starts a run through the governor; answers its id. */
  async start(hyperparameters?: Hyperparameters): Promise<string> {
    const { platform } = this.model;
    await eventually('the end of the run before', async () => ((await platform.governor.state(this.name)).lock ? undefined : true), SECONDS);
    const occurredAt = this.next();
    const overrides = hyperparameters && { hyperparameters };
    await sendRequest(platform, this.name, { reason: `run ${this.runs}`, occurredAt, requestedBy: 'the fault matrix', overrides });
    const decision = await eventually(
      'the decision',
      async () => (await this.model.decisions()).find(({ cause }) => cause.occurredAt === occurredAt),
      SECONDS,
    );
    if (decision.runId === undefined) throw new Error(`no run: ${decision.decision}: ${decision.reason}`);
    return decision.runId;
  }

  /** Starts a run past the governor, as who may start executions of the state machine can. */
  async startPastGovernor(): Promise<string> {
    return this.startExecution(`${this.name}-past-governor-${this.runs + 1}`, 'a run past the governor');
  }

  /** How many versions have served. */
  async served(): Promise<number> {
    return new Set(championMoves(await this.model.platform.registry.history(this.name)).map(({ version }) => version)).size;
  }

  /** Starts the rollback to the version that served before; answers its run and the version. */
  async startRollback(): Promise<{ readonly runId: string; readonly target: number }> {
    const { registry } = this.model.platform;
    const champion = (await registry.champion(this.name))?.version;
    const target = championMoves(await registry.history(this.name))
      .map(({ version }) => version)
      .findLast((version) => version !== champion);
    if (target === undefined) throw new Error(`${this.name} has no version to go back to`);
    const runId = await this.startExecution(`${this.name}-rollback-v${target}-${this.runs + 1}`, 'the matrix goes back', { rollbackTo: target });
    return { runId, target };
  }

  /** Sets the fault for this model's calls. */
  async inject({ run, states }: Pick<Step, 'run' | 'states'>, { rule }: Injection): Promise<SetFault> {
    // Without a rule the fault is the person who stops the run.
    if (!rule) return { hits: async () => 1, lift: async () => 1 };
    const prefix = rule.operation === 'CreateHyperParameterTuningJob' ? shortPrefix(this.endpointName) : this.endpointName;
    const name = run === 'decision' ? this.model.resources.decideFunction : this.functionOf.get(states[0]);
    const onFunction = { operation: name as string, nameContains: rule.nameContains ?? this.name };
    const { id } = await this.faults.add({ ...rule, ...(rule.on === 'lambda' ? onFunction : { nameContains: prefix }) });
    const hits = async (): Promise<number> => (await this.faults.list()).find((fault) => fault.id === id)?.hits ?? 0;
    return {
      hits,
      lift: async () => {
        const found = await hits();
        await this.faults.clear(id);
        return found;
      },
    };
  }

  /** How often a run has come to a state. */
  async entries(runId: string, state: string): Promise<number> {
    const executionArn = this.arnOf(runId);
    const { events = [] } = await this.machines.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }));
    return events.filter(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name === state).length;
  }

  async entered(runId: string, state: string): Promise<void> {
    await eventually(`state ${state}`, async () => (await this.entries(runId, state)) > 0 || undefined, SECONDS);
  }

  /** Waits for the question that a run puts to a person. */
  async asked(runId: string, round = 0): Promise<number> {
    const found = await eventually(
      `the question of run ${runId} in round ${round}`,
      async () => {
        const question = await this.reviewer?.question(runId);
        return question?.question === `${runId}:${round}` ? question : undefined;
      },
      SECONDS,
    );
    return found.version;
  }

  async stop(runId: string): Promise<void> {
    await this.machines.send(new StopExecutionCommand({ executionArn: this.arnOf(runId), error: 'StoppedByHand', cause: 'a person stopped it' }));
  }

  /** The record of a run that has ended, however it did. Where a person approves, one does as soon as there is a question. */
  async ended(runId: string): Promise<RunRecord> {
    return this.record(runId, `the end of run ${runId}`, ({ status }) => status !== 'RUNNING');
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
      async () => {
        await this.approve(runId);
        return (await this.machines.send(new DescribeExecutionCommand({ executionArn }))).status === 'RUNNING' ? undefined : true;
      },
      SECONDS,
    );
    const isOver = ({ status, outcome }: RunRecord): boolean => status !== 'RUNNING' && (status === 'FINISHED' || outcome === undefined);
    return this.record(runId, 'the record of the redriven run', isOver);
  }

  async remains(runId: string): Promise<Remains> {
    const champion = (await this.model.platform.registry.champion(this.name))?.version;
    return { ...(await standingOf(this.sagemaker, this.arnOf(runId), this.endpointName)), champion };
  }

  /** An endpoint that nothing moves; none where there shall be none. */
  async settledEndpoint(exists = true): Promise<void> {
    const wanted = exists ? 'InService' : undefined;
    await eventually(
      exists ? 'an endpoint at rest' : 'the end of the endpoint',
      async () => (await endpointOf(this.sagemaker, this.endpointName))?.EndpointStatus === wanted || undefined,
      SECONDS,
    );
  }

  private async approve(runId: string): Promise<void> {
    const question = await this.reviewer?.question(runId);
    // A run that has ended this moment waits no more; how it ended is what its record tells.
    if (question) await this.reviewer?.approve(question.version).catch(() => undefined);
  }

  private async record(runId: string, what: string, isOver: (run: RunRecord) => boolean): Promise<RunRecord> {
    const look = async () => {
      await this.approve(runId);
      const run = await this.model.platform.runs.getRun(runId).catch(() => undefined);
      return run && isOver(run) ? run : undefined;
    };
    return eventually(what, look, SECONDS);
  }

  private async startExecution(runId: string, cause: string, more: { readonly rollbackTo?: number } = {}): Promise<string> {
    const input = { model: this.name, runId, causeId: runId, cause, occurredAt: this.next(), ...more };
    await new PipelineRunsClient(this.machines).start(this.model.resources.stateMachineArn, input);
    return runId;
  }

  private next(): string {
    this.runs += 1;
    return new Date(Date.UTC(2025, 0, 1, this.runs)).toISOString();
  }

  private arnOf(runId: string): string {
    return executionArnOf(this.model.resources.stateMachineArn, runId);
  }

  private async readStates(): Promise<void> {
    const { stateMachineArn } = this.model.resources;
    const { definition = '{}' } = await this.machines.send(new DescribeStateMachineCommand({ stateMachineArn }));
    const { States } = JSON.parse(definition) as { States: Record<string, { Resource?: string; Parameters?: { FunctionName?: string } }> };
    for (const [state, { Resource = '', Parameters }] of Object.entries(States)) {
      // A state that waits for a token names its function beside it.
      const [, name] = /:function:([^:]+)/.exec(Parameters?.FunctionName ?? Resource) ?? [];
      if (name) this.functionOf.set(state, name);
    }
  }
}
