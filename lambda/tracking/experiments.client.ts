import { randomInt } from 'node:crypto';
import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { ARTIFACTS_ENV } from '../../lib/artifacts/contract';
import { DEFAULT_EXPERIMENT, Experiment, TRACKING_ENV, TRACKING_ERRORS, TRACKING_KEYS } from '../../lib/tracking/contract';
import { createDocumentClient, Item, queryAll, untilWon, withoutKeys } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import { pack, Packed, packedBytes, unpack } from '../common/packed';

export interface NewExperiment {
  readonly name: string;
  /** Below the platform's artifacts where left out. */
  readonly artifactLocation?: string;
  readonly tags?: Readonly<Record<string, string>>;
}

/** An experiment as it is stored. */
export interface StoredExperiment extends Experiment {
  readonly revision: number;
  /** Counts deletions and restorations: runs that carry an older one have the life cycle stage of their experiment. */
  readonly generation: number;
}

/** Tags of an experiment, compressed: they stand in its row, which DynamoDB limits to 400 KB. */
const MOST_TAG_BYTES = 350_000;

const key = (experimentId: string): Item => ({ pk: TRACKING_KEYS.experiments, sk: experimentId });
const claimKey = (name: string): Item => ({ pk: TRACKING_KEYS.experimentName(name), sk: TRACKING_KEYS.nameSort });

/** 18 digits, none of them a leading zero. */
const newId = (): string => `${randomInt(100_000_000, 1_000_000_000)}${String(randomInt(1_000_000_000)).padStart(9, '0')}`;

const plain = ({ experimentId, name, artifactLocation, lifecycleStage, creationTime, lastUpdateTime, tags }: StoredExperiment): Experiment => ({
  experimentId,
  name,
  artifactLocation,
  lifecycleStage,
  creationTime,
  lastUpdateTime,
  tags,
});

/** Experiments: what runs belong to. Reads are consistent; every change is one transaction. */
export class ExperimentsClient {
  constructor(
    private readonly table: string = requireEnv(TRACKING_ENV.runsTable),
    private readonly db: DynamoDBDocumentClient = createDocumentClient(),
    private readonly artifactRoot: string | undefined = rootFromEnvironment(),
  ) {}

  public async create({ name, artifactLocation, tags = {} }: NewExperiment): Promise<Experiment> {
    // The default experiment's name is taken, also before anybody needed it.
    if (name === DEFAULT_EXPERIMENT.name) await this.default();
    const experimentId = newId();
    const now = Date.now();
    const created: StoredExperiment = {
      experimentId,
      name,
      artifactLocation: artifactLocation ?? this.locationOf(experimentId),
      lifecycleStage: 'active',
      creationTime: now,
      lastUpdateTime: now,
      tags: { ...tags },
      revision: 1,
      generation: 0,
    };
    await this.add(created);
    return plain(created);
  }

  /** The experiment of that name, deleted or not; made where there is none. */
  public async ensure(name: string): Promise<Experiment> {
    const found = await this.getByName(name);
    if (found) return found;
    try {
      return await this.create({ name });
    } catch (error) {
      if (!(error instanceof Error) || error.name !== TRACKING_ERRORS.exists) throw error;
      return (await this.getByName(name)) ?? (await this.create({ name }));
    }
  }

  public async get(experimentId: string): Promise<Experiment> {
    return plain(await this.stored(experimentId));
  }

  /** Deleted ones too. */
  public async getByName(name: string): Promise<Experiment | undefined> {
    const claim = await this.read(claimKey(name));
    if (claim?.experimentId !== undefined) return this.get(claim.experimentId as string);
    return name === DEFAULT_EXPERIMENT.name ? plain(await this.default()) : undefined;
  }

