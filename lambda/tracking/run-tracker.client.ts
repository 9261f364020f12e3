import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, TransactWriteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { RunMeta, RunOutcome, RunRecord, RunStatus, RunStep, TRACKING_ENV, TRACKING_ERRORS, TRACKING_KEYS } from '../../lib/tracking/contract';
import { createDocumentClient, Item, Page, PageOptions, queryAll, queryPage, untilWon, withoutKeys } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';

export interface RunStart {
  readonly runId: string;
  readonly model: string;
  readonly executionArn: string;
  readonly causeId: string;
  readonly cause: string;
  /** ISO 8601; now where left out. */
  readonly startTime?: string;
}

/** Parts of one transaction, as many as DynamoDB takes. */
const TRANSACTION_SIZE = 100;

const now = (): string => new Date().toISOString();

/** Runs of pipelines: what ran, with what, and what came out. The same call twice leaves the same record. */
export class RunTrackerClient {
  constructor(
    private readonly table: string = requireEnv(TRACKING_ENV.runsTable),
    private readonly db: DynamoDBDocumentClient = createDocumentClient(),
  ) {}

  /** Opens a run; one that is open or over already is answered as it is. */
  public async startRun(start: RunStart): Promise<RunMeta> {
    const run: RunMeta = { ...start, status: 'RUNNING', startTime: start.startTime ?? now() };
    const item = { ...run, ...metaKey(run.runId), gsi1pk: TRACKING_KEYS.model(run.model), gsi1sk: `${run.startTime}#${run.runId}` };
    try {
      await this.db.send(new PutCommand({ TableName: this.table, Item: item, ConditionExpression: 'attribute_not_exists(pk)' }));
      return run;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const existing = await this.requireMeta(run.runId);
      if (existing.model === run.model && existing.executionArn === run.executionArn) return existing;
      throw new NamedError(TRACKING_ERRORS.conflict, `run ${run.runId} is a run of ${existing.model} by another execution: choose another run id`);
    }
  }

  /** Records a step; a later attempt of the same step takes the place of an earlier one. */
  public async recordStep(runId: string, step: RunStep): Promise<void> {
    await this.put([{ ...step, ...key(runId, TRACKING_KEYS.step(step.name)) }]);
  }

  public async logParams(runId: string, params: Readonly<Record<string, string>>): Promise<void> {
    await this.put(Object.entries(params).map(([name, value]) => ({ ...key(runId, TRACKING_KEYS.param(name)), name, value })));
  }

  /** Latest value of each metric. */
  public async logMetrics(runId: string, metrics: Readonly<Record<string, number>>): Promise<void> {
    const bad = Object.entries(metrics).find(([, value]) => !Number.isFinite(value));
    if (bad) throw new Error(`metric ${bad[0]} of run ${runId} is ${bad[1]}: only finite numbers can be recorded`);
    const time = now();
    await this.put(Object.entries(metrics).map(([name, value]) => ({ ...key(runId, TRACKING_KEYS.metric(name)), name, value, time })));
  }

  /** Ends a run well. A run that failed before was continued by a redrive: its error goes, since what counts is how it ended. */
  public async finishRun(runId: string, outcome: RunOutcome, version?: number): Promise<RunMeta> {
    const set = { status: 'FINISHED' as const, outcome, version, endTime: now() };
    const changed = await this.change(runId, set, ['error'], ['RUNNING', 'FAILED', 'KILLED']);
    if (changed) return changed;
    const run = await this.requireMeta(runId);
    if (run.outcome === outcome && run.version === version) return run;
    throw new NamedError(TRACKING_ERRORS.conflict, `run ${runId} has ended as ${run.outcome}: it cannot end as ${outcome} too`);
  }

  /** Ends a run badly; only a running one, so that a late report never covers how a run really ended. Answers whether it did. */
  public async failRun(runId: string, error: NonNullable<RunMeta['error']>, status: 'FAILED' | 'KILLED' = 'FAILED'): Promise<boolean> {
    return (await this.change(runId, { status, error, endTime: now() }, [], ['RUNNING'])) !== undefined;
  }

