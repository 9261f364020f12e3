import { randomBytes } from 'node:crypto';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { LoggedModel, LoggedModelStatus, MetricPoint, TRACKING_ENV, TRACKING_ERRORS, TRACKING_KEYS } from '../../lib/tracking/contract';
import { createDocumentClient, Item, queryPages, untilWon } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { Details, isTorn, untilWhole, Write, writeRow } from './details.client';
import { ExperimentsClient, requireActive } from './experiments.client';
import { packPoint, unpackPoint } from './metric-points';
import { generatedName } from './run-names';

export interface NewLoggedModel {
  readonly experimentId: string;
  /** Generated where left out or empty. */
  readonly name?: string;
  readonly modelType?: string;
  readonly sourceRunId?: string;
  readonly params?: Readonly<Record<string, string>>;
  readonly tags?: Readonly<Record<string, string>>;
}

export type LoggedModelPoint = MetricPoint & { readonly runId: string };

type Head = Omit<LoggedModel, 'tags' | 'params' | 'metrics'> & { readonly deleted?: true };

const HEAD = [
  'modelId', 'experimentId', 'name', 'createdAt', 'updatedAt', 'artifactUri', 'status', 'statusMessage', 'modelType', 'sourceRunId', 'deleted',
];

interface Place {
  readonly experimentId: string;
  readonly createdAt: number;
}

interface OpenModel {
  head: Head;
  readonly details: Details;
  readonly revision: number;
}

const metaKey = (modelId: string): Item => ({ pk: TRACKING_KEYS.loggedModel(modelId), sk: TRACKING_KEYS.meta });

/** Models that runs logged. Reads are consistent; every change is one transaction under the revision of the model's row. */
export class LoggedModelsClient {
  constructor(
    private readonly table: string = requireEnv(TRACKING_ENV.runsTable),
    private readonly db: DynamoDBDocumentClient = createDocumentClient(),
    private readonly experiments: ExperimentsClient = new ExperimentsClient(table, db),
  ) {}

  public async create({ experimentId, name, modelType, sourceRunId, params = {}, tags = {} }: NewLoggedModel): Promise<LoggedModel> {
    const experiment = await this.experiments.stored(experimentId);
    requireActive(experiment);
    const modelId = `m-${randomBytes(16).toString('hex')}`;
    const createdAt = Date.now();
    const model: OpenModel = {
      head: {
        modelId,
        experimentId,
        name: name || generatedName(),
        createdAt,
        updatedAt: createdAt,
        artifactUri: `${experiment.artifactLocation}/models/${modelId}/artifacts`,
        status: 'LOGGED_MODEL_PENDING',
        modelType: modelType || undefined,
        sourceRunId: sourceRunId || undefined,
      },
      details: this.details(modelId, {}),
      revision: 0,
    };
    for (const [key, value] of Object.entries(params)) model.details.params.set(key, value);
    for (const [key, value] of Object.entries(tags)) model.details.tags.set(key, value);
    const meta = { Put: { TableName: this.table, Item: { ...metaKey(modelId), modelId, experimentId, createdAt } } };
    await untilWon(() => this.write(model, [meta]));
    return toModel(model);
  }

  public async get(modelId: string, evenDeleted = false): Promise<LoggedModel> {
    return untilWhole(async () => {
      const model = await this.open(modelId, evenDeleted);
      await model.details.loadAll();
      return toModel(model);
    });
  }

  public async setStatus(modelId: string, status: LoggedModelStatus): Promise<LoggedModel> {
    return this.change(modelId, async (model) => {
      model.head = { ...model.head, status };
      await model.details.loadAll();
      return toModel(model);
    });
  }

  public async setTags(modelId: string, tags: Readonly<Record<string, string>>): Promise<LoggedModel> {
    return this.change(modelId, async (model) => {
      await model.details.loadAll();
      for (const [key, value] of Object.entries(tags)) model.details.tags.set(key, value);
      return toModel(model);
    });
  }

  /** Answers whether there was such a tag. */
  public async deleteTag(modelId: string, key: string): Promise<boolean> {
    return this.change(modelId, async ({ details }) => {
      await details.load('tags', [key]);
      return details.tags.delete(key);
    });
  }

  /** Parameters never change: another value of one that is there is refused, with all others. */
  public async logParams(modelId: string, params: Readonly<Record<string, string>>): Promise<LoggedModel> {
    return this.change(modelId, async (model) => {
      await model.details.loadAll();
      for (const [key, value] of Object.entries(params)) {
        const before = model.details.params.get(key);
        if (before === undefined) model.details.params.set(key, value);
        else if (before !== value) throw paramChanged(modelId, key, before, value);
      }
      return toModel(model);
    });
  }

