import { MONITOR_ERRORS } from '../../../lib/monitoring/workflow/contract';
import { NamedError } from '../../common/errors';
import type { MonitorClient } from '../monitor.client';

/** Longer than the function may run (15 minutes): whoever holds a claim for longer is gone. */
const HELD = 16 * 60_000;

/**
 * Judges of a model one at a time, whichever executions they belong to: each finds what the ones before it left, and never half of it. While another
 * is at work it fails with MONITOR_ERRORS.busy, which the state machine tries again.
 */
export async function exclusively<T>(client: MonitorClient, now: () => number, work: () => Promise<T>): Promise<T> {
  const claim = await client.claim(now(), now() + HELD);
  if (claim === undefined) {
    throw new NamedError(MONITOR_ERRORS.busy, 'another execution judges a window of this model: windows are judged one at a time');
  }
  try {
    return await work();
  } finally {
    // A claim that could not be given back ends by itself; what was judged stands.
    await client.release(claim).catch(() => undefined);
  }
}
