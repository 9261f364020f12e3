import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchClient, DescribeAlarmHistoryCommand } from '@aws-sdk/client-cloudwatch';
import type { EndpointStatus } from '@aws-sdk/client-sagemaker';
import type { ModelDesk, Tell } from './model-desk';

const POLL_MS = 100;

/** What an onlooker sees of a deployment; times in milliseconds. */
export interface Seen {
  /** The endpoint began to move. */
  began?: number;
  /** Configuration that it moves to. */
  configuration?: string;
  /** The deployment was over, however it ended. */
  ended?: number;
}

/** Looks at the endpoint until told to stop. */
export class DeploymentWatch {
  readonly seen: Seen = {};
  private readonly work: Promise<void>;
  private running = true;

  constructor(
    private readonly desk: ModelDesk,
    private readonly tell: Tell,
  ) {
    this.work = this.look();
    // A failure is told by `stop()`; until then it must not count as unhandled.
    this.work.catch(() => undefined);
  }

  async stop(): Promise<Seen> {
    this.running = false;
    await this.work;
    return this.seen;
  }

  private async look(): Promise<void> {
    let before: EndpointStatus | undefined;
    while (this.running) {
      const { EndpointStatus: status, PendingDeploymentSummary: pending } = await this.desk.endpoint();
      this.seen.configuration ??= pending?.EndpointConfigName;
      if (status !== before) this.note(status);
      before = status;
      await sleep(POLL_MS);
    }
  }

  private note(status: EndpointStatus | undefined): void {
    const { seen } = this;
    if (status === 'Updating') seen.began ??= Date.now();
    if (status === 'InService' && seen.began !== undefined) seen.ended ??= Date.now();
    if (seen.began !== undefined) this.tell(`endpoint: ${status}`);
  }
}

/** When an alarm went off, to the second, and why; its history outlives it. */
export const alarmOf = async (desk: ModelDesk, AlarmName: string): Promise<{ readonly at: number; readonly reason: string } | undefined> => {
  const alarms = new CloudWatchClient(desk.platform.connection);
  const query = new DescribeAlarmHistoryCommand({ AlarmName, HistoryItemType: 'StateUpdate' });
  const { AlarmHistoryItems = [] } = await alarms.send(query);
  const item = AlarmHistoryItems.find(({ HistorySummary = '' }) => HistorySummary.endsWith('to ALARM'));
  if (!item) return undefined;
  const { newState } = JSON.parse(item.HistoryData ?? '{}') as { newState?: { stateReason?: string } };
  return { at: item.Timestamp?.getTime() ?? NaN, reason: newState?.stateReason ?? item.HistorySummary ?? '' };
};
