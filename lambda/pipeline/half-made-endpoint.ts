import { setTimeout as sleep } from 'node:timers/promises';
import type { EndpointClient } from '../serving/endpoint.client';

export interface HalfMade {
  readonly endpointName: string;
  /** Start of the execution: what is older was not made by it. */
  readonly since: Date;
  /** Whether the request that makes the endpoint may still be under way, although the execution has ended. */
  readonly mayStillCome: boolean;
}

export interface HalfMadePorts {
  readonly endpoints: Pick<EndpointClient, 'describe' | 'deleteEndpoint'>;
  /** Whether the run has gone on by a redrive, which then answers for the endpoint. */
  readonly isRedriven: () => Promise<boolean>;
  /** Milliseconds left for waiting. */
  readonly timeLeft: () => number;
  readonly pollMilliseconds?: number;
}

const POLL_MILLISECONDS = 5_000;

/**
 * Removes the endpoint that a run had begun to make when it ended: one that has failed, or that was still being created, which SageMaker lets nobody
 * delete before that is over. One that was there before the run, or was in service when the run ended, is left as it is: a redrive needs it. Answers
 * whether it removed one.
 */
export const removeHalfMade = async (ports: HalfMadePorts, { endpointName, since, mayStillCome }: HalfMade): Promise<boolean> => {
  const { endpoints, isRedriven, timeLeft, pollMilliseconds = POLL_MILLISECONDS } = ports;
  let configuration: string | undefined;
  let looks = mayStillCome ? 2 : 1;
  for (;;) {
    const live = await endpoints.describe(endpointName);
    const { EndpointStatus: status, EndpointConfigName: name, CreationTime: created } = live ?? {};
    if (!live) {
      looks -= 1;
      if (looks === 0 || configuration !== undefined) return false;
    } else if (!created || created.getTime() < Math.floor(since.getTime() / 1000) * 1000) {
      return false;
    } else if (status === 'Failed' || (status === 'InService' && configuration !== undefined && configuration === name)) {
      // In service now means: it was being created when the run had ended already, and no version was promoted for it.
      if (await isRedriven()) return false;
      await endpoints.deleteEndpoint(endpointName);
      return true;
    } else if (status === 'Creating') {
      configuration = name;
    } else {
      return false;
    }
    if (await isRedriven()) return false;
    if (timeLeft() <= pollMilliseconds) throw new Error(`endpoint ${endpointName} is still ${status}: it is removed as soon as SageMaker allows it`);
    await sleep(pollMilliseconds);
  }
};
