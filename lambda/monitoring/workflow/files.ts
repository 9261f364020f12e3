import type { Episode } from '../../../lib/monitoring/contract';
import type { TrendPoint } from '../report/types';

/** What a window leaves for the runs after it, beside its result. */
export const FILES = {
  /** JSON of ReadRange[]: what is known of the objects that were looked at. */
  objects: 'objects.json.gz',
  /** WindowMemory */
  memory: 'memory.json',
  violations: 'constraint_violations.json',
} as const;

/** Small: later runs read it for many windows. */
export interface WindowMemory {
  readonly version?: number;
  /** Run whose baseline the window was counted under. */
  readonly runId?: string;
  /** Digests of the capture and label objects that the result was made from. */
  readonly captures: string;
  readonly labels: string;
  readonly episodes: readonly Episode[];
  readonly trend: TrendPoint;
}
