import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { LineageEdge, LineageNode, TRACKING_ENV, TRACKING_KEYS } from '../../lib/tracking/contract';
import { createDocumentClient, Item, lostRace, queryAll, untilWon } from '../common/dynamo.client';
import { requireEnv } from '../common/env';

type Direction = 'IN' | 'OUT';

/** What was made from what. An edge stands at both of its ends, so that either direction is one query. */
export class LineageClient {
  constructor(
    private readonly table: string = requireEnv(TRACKING_ENV.runsTable),
    private readonly db: DynamoDBDocumentClient = createDocumentClient(),
  ) {}

  /** Records that `to` was made from `from`. An edge that is there already keeps its time. */
  public async link(from: LineageNode, to: LineageNode, at: string = new Date().toISOString()): Promise<void> {
    const put = (end: LineageNode, direction: Direction, node: LineageNode) => ({
      Put: {
        TableName: this.table,
        Item: { pk: TRACKING_KEYS.node(end), sk: `${direction}#${node.kind}#${node.id}`, kind: node.kind, id: node.id, at },
        ConditionExpression: 'attribute_not_exists(pk)',
      },
    });
    await untilWon(async () => {
      try {
        await this.db.send(new TransactWriteCommand({ TransactItems: [put(to, 'IN', from), put(from, 'OUT', to)] }));
      } catch (error) {
        // Both ends are written together: whoever wrote one before wrote the other.
        if (!lostRace(error) || !(await this.edges(to, 'IN')).some(({ node }) => node.kind === from.kind && node.id === from.id)) throw error;
      }
    });
  }

  /** What a thing was made from. */
  public async from(node: LineageNode): Promise<LineageEdge[]> {
    return this.edges(node, 'IN');
  }

  /** What was made from a thing. */
  public async to(node: LineageNode): Promise<LineageEdge[]> {
    return this.edges(node, 'OUT');
  }

  private async edges(node: LineageNode, direction: Direction): Promise<LineageEdge[]> {
    const edges: LineageEdge[] = [];
    const items = queryAll(this.db, {
      TableName: this.table,
      KeyConditionExpression: 'pk = :pk AND begins_with(sk, :prefix)',
      ExpressionAttributeValues: { ':pk': TRACKING_KEYS.node(node), ':prefix': `${direction}#` },
      ConsistentRead: true,
    });
    for await (const item of items) edges.push(edge(item));
    return edges;
  }
}

const edge = ({ kind, id, at }: Item): LineageEdge => ({ node: { kind, id } as LineageNode, at: at as string });
