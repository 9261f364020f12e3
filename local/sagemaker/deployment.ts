import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeAlarmsCommand } from '@aws-sdk/client-cloudwatch';
import type { CapacitySize, DeploymentConfig } from '@aws-sdk/client-sagemaker';
import { type Context, scaled } from './context';
import type { Endpoint } from './endpoints';

/** Moves traffic to the pending fleet as the blue/green policy says; throws, and so rolls back, where an alarm of the policy is in ALARM. */
export async function shift(context: Context, endpoint: Endpoint, deployment: DeploymentConfig | undefined): Promise<void> {
  const routing = deployment?.BlueGreenUpdatePolicy?.TrafficRoutingConfiguration;
  const alarms = (deployment?.AutoRollbackConfiguration?.Alarms ?? []).map(({ AlarmName }) => AlarmName!);
  const steps = [...shares(routing, endpoint), 1];
  for (const [index, share] of steps.entries()) {
    endpoint.pendingShare = share;
    endpoint.modified = new Date();
    const last = index === steps.length - 1;
    const wait = last && !alarms.length ? 0 : (routing?.WaitIntervalInSeconds ?? 0);
    await bake(context, alarms, scaled(context, wait));
  }
  await bake(context, alarms, scaled(context, deployment?.BlueGreenUpdatePolicy?.TerminationWaitInSeconds ?? 0));
}

type Routing = NonNullable<DeploymentConfig['BlueGreenUpdatePolicy']>['TrafficRoutingConfiguration'];

function shares(routing: Routing, endpoint: Endpoint): number[] {
  const instances = endpoint.live!.variants.reduce((sum, { count }) => sum + (count ?? 1), 0);
  const shareOf = (size: CapacitySize | undefined) => (size?.Type === 'INSTANCE_COUNT' ? size.Value! / instances : (size?.Value ?? 10) / 100);
  if (routing?.Type === 'CANARY') return [shareOf(routing.CanarySize)];
  if (routing?.Type !== 'LINEAR') return [];
  const step = shareOf(routing.LinearStepSize);
  return Array.from({ length: Math.max(0, Math.ceil(1 / step) - 1) }, (_, index) => step * (index + 1));
}

async function bake(context: Context, alarms: readonly string[], milliseconds: number): Promise<void> {
  const end = Date.now() + milliseconds;
  for (;;) {
    await refuseAlarmed(context, alarms);
    const left = end - Date.now();
    if (left <= 0) return;
    await sleep(Math.min(left, 1000), undefined, { ref: false });
  }
}

async function refuseAlarmed(context: Context, alarms: readonly string[]): Promise<void> {
  if (alarms.length === 0) return;
  const { MetricAlarms, CompositeAlarms } = await context.engine.metrics.send(new DescribeAlarmsCommand({ AlarmNames: [...alarms] }));
  const tripped = [...(MetricAlarms ?? []), ...(CompositeAlarms ?? [])].filter(({ StateValue }) => StateValue === 'ALARM');
  if (tripped.length === 0) return;
  const names = tripped.map(({ AlarmName }) => AlarmName).join(', ');
  throw new Error(`One or more configured alarms (${names}) are in ALARM. Deployment was rolled back.`);
}
