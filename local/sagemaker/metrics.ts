import { type CloudWatchClient, type MetricDatum, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { messageOf } from './errors';

const FLUSH_MILLISECONDS = 1000;
const BATCH = 500;

export type Measured = Record<string, [number, MetricDatum['Unit']]>;

/** The service's own metrics: collected while requests run, sent about once a second, never waited for. */
export class Metrics {
  private readonly pending = new Map<string, MetricDatum[]>();
  private timer?: NodeJS.Timeout;
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly client: CloudWatchClient,
    private readonly complain: (line: string) => void,
  ) {}

  put(namespace: string, dimensions: Record<string, string>, values: Measured): void {
    const Dimensions = Object.entries(dimensions).map(([Name, Value]) => ({ Name, Value }));
    const Timestamp = new Date();
    const list = this.pending.get(namespace) ?? [];
    for (const [MetricName, [Value, Unit]] of Object.entries(values)) list.push({ MetricName, Dimensions, Timestamp, Value, Unit });
    this.pending.set(namespace, list);
    this.timer ??= setTimeout(() => void this.flush(), FLUSH_MILLISECONDS);
  }

  flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const batches = [...this.pending];
    this.pending.clear();
    this.sending = this.sending.then(() => this.send(batches));
    return this.sending;
  }

  private async send(batches: Array<[string, MetricDatum[]]>): Promise<void> {
    for (const [Namespace, data] of batches) {
      for (let at = 0; at < data.length; at += BATCH) {
        try {
          await this.client.send(new PutMetricDataCommand({ Namespace, MetricData: data.slice(at, at + BATCH) }));
        } catch (error) {
          this.complain(`metrics of ${Namespace} were lost: ${messageOf(error)}`);
        }
      }
    }
  }
}