  /** A redrive continues a run that failed. Answers whether the run runs now; a finished one stays finished. */
  public async reopenRun(runId: string): Promise<boolean> {
    return (await this.change(runId, { status: 'RUNNING' }, ['error', 'endTime'], ['FAILED', 'KILLED', 'RUNNING'])) !== undefined;
  }

  /** A run with its steps (by start), parameters and metrics: one query, and more only beyond 1 MB. */
  public async getRun(runId: string): Promise<RunRecord> {
    let meta: RunMeta | undefined;
    const steps: RunStep[] = [];
    const params: Record<string, string> = {};
    const metrics: Record<string, number> = {};
    const items = queryAll(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': TRACKING_KEYS.run(runId) },
      ConsistentRead: true,
    });
    for await (const item of items) {
      const kind = (item.sk as string).split('#', 1)[0];
      if (kind === TRACKING_KEYS.meta) meta = withoutKeys<RunMeta>(item);
      else if (kind === 'STEP') steps.push(withoutKeys<RunStep>(item));
      else if (kind === 'PARAM') params[item.name as string] = item.value as string;
      else if (kind === 'METRIC') metrics[item.name as string] = item.value as number;
    }
    if (!meta) throw notFound(runId);
    steps.sort((a, b) => (a.startTime < b.startTime ? -1 : Number(a.startTime > b.startTime)));
    return { ...meta, steps, params, metrics };
  }

  /** Runs of a model, newest first. Eventually consistent: a run opened a moment ago may be missing. */
  public async listRuns(model: string, options: PageOptions = {}): Promise<Page<RunMeta>> {
    const page = await queryPage(this.db, {
      TableName: this.table,
      IndexName: TRACKING_KEYS.modelIndex,
      KeyConditionExpression: 'gsi1pk = :model',
      ExpressionAttributeValues: { ':model': TRACKING_KEYS.model(model) },
      ScanIndexForward: false,
    }, options);
    return { items: page.items.map(withoutKeys<RunMeta>), cursor: page.cursor };
  }

  private async requireMeta(runId: string): Promise<RunMeta> {
    const { Item: item } = await this.db.send(new GetCommand({ TableName: this.table, Key: metaKey(runId), ConsistentRead: true }));
    if (!item) throw notFound(runId);
    return withoutKeys<RunMeta>(item);
  }

  /** Sets and removes attributes of a run that is in one of the states; undefined where it is in another. */
  private async change(runId: string, set: Partial<RunMeta>, remove: readonly string[], from: readonly RunStatus[]): Promise<RunMeta | undefined> {
    const values = Object.entries(set).filter(([, value]) => value !== undefined);
    const names = [...values.map(([name]) => name), ...remove, 'status'];
    const removal = remove.length === 0 ? '' : ` REMOVE ${remove.map((name) => `#${name}`).join(', ')}`;
    try {
      const { Attributes: item } = await this.db.send(
        new UpdateCommand({
          TableName: this.table,
          Key: metaKey(runId),
          UpdateExpression: `SET ${values.map(([name]) => `#${name} = :${name}`).join(', ')}${removal}`,
          ConditionExpression: `#status IN (${from.map((status) => `:from${status}`).join(', ')})`,
          ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries([
            ...values.map(([name, value]) => [`:${name}`, value]),
            ...from.map((status) => [`:from${status}`, status]),
          ]),
          ReturnValues: 'ALL_NEW',
        }),
      );
      return withoutKeys<RunMeta>(item ?? {});
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      await this.requireMeta(runId);
      return undefined;
    }
  }

  private async put(items: readonly Item[]): Promise<void> {
    for (let start = 0; start < items.length; start += TRANSACTION_SIZE) {
      const TransactItems = items.slice(start, start + TRANSACTION_SIZE).map((item) => ({ Put: { TableName: this.table, Item: item } }));
      await untilWon(() => this.db.send(new TransactWriteCommand({ TransactItems })));
    }
  }
}

const key = (runId: string, sk: string): Item => ({ pk: TRACKING_KEYS.run(runId), sk });

const metaKey = (runId: string): Item => key(runId, TRACKING_KEYS.meta);

const notFound = (runId: string): NamedError => new NamedError(TRACKING_ERRORS.notFound, `there is no run ${runId}`);
