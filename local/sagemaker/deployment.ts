import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { DeploymentConfig } from '@aws-sdk/client-sagemaker';
import { type Context, waited } from './context';
import type { Plan } from './deployment-policy';
import type { Endpoint } from './endpoint';
import { invalid } from './errors';

const LOOK_MILLISECONDS = 500;
/** However waits are scaled, alarms that watch a deployment are looked at so often in each of them. */
const LEAST_LOOKS = 5;

export const alarmNamesOf = (deployment: DeploymentConfig | undefined): string[] =>
  (deployment?.AutoRollbackConfiguration?.Alarms ?? []).map(({ AlarmName }) => AlarmName!);

/** The alarms that an execution role may see and that exist; anything else is refused before a deployment begins. */
export async function checkAlarms(context: Context, alarmNames: readonly string[], roleArn: string): Promise<void> {
  if (alarmNames.length === 0) return;
  const { region, accountId } = context.options;
  const arns = alarmNames.map((name) => `arn:aws:cloudwatch:${region}:${accountId}:alarm:${name}`);
  const denied = await context.engine.denied(roleArn, 'cloudwatch:DescribeAlarms', arns);
  if (denied) throw invalid(`The execution role ${roleArn} cannot describe the alarms of AutoRollbackConfiguration: ${denied}`);
  const known = new Set((await alarmsOf(context, alarmNames)).map(({ AlarmName }) => AlarmName));
  const missing = alarmNames.filter((name) => !known.has(name));
  if (missing.length > 0) throw invalid(`Could not find CloudWatch alarms ${missing.join(', ')} of AutoRollbackConfiguration`);
}

async function alarmsOf(context: Context, alarmNames: readonly string[]) {
  const { MetricAlarms, CompositeAlarms } = await context.engine.metrics.send(
    new DescribeAlarmsCommand({ AlarmNames: [...alarmNames], AlarmTypes: ['MetricAlarm', 'CompositeAlarm'] }),
  );
  return [...(MetricAlarms ?? []), ...(CompositeAlarms ?? [])];
}

/** One update under its plan: alarms are looked at from its begin to its end, and whatever goes wrong is thrown. */
export class Deployment {
  private readonly began = Date.now();
  /** What waits took less than the request says. */
  private savedMilliseconds = 0;
  private failure?: Error;
  private readonly failing = new AbortController();

  constructor(
    private readonly context: Context,
    private readonly endpoint: Endpoint,
    private readonly plan: Plan,
    private readonly alarmNames: readonly string[],
  ) {}

  /** Makes the deployment go back, whatever it is doing. */
  fail(reason: string): void {
    this.failure ??= new Error(reason);
    this.failing.abort();
  }

  timeOut(): void {
    const { limitSeconds } = this.plan;
    this.fail(`The deployment exceeded MaximumExecutionTimeoutInSeconds${Number.isFinite(limitSeconds) ? ` (${limitSeconds})` : ''}.`);
  }

  async run(start: () => Promise<void>): Promise<void> {
    this.endpoint.say('Creating');
    await this.during(start());
    for (const { share, waitSeconds } of this.plan.steps) {
      this.endpoint.pendingShare = share;
      this.endpoint.say('ActivatingTraffic');
      await this.bake(waitSeconds);
    }
    await this.bake(this.plan.terminationSeconds);
  }

  private async during(work: Promise<void>): Promise<void> {
    let over = false;
    const watching = (async () => {
      while (!over) {
        await this.look();
        await sleep(LOOK_MILLISECONDS, undefined, { ref: false, signal: this.failing.signal }).catch(() => undefined);
      }
    })();
    try {
      await Promise.race([work, watching]);
    } finally {
      over = true;
      // The one that lost the race may still fail, and nobody waits for it then.
      work.catch(() => undefined);
      watching.catch(() => undefined);
    }
    await this.look();
  }

  private async bake(seconds: number): Promise<void> {
    if (seconds > 0) this.endpoint.say('Baking');
    const nominal = seconds * 1000;
    const least = this.alarmNames.length > 0 ? LEAST_LOOKS * LOOK_MILLISECONDS : 0;
    const actual = Math.min(nominal, Math.max(waited(this.context, seconds), least));
    const end = Date.now() + actual;
    for (;;) {
      await this.look();
      const left = end - Date.now();
      if (left <= 0) break;
      await sleep(Math.min(left, LOOK_MILLISECONDS), undefined, { ref: false, signal: this.failing.signal }).catch(() => undefined);
    }
    this.savedMilliseconds += nominal - actual;
  }

  private async look(): Promise<void> {
    if (this.failure) throw this.failure;
    if (Date.now() - this.began + this.savedMilliseconds > this.plan.limitSeconds * 1000) this.timeOut();
    if (this.failure) throw this.failure;
    if (this.alarmNames.length === 0) return;
    // What requests have measured so far counts in this look already.
    await this.context.metrics.flush();
    const alarms = await alarmsOf(this.context, this.alarmNames).catch((error: unknown) => {
      this.context.log(`alarms of a deployment were not readable: ${String(error)}`);
      return [];
    });
    const tripped = alarms.filter(({ StateValue }) => StateValue === 'ALARM').map(({ AlarmName }) => AlarmName);
    if (tripped.length === 0) return;
    throw new Error(`One or more configured alarms (${tripped.join(', ')}) are in ALARM. Deployment was rolled back.`);
  }
}
