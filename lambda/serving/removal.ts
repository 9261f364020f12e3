import { setTimeout as sleep } from 'node:timers/promises';
import type { EndpointClient } from './endpoint.client';
import type { RollbackAlarms } from './rollback-alarms.client';

const POLL_MILLISECONDS = 3_000;

/** Statuses in which SageMaker refuses to delete an endpoint. */
const UNDELETABLE: readonly (string | undefined)[] = ['Creating', 'Updating', 'SystemUpdating', 'RollingBack'];

export interface RemovalOptions {
  /** Milliseconds left for waiting. */
  readonly timeLeft: () => number;
  readonly pollMilliseconds?: number;
}

export interface Removed {
  readonly endpoints: EndpointClient;
  readonly alarms: Pick<RollbackAlarms, 'remove'>;
}

/** Removes an endpoint with every configuration, alarm and model made for it; ends when the endpoint is gone. */
export const removeEndpoint = async (endpointName: string, { endpoints, alarms }: Removed, options: RemovalOptions): Promise<void> => {
  let asked = false;
  for (let live = await endpoints.describe(endpointName); live; live = await endpoints.describe(endpointName)) {
    if (!asked && live.EndpointStatus !== 'Deleting' && !UNDELETABLE.includes(live.EndpointStatus)) {
      await endpoints.deleteEndpoint(endpointName);
      asked = true;
      continue;
    }
    if (options.timeLeft() <= 0) {
      throw new Error(`endpoint ${endpointName} is still ${live.EndpointStatus}: delete it, then delete the stack again`);
    }
    await sleep(options.pollMilliseconds ?? POLL_MILLISECONDS);
  }
  for (const { name } of await endpoints.configsOf(endpointName)) {
    // The configuration names its alarms: it goes last, so that a second try still finds them.
    await alarms.remove(name);
    await endpoints.deleteConfig(name);
  }
  for (const { name } of await endpoints.modelsOf(endpointName)) await endpoints.deleteModel(name);
};