  /** Adds points; one that is there already (metric, run, time, step) takes the new value. */
  public async logMetrics(modelId: string, points: readonly LoggedModelPoint[]): Promise<void> {
    const named = points.map((point) => [JSON.stringify([point.key, point.runId, point.timestamp, point.step]), packPoint(point)] as const);
    await this.change(modelId, async ({ details }) => {
      await details.load('metrics', named.map(([key]) => key));
      for (const [key, point] of named) details.metrics.set(key, point);
    });
  }

  /** Nothing finds the model any more. Deleting it again changes nothing: the first answer may have been lost. */
  public async delete(modelId: string): Promise<void> {
    const gone = (model: OpenModel): void => {
      model.head = { ...model.head, deleted: true };
    };
    await this.change(modelId, gone, true);
  }

  /** Models of an experiment, newest first, then by id: pages as DynamoDB gives them. */
  public async *rows(experimentId: string): AsyncGenerator<LoggedModel[]> {
    const pages = queryPages(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': TRACKING_KEYS.experiment(experimentId), ':prefix': TRACKING_KEYS.loggedModelRowPrefix },
      ConsistentRead: true,
    });
    for await (const page of pages) {
      const there = page.map((row) => this.fromRow(row)).filter(({ head }) => !head.deleted);
      const models: LoggedModel[] = [];
      for (const model of there) models.push(await this.whole(model));
      yield models;
    }
  }

  private async whole(model: OpenModel): Promise<LoggedModel> {
    try {
      await model.details.loadAll();
      return toModel(model);
    } catch (error) {
      if (!isTorn(error)) throw error;
      return this.get(model.head.modelId);
    }
  }

  private async open(modelId: string, evenDeleted = false): Promise<OpenModel> {
    const place = (await this.read(metaKey(modelId))) as Place | undefined;
    const row = place && (await this.read(rowKey({ ...place, modelId })));
    const there = row && (evenDeleted || !row.deleted);
    if (!there) throw new NamedError(TRACKING_ERRORS.loggedModelNotFound, `Logged model with ID '${modelId}' not found.`);
    return this.fromRow(row);
  }

  private async change<T>(modelId: string, decide: (model: OpenModel) => T | Promise<T>, evenDeleted = false): Promise<T> {
    return untilWon(() =>
      untilWhole(async () => {
        const model = await this.open(modelId, evenDeleted);
        const before = model.head;
        model.head = { ...before, updatedAt: Date.now() };
        const answer = await decide(model);
        await this.write(model);
        return answer;
      }),
    );
  }

  private async write({ head, details, revision }: OpenModel, first: readonly Write[] = []): Promise<void> {
    const row = { ...rowKey(head), ...head, revision };
    await writeRow({ table: this.table, db: this.db, row, details, owner: `logged model ${head.modelId}`, first });
  }

  private fromRow(row: Item): OpenModel {
    const head = Object.fromEntries(HEAD.filter((name) => row[name] !== undefined).map((name) => [name, row[name]])) as unknown as Head;
    return { head, details: this.details(head.modelId, row), revision: row.revision as number };
  }

  private details(modelId: string, row: Item): Details {
    return new Details(this.table, this.db, TRACKING_KEYS.loggedModel(modelId), row);
  }

  private async read(key: Item): Promise<Item | undefined> {
    return (await this.db.send(new GetCommand({ TableName: this.table, Key: key, ConsistentRead: true }))).Item;
  }
}

const rowKey = ({ experimentId, createdAt, modelId }: Place & { readonly modelId: string }): Item => ({
  pk: TRACKING_KEYS.experiment(experimentId),
  sk: TRACKING_KEYS.loggedModelRow(createdAt, modelId),
});

const toModel = ({ head: { deleted: _, ...head }, details }: OpenModel): LoggedModel => ({
  ...head,
  tags: details.tags.all(),
  params: details.params.all(),
  metrics: Object.entries(details.metrics.all())
    .map(([name, point]) => {
      const [key, runId] = JSON.parse(name) as [string, string];
      return { ...unpackPoint(key, point), runId };
    })
    .sort((a, b) => a.timestamp - b.timestamp || a.step - b.step),
});

const paramChanged = (modelId: string, key: string, before: string, value: string): NamedError =>
  new NamedError(
    TRACKING_ERRORS.paramChanged,
    `Changing param values is not allowed. Param with key='${key}' was already logged with value='${before}' for model ID='${modelId}'. ` +
      `Attempted logging new value '${value}'.`,
  );
