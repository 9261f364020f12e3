import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { APPROVAL_ENV, APPROVAL_KEYS } from '../../../lib/pipeline/approval/contract';
import { createDocumentClient, Item, queryAll, withoutKeys } from '../../common/dynamo.client';
import { requireEnv } from '../../common/env';
import { Question } from './question';

/** The table of questions to persons. */
export class ApprovalsClient {
  constructor(
    private readonly table: string = requireEnv(APPROVAL_ENV.table),
    private readonly db: DynamoDBDocumentClient = createDocumentClient(),
  ) {}

  async find(model: string, version: number, round: number): Promise<Question | undefined> {
    const Key = { pk: APPROVAL_KEYS.model(model), sk: APPROVAL_KEYS.question(version, round) };
    const { Item } = await this.db.send(new GetCommand({ TableName: this.table, Key, ConsistentRead: true }));
    return Item && withoutKeys<Question>(Item);
  }

  /** The question of the last round. */
  async latest(model: string, version: number): Promise<Question | undefined> {
    const { Items = [] } = await this.db.send(
      new QueryCommand({
        TableName: this.table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :version)',
        ExpressionAttributeValues: { ':pk': APPROVAL_KEYS.model(model), ':version': APPROVAL_KEYS.version(version) },
        ConsistentRead: true,
        ScanIndexForward: false,
        Limit: 1,
      }),
    );
    return Items[0] && withoutKeys<Question>(Items[0]);
  }

  /** What waits, soonest to expire first. From an index: what was asked a moment ago may be missing. */
  async *open(): AsyncGenerator<Question> {
    const query = {
      TableName: this.table,
      IndexName: APPROVAL_KEYS.openIndex,
      KeyConditionExpression: 'gsi1pk = :open',
      ExpressionAttributeValues: { ':open': APPROVAL_KEYS.open },
    };
    for await (const item of queryAll(this.db, query)) yield withoutKeys<Question>(item);
  }

  /** Writes the successor of a question that was read (revision 0: that was not there); undefined where somebody else was faster. */
  async write(question: Question): Promise<Question | undefined> {
    const { model, version, round, revision, status, expiresAt } = question;
    const next = { ...question, revision: revision + 1 };
    const Item: Item = {
      pk: APPROVAL_KEYS.model(model),
      sk: APPROVAL_KEYS.question(version, round),
      ...(status === 'waiting' ? { gsi1pk: APPROVAL_KEYS.open, gsi1sk: expiresAt } : {}),
      ...next,
    };
    const unchanged =
      revision === 0
        ? { ConditionExpression: 'attribute_not_exists(pk)' }
        : { ConditionExpression: 'revision = :read', ExpressionAttributeValues: { ':read': revision } };
    try {
      await this.db.send(new PutCommand({ TableName: this.table, Item, ...unchanged }));
      return next;
    } catch (error) {
      if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return undefined;
      throw error;
    }
  }
}
