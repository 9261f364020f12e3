import { randomBytes } from 'node:crypto';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import {
  DatasetInput,
  INDEXED_TAGS,
  MetricPoint,
  PipelineRun,
  Run,
  RunStatus,
  TRACKING_ENV,
  TRACKING_ERRORS,
  TRACKING_KEYS,
} from '../../lib/tracking/contract';
import { createDocumentClient, Item, queryAll, queryPages } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { ExperimentsClient, requireActive } from './experiments.client';
import { historyOf, isLater, packPoint, pointItems } from './metric-points';
import { OpenRun, tagPartition } from './open-run';
import { generatedName } from './run-names';
import { RunRows } from './run-rows.client';
import { bucketOf } from './section';

export interface NewRun {
  readonly experimentId: string;
  /** 32 hexadecimal digits where left out. */
  readonly runId?: string;
  /** Generated where left out or empty; the tag mlflow.runName where only that is given. */
  readonly name?: string;
  readonly userId?: string;
  /** ms since 1970, now where left out. */
  readonly startTime?: number;
  readonly tags?: Readonly<Record<string, string>>;
  /** Below the experiment's location where left out. */
  readonly artifactUri?: string;
  readonly pipeline?: PipelineRun;
}

export interface Entry {
  readonly key: string;
  readonly value: string;
}

export interface Batch {
  readonly metrics?: readonly MetricPoint[];
  readonly params?: readonly Entry[];
  /** The last of a key wins. */
  readonly tags?: readonly Entry[];
}

export interface RowsAfter {
  readonly startTime: number;
  readonly runId: string;
}

export interface RowsOptions {
  /** Both inclusive, ms since 1970. */
  readonly startTime?: { readonly from?: number; readonly to?: number };
  readonly after?: RowsAfter;
  readonly includeDeleted?: boolean;
  /** Rows to read at once; as many as 1 MB holds where left out. */
  readonly pageSize?: number;
}

export interface EditOptions {
  /** Whether a deleted run may be changed, too. */
  readonly evenDeleted?: boolean;
}

const EARLIEST = -9_007_199_254_740_991;
const LATEST = 9_007_199_254_740_991;

/** Runs of experiments. Reads are consistent; every change is one transaction under the revision of the run's row. */
export class RunsClient {
  private readonly runRows: RunRows;

  constructor(
    private readonly table: string = requireEnv(TRACKING_ENV.runsTable),
    private readonly db: DynamoDBDocumentClient = createDocumentClient(),
    private readonly experiments: ExperimentsClient = new ExperimentsClient(table, db),
  ) {
    this.runRows = new RunRows(table, db, experiments);
  }

  public async create(run: NewRun): Promise<Run> {
    const experiment = await this.experiments.stored(run.experimentId);
    if (!run.pipeline) requireActive(experiment);
    const { tags = {} } = run;
    const name = run.name || tags['mlflow.runName'] || generatedName();
    const open = this.runRows.fresh(
      {
        runId: run.runId ?? randomBytes(16).toString('hex'),
        experimentId: run.experimentId,
        startTime: run.startTime ?? Date.now(),
        name,
        userId: run.userId ?? '',
        status: 'RUNNING',
        lifecycleStage: 'active',
        generation: experiment.generation,
        artifactUri: run.artifactUri,
        pipeline: run.pipeline,
      },
      experiment,
    );
    for (const [key, value] of Object.entries(tags)) open.setTag(key, value);
    open.setName(name);
    if (await this.runRows.add(open)) return open.toRun();
    throw new NamedError(TRACKING_ERRORS.conflict, `there is a run with id=${open.head.runId} already`);
  }

  public async get(runId: string): Promise<Run> {
    return this.runRows.read(runId);
  }

  /** In the order of the ids; those that do not exist are left out. */
  public async getMany(runIds: readonly string[]): Promise<Run[]> {
    return this.runRows.readMany(runIds);
  }

  public async update(runId: string, changes: { readonly status?: RunStatus; readonly endTime?: number; readonly name?: string }): Promise<Run> {
    return this.edit(runId, async (run) => {
      await run.details.loadAll();
      const { status = run.head.status, endTime = run.head.endTime } = changes;
      if (status !== run.head.status || endTime !== run.head.endTime) run.set({ status, endTime });
      if (changes.name) run.setName(changes.name);
      return run.toRun();
    });
  }

  public async delete(runId: string): Promise<void> {
    await this.runRows.change(runId, (run) => run.set({ lifecycleStage: 'deleted', generation: run.experiment.generation }));
  }

  public async restore(runId: string): Promise<void> {
    await this.runRows.change(runId, (run) => run.set({ lifecycleStage: 'active', generation: run.experiment.generation }));
  }

  /** All of a batch or nothing of it; the same batch again leaves one copy. */
  public async logBatch(runId: string, { metrics = [], params = [], tags = [] }: Batch, options: EditOptions = {}): Promise<void> {
    const twice = params.find(({ key }, index) => params.findIndex((other) => other.key === key) !== index);
    if (twice) throw new NamedError(TRACKING_ERRORS.paramTwice, `Duplicate parameter keys have been submitted: '${twice.key}'`);
    await this.edit(runId, async (run) => {
      const { details } = run;
      await Promise.all([
        details.load('params', params.map(({ key }) => key)),
        details.load('tags', tags.map(({ key }) => key)),
        details.load('metrics', metrics.map(({ key }) => key)),
      ]);
      for (const { key, value } of params) setParam(run, key, value);
      for (const { key, value } of tags) run.setTag(key, value);
      for (const point of metrics) {
        const packed = packPoint(point);
        if (isLater(details.metrics.get(point.key), packed)) details.metrics.set(point.key, packed);
      }
      run.add(pointItems(runId, metrics));
    }, options);
  }

