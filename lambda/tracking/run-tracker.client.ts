import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import {
  DatasetInput,
  InstancePrices,
  PipelineRun,
  Run,
  RunMeta,
  RunOutcome,
  RunRecord,
  RunStatus,
  RunStep,
  TRACKING_ENV,
  TRACKING_ERRORS,
  TRACKING_KEYS,
} from '../../lib/tracking/contract';
import { createDocumentClient, Page, PageOptions, queryAll, withoutKeys } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { ExperimentsClient } from './experiments.client';
import type { OpenRun } from './open-run';
import { RowsAfter, RunsClient } from './runs.client';

export interface RunStart {
  readonly runId: string;
  readonly model: string;
  readonly executionArn: string;
  readonly causeId: string;
  readonly cause: string;
  /** Session ARN of the person or program that asked, if one did. */
  readonly startedBy?: string;
  /** What its cost is reckoned by, where prices are stated. */
  readonly prices?: InstancePrices;
  /** ISO 8601; now where left out. */
  readonly startTime?: string;
}

const PAGE = 50;
/** In US dollars: runs can be compared and sorted by it. */
const COST_METRIC = 'costUsd';

const iso = (time: number): string => new Date(time).toISOString();

/** Runs of pipelines, each in the experiment of its model: what ran, with what, and what came out. The same call twice leaves the same record. */
export class RunTrackerClient {
  private readonly experiments: ExperimentsClient;
  private readonly runs: RunsClient;

  constructor(
    private readonly table: string = requireEnv(TRACKING_ENV.runsTable),
    private readonly db: DynamoDBDocumentClient = createDocumentClient(),
  ) {
    this.experiments = new ExperimentsClient(table, db);
    this.runs = new RunsClient(table, db, this.experiments);
  }

  /** Opens a run; one that is open or over already is answered as it is. */
  public async startRun({ runId, startTime, ...pipeline }: RunStart): Promise<RunMeta> {
    const { experimentId } = await this.experiments.ensure(pipeline.model);
    const run = {
      experimentId,
      runId,
      name: runId,
      userId: 'pipeline',
      startTime: startTime === undefined ? undefined : Date.parse(startTime),
      tags: {
        'mlops.model': pipeline.model,
        'mlops.cause': pipeline.cause,
        'mlops.causeId': pipeline.causeId,
        'mlops.execution': pipeline.executionArn,
        ...(pipeline.startedBy !== undefined && { 'mlops.startedBy': pipeline.startedBy }),
        'mlflow.source.type': 'PROJECT',
        'mlflow.user': 'pipeline',
      },
      pipeline,
    };
    try {
      return toMeta(await this.runs.create(run));
    } catch (error) {
      if (!(error instanceof Error) || error.name !== TRACKING_ERRORS.conflict) throw error;
      const existing = await this.runs.get(runId);
      if (existing.pipeline?.model === pipeline.model && existing.pipeline.executionArn === pipeline.executionArn) return toMeta(existing);
      const owner = existing.pipeline ? `a run of ${existing.pipeline.model} by another execution` : 'no run of a pipeline';
      throw new NamedError(TRACKING_ERRORS.conflict, `run ${runId} is ${owner}: choose another run id`);
    }
  }

  /** Records a step; a later attempt of the same step takes the place of an earlier one. */
  public async recordStep(runId: string, step: RunStep): Promise<void> {
    const Item = { ...step, pk: TRACKING_KEYS.run(runId), sk: TRACKING_KEYS.step(step.name) };
    await this.db.send(new PutCommand({ TableName: this.table, Item }));
  }

  /** Parameters of a pipeline are those of its last attempt: a redrive may replace them. */
  public async logParams(runId: string, params: Readonly<Record<string, string>>): Promise<void> {
    await this.edit(runId, async ({ details }) => {
      await details.load('params', Object.keys(params));
      for (const [key, value] of Object.entries(params)) if (details.params.get(key) !== value) details.params.set(key, value);
    });
  }

  /** A dataset that the run used. */
  public async logDataset(runId: string, dataset: DatasetInput): Promise<void> {
    await this.runs.logInputs(runId, [dataset], [], EVEN_DELETED);
  }