  /** Every experiment, deleted ones too, by id. */
  public async *list(): AsyncGenerator<Experiment> {
    await this.default();
    const items = queryAll(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': TRACKING_KEYS.experiments },
      ConsistentRead: true,
    });
    for await (const item of items) yield plain(this.fromItem(item));
  }

  public async rename(experimentId: string, newName: string): Promise<void> {
    await this.change(experimentId, (experiment) => {
      if (experiment.lifecycleStage !== 'active') throw new NamedError(TRACKING_ERRORS.deleted, 'Cannot rename a non-active experiment.');
      return { name: newName };
    });
  }

  /** Its runs are deleted with it. */
  public async delete(experimentId: string): Promise<void> {
    await this.turn(experimentId, 'deleted');
  }

  /** Its runs are restored with it. */
  public async restore(experimentId: string): Promise<void> {
    await this.turn(experimentId, 'active');
  }

  public async setTag(experimentId: string, tag: string, value: string): Promise<void> {
    await this.change(experimentId, (experiment) => {
      requireActive(experiment);
      return { tags: { ...experiment.tags, [tag]: value } };
    });
  }

  /** Answers whether there was such a tag. */
  public async deleteTag(experimentId: string, tag: string): Promise<boolean> {
    let found = false;
    await this.change(experimentId, (experiment) => {
      requireActive(experiment);
      found = Object.hasOwn(experiment.tags, tag);
      return found ? { tags: Object.fromEntries(Object.entries(experiment.tags).filter(([name]) => name !== tag)) } : undefined;
    });
    return found;
  }

  /** With what only the stores need to know. */
  public async stored(experimentId: string): Promise<StoredExperiment> {
    const item = await this.read(key(experimentId));
    if (item) return this.fromItem(item);
    if (experimentId === DEFAULT_EXPERIMENT.id) return this.default();
    throw new NamedError(TRACKING_ERRORS.experimentNotFound, `No Experiment with id=${experimentId} exists`);
  }

  private async turn(experimentId: string, lifecycleStage: Experiment['lifecycleStage']): Promise<void> {
    await this.change(experimentId, (experiment) => {
      if (experiment.lifecycleStage === lifecycleStage) {
        throw new NamedError(TRACKING_ERRORS.experimentNotFound, `No Experiment with id=${experimentId} exists`);
      }
      return { lifecycleStage, generation: experiment.generation + 1 };
    });
  }

  private async change(experimentId: string, decide: (experiment: StoredExperiment) => Partial<StoredExperiment> | undefined): Promise<void> {
    await untilWon(async () => {
      const before = await this.stored(experimentId);
      const changes = decide(before);
      if (!changes) return;
      const after = { ...before, ...changes, revision: before.revision + 1, lastUpdateTime: Date.now() };
      const renamed = after.name === before.name ? [] : [this.claim(after), this.free(before.name)];
      const row = { ...this.put(after), ConditionExpression: 'revision = :read', ExpressionAttributeValues: { ':read': before.revision } };
      try {
        await this.db.send(new TransactWriteCommand({ TransactItems: [{ Put: row }, ...renamed] }));
      } catch (error) {
        throw renamed.length > 0 ? takenAt(1, error, after.name) : error;
      }
    });
  }

  private async default(): Promise<StoredExperiment> {
    const found = await this.read(key(DEFAULT_EXPERIMENT.id));
    if (found) return this.fromItem(found);
    const { id: experimentId, name } = DEFAULT_EXPERIMENT;
    const now = Date.now();
    const artifactLocation = this.locationOf(experimentId);
    const fresh: StoredExperiment = {
      experimentId,
      name,
      artifactLocation,
      lifecycleStage: 'active',
      creationTime: now,
      lastUpdateTime: now,
      tags: {},
      revision: 1,
      generation: 0,
    };
    try {
      await this.add(fresh);
      return fresh;
    } catch (error) {
      // Who may only read sees it as it will be made.
      if (!(error instanceof Error) || ![TRACKING_ERRORS.exists, 'AccessDeniedException'].includes(error.name)) throw error;
      const made = await this.read(key(experimentId));
      return made ? this.fromItem(made) : fresh;
    }
  }

  private async add(experiment: StoredExperiment): Promise<void> {
    const row = { ...this.put(experiment), ConditionExpression: 'attribute_not_exists(pk)' };
    await untilWon(async () => {
      try {
        await this.db.send(new TransactWriteCommand({ TransactItems: [{ Put: row }, this.claim(experiment)] }));
      } catch (error) {
        throw takenAt(1, error, experiment.name);
      }
    });
  }

  private claim({ name, experimentId }: StoredExperiment) {
    const Item = { ...claimKey(name), experimentId };
    return { Put: { TableName: this.table, Item, ConditionExpression: 'attribute_not_exists(experimentId)' } };
  }

  /** Nothing is ever deleted: a claim without an experiment is free. */
  private free(name: string) {
    return { Put: { TableName: this.table, Item: claimKey(name) } };
  }

  private put(experiment: StoredExperiment) {
    const tags = pack(experiment.tags);
    if (packedBytes(tags) > MOST_TAG_BYTES) {
      throw new NamedError(
        TRACKING_ERRORS.tooLarge,
        `experiment ${experiment.experimentId} would hold ${packedBytes(tags)} bytes of tags (compressed); ${MOST_TAG_BYTES} is the most`,
      );
    }
    return { TableName: this.table, Item: { ...key(experiment.experimentId), ...experiment, tags } };
  }

  private fromItem(item: Item): StoredExperiment {
    const experiment = withoutKeys<StoredExperiment>(item);
    return {
      ...experiment,
      artifactLocation: experiment.artifactLocation || this.locationOf(experiment.experimentId),
      tags: unpack<Record<string, string>>(item.tags as Packed),
    };
  }

  /** Empty where the function knows of no artifacts: filled in by whoever does when the experiment is read. */
  private locationOf(experimentId: string): string {
    return this.artifactRoot === undefined ? '' : `${this.artifactRoot}/${experimentId}`;
  }

  private async read(itemKey: Item): Promise<Item | undefined> {
    return (await this.db.send(new GetCommand({ TableName: this.table, Key: itemKey, ConsistentRead: true }))).Item;
  }
}

function rootFromEnvironment(): string | undefined {
  const bucket = process.env[ARTIFACTS_ENV.artifactsBucket];
  return bucket ? `s3://${bucket}/mlflow` : undefined;
}

export function requireActive({ experimentId, lifecycleStage }: Experiment): void {
  if (lifecycleStage === 'active') return;
  throw new NamedError(TRACKING_ERRORS.deleted, `The experiment ${experimentId} must be in the 'active' state. Current state is ${lifecycleStage}.`);
}

/** A lost claim is a taken name, not a lost race. */
function takenAt(index: number, error: unknown, name: string): unknown {
  const taken = error instanceof TransactionCanceledException && error.CancellationReasons?.[index]?.Code === 'ConditionalCheckFailed';
  return taken ? new NamedError(TRACKING_ERRORS.exists, `Experiment(name=${name}) already exists.`, { cause: error }) : error;
}
