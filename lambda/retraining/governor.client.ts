import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { GOVERNOR_KEYS, RETRAINING_ENV, type DecisionRecord } from '../../lib/retraining/contract';
import { createDocumentClient, lostRace, withoutKeys } from '../common/dynamo.client';
import { requireEnv } from '../common/env';
import { NamedError } from '../common/errors';
import type { GovernorState, Pause } from './governor';

/** The first decision on a cause, and whether everything that follows from it was done. */
export interface Claim {
  readonly record: DecisionRecord;
  readonly announced: boolean;
}

/** What the decisions need of their store. */
export interface GovernorStore {
  state(model: string): Promise<GovernorState>;
  /** Writes the successor of a state that was read; false where somebody else was faster. */
  replace(next: GovernorState): Promise<boolean>;
  findClaim(model: string, causeId: string): Promise<Claim | undefined>;
  /** Claims a cause for one decision together with the state it rests on; false where the state moved on or the cause is claimed. */
  claim(state: GovernorState, record: DecisionRecord): Promise<boolean>;
  /** Takes a claim back that led to nothing. */
  forget(record: DecisionRecord): Promise<void>;
  addDecision(record: DecisionRecord): Promise<void>;
  markAnnounced(record: DecisionRecord): Promise<void>;
}

const WRITE_ATTEMPTS = 10;
const LONGEST_WAIT_MS = 200;

/** Waits a random moment, so that writers who met once do not meet again. */
export const backOff = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_WAIT_MS));

/** All access to the governor table; the CLI uses it too. */
export class GovernorClient implements GovernorStore {
  constructor(
    private readonly table: string = requireEnv(RETRAINING_ENV.governorTable),
    private readonly documents: DynamoDBDocumentClient = createDocumentClient(),
  ) {}

  async state(model: string): Promise<GovernorState> {
    const Key = { pk: GOVERNOR_KEYS.model(model), sk: GOVERNOR_KEYS.state };
    const { Item } = await this.documents.send(new GetCommand({ TableName: this.table, Key, ConsistentRead: true }));
    return {
      model,
      revision: (Item?.revision as number | undefined) ?? 0,
      lock: Item?.lock as GovernorState['lock'],
      paused: Item?.paused as GovernorState['paused'],
      promotedCause: Item?.promotedCause as string | undefined,
      rejectedCauses: (Item?.rejectedCauses as Record<string, string> | undefined) ?? {},
    };
  }

  async replace(next: GovernorState): Promise<boolean> {
    return this.unlessConditionFails(() => this.documents.send(new PutCommand(this.statePut(next))));
  }

  async findClaim(model: string, causeId: string): Promise<Claim | undefined> {
    const Key = { pk: GOVERNOR_KEYS.model(model), sk: GOVERNOR_KEYS.cause(causeId) };
    const { Item } = await this.documents.send(new GetCommand({ TableName: this.table, Key, ConsistentRead: true }));
    return Item && { record: Item.record as DecisionRecord, announced: Item.announced as boolean };
  }

  async claim(state: GovernorState, record: DecisionRecord): Promise<boolean> {
    const cause = {
      TableName: this.table,
      Item: { ...this.causeKey(record), record, announced: false },
      ConditionExpression: 'attribute_not_exists(pk)',
    };
    return this.unlessConditionFails(() =>
      this.documents.send(new TransactWriteCommand({ TransactItems: [{ Put: this.statePut(state) }, { Put: cause }] })),
    );
  }

  async forget(record: DecisionRecord): Promise<void> {
    await this.unlessConditionFails(() =>
      this.documents.send(
        new DeleteCommand({
          TableName: this.table,
          Key: this.causeKey(record),
          ConditionExpression: 'announced = :no AND #record.#at = :at',
          ExpressionAttributeNames: { '#record': 'record', '#at': 'at' },
          ExpressionAttributeValues: { ':no': false, ':at': record.at },
        }),
      ),
    );
  }

  async addDecision(record: DecisionRecord): Promise<void> {
    const sk = GOVERNOR_KEYS.decision(record.at, record.cause.causeId);
    const Item = { pk: GOVERNOR_KEYS.model(record.model), sk, ...record };
    await this.unlessConditionFails(() =>
      this.documents.send(new PutCommand({ TableName: this.table, Item, ConditionExpression: 'attribute_not_exists(pk)' })),
    );
  }

  async markAnnounced(record: DecisionRecord): Promise<void> {
    await this.unlessConditionFails(() =>
      this.documents.send(
        new UpdateCommand({
          TableName: this.table,
          Key: this.causeKey(record),
          UpdateExpression: 'SET announced = :yes',
          ConditionExpression: 'attribute_exists(pk)',
          ExpressionAttributeValues: { ':yes': true },
        }),
      ),
    );
  }

  /** Decisions of a model: all, oldest first, unless the options say otherwise. */
  async listDecisions(model: string, options: { readonly limit?: number; readonly newestFirst?: boolean } = {}): Promise<DecisionRecord[]> {
    const { limit = Infinity, newestFirst = false } = options;
    const found: DecisionRecord[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const page = await this.documents.send(
        new QueryCommand({
          TableName: this.table,
          KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
          ExpressionAttributeValues: { ':pk': GOVERNOR_KEYS.model(model), ':prefix': GOVERNOR_KEYS.decisionPrefix },
          ConsistentRead: true,
          ScanIndexForward: !newestFirst,
          Limit: limit === Infinity ? undefined : limit - found.length,
          ExclusiveStartKey,
        }),
      );
      found.push(...(page.Items ?? []).map((item) => withoutKeys<DecisionRecord>(item)));
      ExclusiveStartKey = page.LastEvaluatedKey;
    } while (ExclusiveStartKey && found.length < limit);
    return found;
  }

  /** From now on every cause is refused, a person's too; a run under way goes on. Pausing twice keeps the first pause. */
  async pause(model: string, pause: Pause): Promise<GovernorState> {
    return this.update(model, (state) => (state.paused ? state : { ...state, paused: pause }));
  }

  async resume(model: string): Promise<GovernorState> {
    return this.update(model, (state) => (state.paused ? { ...state, paused: undefined } : state));
  }

  /** Applies a change to the newest state; a change that returns the same object writes nothing. */
  async update(model: string, change: (state: GovernorState) => GovernorState): Promise<GovernorState> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const state = await this.state(model);
      const next = change(state);
      if (next === state) return state;
      if (await this.replace(next)) return { ...next, revision: next.revision + 1 };
      await backOff();
    }
    throw new NamedError('GovernorContention', `the state of ${model} changed ${WRITE_ATTEMPTS} times while it was being written: try again`);
  }

  private statePut({ model, revision, ...rest }: GovernorState) {
    return {
      TableName: this.table,
      Item: { pk: GOVERNOR_KEYS.model(model), sk: GOVERNOR_KEYS.state, ...rest, revision: revision + 1 },
      ...(revision === 0
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'revision = :read', ExpressionAttributeValues: { ':read': revision } }),
    };
  }

  private causeKey(record: DecisionRecord) {
    return { pk: GOVERNOR_KEYS.model(record.model), sk: GOVERNOR_KEYS.cause(record.cause.causeId) };
  }

  private async unlessConditionFails(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      if (lostRace(error) || (error instanceof Error && error.name === 'ConditionalCheckFailedException')) return false;
      throw error;
    }
  }
}
