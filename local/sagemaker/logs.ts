import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-cloudwatch-logs';
import { messageOf } from './errors';

const FLUSH_MILLISECONDS = 500;
const BATCH = 1000;

/** One log stream, written in batches with the job's own role; a role without the right loses its logs, as on AWS, never its job. */
export class LogStream {
  private lines: Array<{ timestamp: number; message: string }> = [];
  private timer?: NodeJS.Timeout;
  private writing: Promise<void> = Promise.resolve();
  private ready = false;
  private broken = false;

  constructor(
    private readonly client: CloudWatchLogsClient,
    private readonly group: string,
    readonly name: string,
    private readonly complain: (line: string) => void,
  ) {}

  write(line: string): void {
    if (line === '' || this.broken) return;
    this.lines.push({ timestamp: Date.now(), message: line });
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_MILLISECONDS);
  }

  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const lines = this.lines;
    this.lines = [];
    if (lines.length > 0) this.writing = this.writing.then(() => this.put(lines));
    return this.writing;
  }

  /** For those who look at the logs as soon as a job has ended; logs never hold a job for long. */
  async settle(): Promise<void> {
    await Promise.race([this.flush(), sleep(FLUSH_MILLISECONDS * 2, undefined, { ref: false })]);
  }

  private async put(lines: Array<{ timestamp: number; message: string }>): Promise<void> {
    if (this.broken) return;
    try {
      if (!this.ready) await this.create();
      for (let at = 0; at < lines.length; at += BATCH) {
        const logEvents = lines.slice(at, at + BATCH);
        await this.client.send(new PutLogEventsCommand({ logGroupName: this.group, logStreamName: this.name, logEvents }));
      }
    } catch (error) {
      this.broken = true;
      this.complain(`no logs in ${this.group}/${this.name}: ${messageOf(error)}`);
    }
  }

  private async create(): Promise<void> {
    const make = (attempt: Promise<unknown>) =>
      attempt.catch((error) => {
        if (!(error instanceof ResourceAlreadyExistsException)) throw error;
      });
    await make(this.client.send(new CreateLogGroupCommand({ logGroupName: this.group })));
    await make(this.client.send(new CreateLogStreamCommand({ logGroupName: this.group, logStreamName: this.name })));
    this.ready = true;
  }
}
