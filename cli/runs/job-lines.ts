import { CloudWatchLogsClient, DescribeLogStreamsCommand, GetLogEventsCommand, type LogStream } from '@aws-sdk/client-cloudwatch-logs';
import type { LogPlace } from '../../lib/tracking/contract';
import type { Connection } from '../platform';

const LONGEST_LINE = 400;

/** The lines of a job while it writes them: of the stream that was written to last among those of its place. */
export class JobLines {
  private readonly client: CloudWatchLogsClient;
  private place = '';
  private stream?: string;
  private token?: string;

  constructor(connection: Connection) {
    this.client = new CloudWatchLogsClient(connection);
  }

  /** What was written since the last call for the same place; the newest few at the first. A job that has not begun to write has no lines. */
  async next(place: LogPlace, most: number): Promise<string[]> {
    const key = `${place.group} ${place.stream}`;
    if (key !== this.place) {
      this.place = key;
      this.stream = undefined;
    }
    try {
      const newest = await this.newestStream(place);
      if (newest !== this.stream) {
        this.stream = newest;
        this.token = undefined;
      }
      return this.stream === undefined ? [] : await this.read(place.group, this.stream, most);
    } catch (error) {
      // Who may watch a run need not be allowed to read its lines, and the group comes with the first line.
      if (error instanceof Error && /ResourceNotFound|AccessDenied/.test(error.name)) return [];
      throw error;
    }
  }

  private async newestStream({ group, stream }: LogPlace): Promise<string | undefined> {
    if (!/[-/]$/.test(stream)) return stream;
    const query = new DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: stream, limit: 50 });
    const { logStreams = [] } = await this.client.send(query);
    const age = ({ lastEventTimestamp, creationTime }: LogStream): number => lastEventTimestamp ?? creationTime ?? 0;
    return [...logStreams].sort((a, b) => age(b) - age(a))[0]?.logStreamName;
  }

  private async read(logGroupName: string, logStreamName: string, limit: number): Promise<string[]> {
    const from = this.token === undefined ? { startFromHead: false } : { nextToken: this.token, startFromHead: true };
    const { events = [], nextForwardToken } = await this.client.send(new GetLogEventsCommand({ logGroupName, logStreamName, limit, ...from }));
    this.token = nextForwardToken ?? this.token;
    const lines = events.flatMap(({ message = '' }) => message.split('\n')).map((line) => line.trimEnd().slice(0, LONGEST_LINE));
    return lines.filter((line) => line !== '');
  }
}
