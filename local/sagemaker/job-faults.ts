import type { FaultEffect } from '../faults';
import { ServiceError } from './errors';

/** What a fault rule does to the work that a request starts. */
export interface JobFault {
  readonly kind: Exclude<FaultEffect['kind'], 'error'>;
  readonly afterSeconds: number;
  readonly afterCheckpoint?: boolean;
}

/** Decisions of the plug-in come with the request; errors never get this far. */
export function jobFaultOf(header: string | undefined): JobFault | undefined {
  if (!header) return undefined;
  const effect = JSON.parse(header) as FaultEffect;
  if (effect.kind === 'error') throw new ServiceError(effect.error!, effect.message!, effect.status ?? 400);
  return { kind: effect.kind, afterSeconds: effect.afterSeconds ?? 0, ...(effect.afterCheckpoint && { afterCheckpoint: true }) };
}

/**
 * Lets the fault strike after its time; the answer takes it back. A kind without an entry does nothing here, nor does a fault that waits for the
 * first checkpoint of a job that has none.
 */
export function strike(
  fault: JobFault | undefined,
  effects: Partial<Record<JobFault['kind'], () => void>>,
  firstCheckpoint?: Promise<unknown>,
): () => void {
  const effect = fault && effects[fault.kind];
  if (!fault || !effect) return () => undefined;
  let timer: NodeJS.Timeout | undefined;
  let over = false;
  const begin = () => {
    if (over) return;
    if (fault.afterSeconds === 0) effect();
    else timer = setTimeout(effect, fault.afterSeconds * 1000);
  };
  if (fault.afterCheckpoint) void firstCheckpoint?.then(begin);
  else begin();
  return () => {
    over = true;
    clearTimeout(timer);
  };
}