  public async setTag(runId: string, key: string, value: string): Promise<void> {
    await this.logBatch(runId, { tags: [{ key, value }] });
  }

  /** Answers whether there was such a tag. */
  public async deleteTag(runId: string, key: string): Promise<boolean> {
    return this.edit(runId, async (run) => {
      await run.details.load('tags', [key]);
      return run.deleteTag(key);
    });
  }

  /** Data sets by name and digest, and models that the run used; what is there already stays as it is. */
  public async logInputs(runId: string, datasets: readonly DatasetInput[], modelIds: readonly string[], options: EditOptions = {}): Promise<void> {
    const named = datasets.map((dataset) => [JSON.stringify([dataset.name, dataset.digest]), dataset] as const);
    await this.edit(runId, async ({ details }) => {
      await Promise.all([details.load('datasets', named.map(([key]) => key)), details.load('models', modelIds.map((id) => `in:${id}`))]);
      for (const [key, dataset] of named) if (details.datasets.get(key) === undefined) details.datasets.set(key, dataset);
      for (const id of modelIds) if (details.models.get(`in:${id}`) === undefined) details.models.set(`in:${id}`, 0);
    }, options);
  }

  /** Models that the run made, each with its step. */
  public async logOutputs(runId: string, models: readonly { readonly modelId: string; readonly step: number }[]): Promise<void> {
    await this.edit(runId, async ({ details }) => {
      await details.load('models', models.map(({ modelId }) => `out:${modelId}`));
      for (const { modelId, step } of models) if (details.models.get(`out:${modelId}`) !== step) details.models.set(`out:${modelId}`, step);
    });
  }

  /** Every point of a metric by time, step and value; identical ones once. */
  public async metricHistory(runId: string, key: string): Promise<MetricPoint[]> {
    await this.runRows.open(runId);
    const found: Item[] = [];
    const items = queryAll(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': TRACKING_KEYS.points(runId, bucketOf(key)) },
      ConsistentRead: true,
    });
    for await (const item of items) found.push(item);
    return historyOf(key, found);
  }

  /** Runs of an experiment, newest start first, then by id: pages as DynamoDB gives them. */
  public async *rows(experimentId: string, options: RowsOptions = {}): AsyncGenerator<Run[]> {
    const { from = EARLIEST, to = LATEST } = options.startTime ?? {};
    const experiment = await this.experiments.stored(experimentId);
    const pages = queryPages(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
      ExpressionAttributeValues: {
        ':pk': TRACKING_KEYS.experiment(experimentId),
        ':first': later(TRACKING_KEYS.runRow(to, ''), options.after),
        ':last': `${TRACKING_KEYS.runRow(from, '')}\uffff`,
      },
      Limit: options.pageSize,
      ConsistentRead: true,
    });
    for await (const page of pages) {
      const runs = await this.runRows.toRuns(page, experiment);
      yield options.includeDeleted ? runs : runs.filter(({ lifecycleStage }) => lifecycleStage === 'active');
    }
  }

  /** Runs of an experiment that carry one value of an indexed tag, in the order of `rows`; deleted ones too. */
  public async *rowsByTag(
    experimentId: string,
    tag: (typeof INDEXED_TAGS)[number],
    value: string,
    options: { readonly after?: RowsAfter } = {},
  ): AsyncGenerator<Run[]> {
    const pages = queryPages(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
      ExpressionAttributeValues: {
        ':pk': tagPartition(experimentId, tag, value),
        ':first': later(TRACKING_KEYS.runRowPrefix, options.after),
        ':last': `${TRACKING_KEYS.runRowPrefix}\uffff`,
      },
      Limit: 500,
      ConsistentRead: true,
    });
    for await (const page of pages) {
      const runs = await this.getMany(page.filter(({ gone }) => gone !== true).map(({ runId }) => runId as string));
      yield runs.filter(({ tags }) => tags[tag] === value);
    }
  }

  /** Changes a run; one of a pipeline is recorded also when somebody deleted it. */
  public async edit<T>(runId: string, decide: (run: OpenRun) => T | Promise<T>, options: EditOptions = {}): Promise<T> {
    return this.runRows.change(runId, (run) => {
      if (!options.evenDeleted && run.lifecycleStage !== 'active') {
        throw new NamedError(TRACKING_ERRORS.deleted, `The run ${runId} must be in the 'active' state. Current state is ${run.lifecycleStage}.`);
      }
      return decide(run);
    });
  }
}

function setParam({ details, head }: OpenRun, key: string, value: string): void {
  const before = details.params.get(key);
  if (before === undefined) return details.params.set(key, value);
  if (before === value) return;
  throw new NamedError(
    TRACKING_ERRORS.paramChanged,
    `Changing param values is not allowed. Param with key='${key}' was already logged with value='${before}' for run ID='${head.runId}'. ` +
      `Attempted logging new value '${value}'.`,
  );
}

/** The later of a bound and what follows the last row of an earlier page. */
function later(bound: string, after: RowsAfter | undefined): string {
  const next = after ? `${TRACKING_KEYS.runRow(after.startTime, after.runId)}\u0000` : '';
  return next > bound ? next : bound;
}