  /** Latest value of each metric. */
  public async logMetrics(runId: string, metrics: Readonly<Record<string, number>>): Promise<void> {
    const bad = Object.entries(metrics).find(([, value]) => !Number.isFinite(value));
    if (bad) throw new Error(`metric ${bad[0]} of run ${runId} is ${bad[1]}: only finite numbers can be recorded`);
    const timestamp = Date.now();
    await this.runs.logBatch(runId, { metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, timestamp, step: 0 })) }, EVEN_DELETED);
  }

  /** Ends a run well. A run that failed before was continued by a redrive: its error goes, since what counts is how it ended. */
  public async finishRun(runId: string, outcome: RunOutcome, version?: number): Promise<RunMeta> {
    const changed = await this.change(runId, 'FINISHED', { outcome, version, error: undefined }, ['RUNNING', 'FAILED', 'KILLED']);
    if (changed) return changed;
    const run = toMeta(await this.runs.get(runId));
    if (run.outcome === outcome && run.version === version) return run;
    throw new NamedError(TRACKING_ERRORS.conflict, `run ${runId} has ended as ${run.outcome}: it cannot end as ${outcome} too`);
  }

  /** Ends a run badly; only a running one, so that a late report never covers how a run really ended. Answers whether it did. */
  public async failRun(runId: string, error: NonNullable<RunMeta['error']>, status: 'FAILED' | 'KILLED' = 'FAILED'): Promise<boolean> {
    return (await this.change(runId, status, { error }, ['RUNNING'])) !== undefined;
  }

  /** What the jobs of a run are billed for and cost so far; a later bill takes the place of an earlier one. The cost is also a metric of the run. */
  public async recordBill(runId: string, bill: Pick<PipelineRun, 'billed' | 'unbilled' | 'costUsd'>): Promise<void> {
    const { billed = [], unbilled = [], costUsd } = bill;
    const { metrics } = await this.edit(runId, async (run) => {
      const { pipeline } = run.head;
      await run.details.loadAll();
      const now = { billed: unlessEmpty(billed), unbilled: unlessEmpty(unbilled), costUsd };
      const before = { billed: pipeline?.billed, unbilled: pipeline?.unbilled, costUsd: pipeline?.costUsd };
      if (pipeline && JSON.stringify(before) !== JSON.stringify(now)) run.set({ pipeline: { ...pipeline, ...now } });
      return run.toRun();
    });
    if (costUsd !== undefined && metrics[COST_METRIC]?.value !== costUsd) await this.logMetrics(runId, { [COST_METRIC]: costUsd });
  }

  /** A redrive continues a run that failed. Answers whether the run runs now; a finished one stays finished. */
  public async reopenRun(runId: string): Promise<boolean> {
    return (await this.change(runId, 'RUNNING', { error: undefined }, ['FAILED', 'KILLED', 'RUNNING'])) !== undefined;
  }

  /** A run with its steps (by start), parameters and metrics. */
  public async getRun(runId: string): Promise<RunRecord> {
    const [run, steps] = await Promise.all([this.runs.get(runId), this.steps(runId)]);
    const metrics = Object.fromEntries(Object.entries(run.metrics).map(([key, { value }]) => [key, value]));
    return { ...toMeta(run), steps, params: run.params, metrics };
  }

  /** Runs of a model's pipeline, newest first. */
  public async listRuns(model: string, { limit = PAGE, cursor }: PageOptions = {}): Promise<Page<RunMeta>> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const experiment = await this.experiments.getByName(model);
    const items: Run[] = [];
    if (!experiment) return { items: [] };
    for await (const page of this.runs.rows(experiment.experimentId, { after, includeDeleted: true, pageSize: limit + 1 })) {
      items.push(...page.filter(({ pipeline, lifecycleStage }) => pipeline !== undefined && lifecycleStage === 'active'));
      if (items.length > limit) break;
    }
    const last = items[limit - 1];
    return { items: items.slice(0, limit).map(toMeta), cursor: items.length > limit ? encodeCursor(last) : undefined };
  }

  private async steps(runId: string): Promise<RunStep[]> {
    const steps: RunStep[] = [];
    const items = queryAll(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': TRACKING_KEYS.run(runId), ':prefix': TRACKING_KEYS.stepPrefix },
      ConsistentRead: true,
    });
    for await (const item of items) steps.push(withoutKeys<RunStep>(item));
    return steps.sort((a, b) => (a.startTime < b.startTime ? -1 : Number(a.startTime > b.startTime)));
  }

  /** Moves a run that is in one of the states; undefined where it is in another. */
  private async change(runId: string, status: RunStatus, about: Partial<PipelineRun>, from: readonly RunStatus[]): Promise<RunMeta | undefined> {
    return this.edit(runId, async (run) => {
      const { pipeline } = run.head;
      if (!pipeline || !from.includes(run.head.status)) return undefined;
      await run.details.loadAll();
      const ended = { ...pipeline, ...about };
      run.set({ status, endTime: status === 'RUNNING' ? undefined : Date.now(), pipeline: ended });
      if (ended.outcome) run.setTag('mlops.outcome', ended.outcome);
      if (ended.version !== undefined) run.setTag('mlops.version', String(ended.version));
      return toMeta(run.toRun());
    });
  }

  private async edit<T>(runId: string, decide: (run: OpenRun) => T | Promise<T>): Promise<T> {
    return this.runs.edit(runId, decide, EVEN_DELETED);
  }
}

const unlessEmpty = <T>(list: readonly T[]): readonly T[] | undefined => (list.length === 0 ? undefined : list);

/** Somebody may delete a model's experiment while its pipeline runs: the record goes on. */
const EVEN_DELETED = { evenDeleted: true } as const;

function toMeta({ runId, status, startTime, endTime, pipeline }: Run): RunMeta {
  if (!pipeline) throw new NamedError(TRACKING_ERRORS.notFound, `run ${runId} is no run of a pipeline`);
  const known = Object.fromEntries(Object.entries(pipeline).filter(([, value]) => value !== undefined)) as unknown as PipelineRun;
  return { ...known, runId, status, startTime: iso(startTime), ...(endTime !== undefined && { endTime: iso(endTime) }) };
}

const encodeCursor = ({ startTime, runId }: RowsAfter): string => Buffer.from(JSON.stringify([startTime, runId])).toString('base64url');

function decodeCursor(cursor: string): RowsAfter {
  try {
    const [startTime, runId] = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')) as [unknown, unknown];
    if (Number.isSafeInteger(startTime) && typeof runId === 'string') return { startTime: startTime as number, runId };
  } catch {
    // Falls through to the message that a caller can act on.
  }
  throw new Error(`'${cursor}' is no cursor of this list: pass one that a previous page returned`);
}
