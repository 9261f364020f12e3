import {
  DescribeExecutionCommand,
  type DescribeExecutionCommandOutput,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  SFNClient,
} from '@aws-sdk/client-sfn';

/** Enough to find the state that failed last: polls of a release are the only part of a history that grows. */
const EVENTS = 500;

/** Executions of the pipelines. */
export class ExecutionsClient {
  constructor(private readonly client: SFNClient = new SFNClient({})) {}

  async describe(executionArn: string): Promise<DescribeExecutionCommandOutput> {
    return this.client.send(new DescribeExecutionCommand({ executionArn }));
  }

  async newestEvents(executionArn: string): Promise<HistoryEvent[]> {
    const query = { executionArn, reverseOrder: true, maxResults: EVENTS };
    return (await this.client.send(new GetExecutionHistoryCommand(query))).events ?? [];
  }

  /** Every event, oldest first. */
  async *events(executionArn: string): AsyncGenerator<HistoryEvent> {
    let nextToken: string | undefined;
    do {
      const page = await this.client.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1_000, nextToken }));
      yield* page.events ?? [];
      nextToken = page.nextToken;
    } while (nextToken);
  }
}
