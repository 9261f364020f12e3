import { setTimeout as sleep } from 'node:timers/promises';
import type { DescribeEndpointCommandOutput } from '@aws-sdk/client-sagemaker';
import type { EndpointClient } from './endpoint.client';
import type { RollbackAlarms } from './rollback-alarms.client';

/** CloudWatch sets an alarm right that was tripped by hand, within a minute; until the deployment has seen it, it is tripped again. */
const PATIENCE_MILLISECONDS = 75_000;
const POLL_MILLISECONDS = 500;
const REASON = 'somebody rolled back while the deployment was under way';

/** Whether a change that the endpoint is busy with ends at the wanted configuration. */
export const isOnItsWay = (live: DescribeEndpointCommandOutput, wanted: string): boolean => {
  if (live.EndpointStatus === 'RollingBack') return live.EndpointConfigName === wanted;
  const pending = live.PendingDeploymentSummary?.EndpointConfigName;
  return pending ? pending === wanted : live.EndpointConfigName === wanted;
};

/** Makes a deployment to another configuration than the wanted one go back at once, by its own rollback alarm; answers the endpoint as it is then. */
export const turnRound = async (
  found: DescribeEndpointCommandOutput,
  wanted: string,
  { endpoints, alarms }: { readonly endpoints: EndpointClient; readonly alarms: RollbackAlarms },
  patienceMilliseconds = PATIENCE_MILLISECONDS,
): Promise<DescribeEndpointCommandOutput | undefined> => {
  const deadline = Date.now() + patienceMilliseconds;
  let live: DescribeEndpointCommandOutput | undefined = found;
  while (live?.EndpointStatus === 'Updating' && !isOnItsWay(live, wanted) && Date.now() < deadline) {
    const away = live.PendingDeploymentSummary?.EndpointConfigName ?? '';
    // Without an alarm of its own it cannot be turned: it has to end first.
    if (!(await alarms.trip(away, REASON))) return live;
    await sleep(POLL_MILLISECONDS);
    live = await endpoints.describe(found.EndpointName ?? '');
  }
  return live;
};
