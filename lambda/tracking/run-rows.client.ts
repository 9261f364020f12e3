import { BatchGetCommand, DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { Run, TRACKING_ERRORS, TRACKING_KEYS } from '../../lib/tracking/contract';
import { Item, RetryOptions, untilWon } from '../common/dynamo.client';
import { NamedError } from '../common/errors';
import { Details, isTorn, untilWhole, Write, writeRow } from './details.client';
import { ExperimentsClient, StoredExperiment } from './experiments.client';
import { OpenRun, RunHead, RunPlace } from './open-run';

const HEAD = ['runId', 'experimentId', 'startTime', 'name', 'userId', 'status', 'endTime', 'lifecycleStage', 'generation', 'artifactUri', 'pipeline'];
const BATCH = 100;
const PLACES = 1_000;
const CONCURRENT_DETAILS = 8;
/** A hundred writers of one run take turns: each may wait longer than the others need together. */
const MANY_WRITERS: RetryOptions = { attempts: 60, firstDelayMs: 20, longestDelayMs: 2_000 };

const rowKey = ({ experimentId, startTime, runId }: RunPlace): Item => ({
  pk: TRACKING_KEYS.experiment(experimentId),
  sk: TRACKING_KEYS.runRow(startTime, runId),
});

/** Rows of runs: found by id, read whole, written in one transaction under the revision that was read. */
export class RunRows {
  private readonly places = new Map<string, RunPlace>();

  constructor(
    public readonly table: string,
    public readonly db: DynamoDBDocumentClient,
    public readonly experiments: ExperimentsClient,
  ) {}

  /** Reads what a run says about itself; details are loaded as they are needed. */
  public async open(runId: string, known?: StoredExperiment): Promise<OpenRun> {
    const place = await this.place(runId);
    const [{ Item: row }, experiment] = await Promise.all([
      this.db.send(new GetCommand({ TableName: this.table, Key: rowKey(place), ConsistentRead: true })),
      known ?? this.experiments.stored(place.experimentId),
    ]);
    if (!row) throw notFound(runId);
    return this.fromRow(row, experiment);
  }

  public async read(runId: string): Promise<Run> {
    return untilWhole(async () => {
      const run = await this.open(runId);
      await run.details.loadAll();
      return run.toRun();
    });
  }

  /** Rows of one query as runs. One that is written meanwhile is read again. */
  public async toRuns(rows: readonly Item[], experiment: StoredExperiment): Promise<Run[]> {
    const runs: Run[] = [];
    for (let start = 0; start < rows.length; start += CONCURRENT_DETAILS) {
      const some = rows.slice(start, start + CONCURRENT_DETAILS).map(async (row) => {
        const run = this.fromRow(row, experiment);
        try {
          await run.details.loadAll();
          return run.toRun();
        } catch (error) {
          if (!isTorn(error)) throw error;
          return this.read(run.head.runId);
        }
      });
      runs.push(...(await Promise.all(some)));
    }
    return runs;
  }

  /** Runs by id, in the order of the ids; those that do not exist are left out. */
  public async readMany(runIds: readonly string[]): Promise<Run[]> {
    const metas = await this.batch(runIds.filter((id) => !this.places.has(id)).map(metaKey));
    for (const meta of metas) this.remember(meta as unknown as RunPlace);
    const places = runIds.flatMap((id) => this.places.get(id) ?? []);
    const experimentIds = [...new Set(places.map(({ experimentId }) => experimentId))];
    const [rows, experiments] = await Promise.all([
      this.batch(places.map(rowKey)),
      Promise.all(experimentIds.map((id) => this.experiments.stored(id))),
    ]);
    const byId = new Map<string, Run>();
    for (const experiment of experiments) {
      const own = rows.filter(({ experimentId }) => experimentId === experiment.experimentId);
      for (const run of await this.toRuns(own, experiment)) byId.set(run.runId, run);
    }
    return runIds.flatMap((id) => byId.get(id) ?? []);
  }

  /** Adds a run; false where there is one of that id. */
  public async add(run: OpenRun): Promise<boolean> {
    const { runId, experimentId, startTime } = run.head;
    const meta = { ...metaKey(runId), runId, experimentId, startTime };
    const place = { Put: { TableName: this.table, Item: meta, ConditionExpression: 'attribute_not_exists(pk)' } };
    return untilWon(async () => {
      if (await this.findPlace(runId)) return false;
      await this.write(run, [place]);
      this.remember(run.head);
      return true;
    });
  }

  /** Reads, lets `decide` change the run, and writes what changed: again with what is there by then while others were quicker. */
  public async change<T>(runId: string, decide: (run: OpenRun) => T | Promise<T>): Promise<T> {
    let experiment: StoredExperiment | undefined;
    const attempt = async (): Promise<T> => {
      const run = await this.open(runId, experiment);
      ({ experiment } = run);
      const answer = await decide(run);
      if (run.headChanged || run.details.changed || run.extra.size > 0) await this.write(run);
      return answer;
    };
    return untilWon(() => untilWhole(attempt), MANY_WRITERS);
  }

  public fromRow(row: Item, experiment: StoredExperiment): OpenRun {
    const head = Object.fromEntries(HEAD.filter((name) => row[name] !== undefined).map((name) => [name, row[name]])) as unknown as RunHead;
    return new OpenRun(head, new Details(this.table, this.db, TRACKING_KEYS.run(head.runId), row), experiment, row.revision as number);
  }

  /** A run that is not stored yet. */
  public fresh(head: RunHead, experiment: StoredExperiment): OpenRun {
    return new OpenRun(head, new Details(this.table, this.db, TRACKING_KEYS.run(head.runId), {}), experiment, 0);
  }

  private async write({ head, details, revision, extra }: OpenRun, first: readonly Write[] = []): Promise<void> {
    const row = { ...rowKey(head), ...head, revision };
    await writeRow({ table: this.table, db: this.db, row, details, owner: `run ${head.runId}`, first, last: [...extra.values()] });
  }

  private async place(runId: string): Promise<RunPlace> {
    const place = await this.findPlace(runId);
    if (!place) throw notFound(runId);
    return place;
  }

  private async findPlace(runId: string): Promise<RunPlace | undefined> {
    const known = this.places.get(runId);
    if (known) return known;
    const { Item: meta } = await this.db.send(new GetCommand({ TableName: this.table, Key: metaKey(runId), ConsistentRead: true }));
    return meta && this.remember(meta as unknown as RunPlace);
  }

  private remember({ runId, experimentId, startTime }: RunPlace): RunPlace {
    if (this.places.size >= PLACES) this.places.clear();
    const place = { runId, experimentId, startTime };
    this.places.set(runId, place);
    return place;
  }

  private async batch(keys: readonly Item[]): Promise<Item[]> {
    const found: Item[] = [];
    let pending = [...new Map(keys.map((one) => [JSON.stringify(one), one])).values()];
    for (let tries = 0; pending.length > 0; ) {
      const some = pending.slice(0, BATCH);
      const answer = await this.db.send(new BatchGetCommand({ RequestItems: { [this.table]: { Keys: some, ConsistentRead: true } } }));
      found.push(...(answer.Responses?.[this.table] ?? []));
      const left = (answer.UnprocessedKeys?.[this.table]?.Keys ?? []) as Item[];
      pending = [...left, ...pending.slice(some.length)];
      tries = left.length === some.length ? tries + 1 : 0;
      if (tries > 8) throw new Error(`table ${this.table} did not answer for ${left.length} keys`);
      if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 50 * 2 ** tries));
    }
    return found;
  }
}

const metaKey = (runId: string): Item => ({ pk: TRACKING_KEYS.run(runId), sk: TRACKING_KEYS.meta });

export const notFound = (runId: string): NamedError => new NamedError(TRACKING_ERRORS.notFound, `Run with id=${runId} not found`);
