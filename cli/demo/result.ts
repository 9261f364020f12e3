import type { DriftVerdict, QualityVerdict } from '../../lib/monitoring/contract';
import type { ModelVersion } from '../../lib/registry/contract';
import type { Decision } from '../../lib/retraining/contract';

/** What `mlops demo --json FILE` writes; docs/schemas/demo.schema.json is its schema. */
export interface DemoResult {
  readonly schemaVersion: 1;
  readonly stages: { readonly name: string; readonly seconds: number }[];
  readonly versions: Pick<ModelVersion, 'version' | 'metrics' | 'state' | 'cause'>[];
  readonly months: MonthResult[];
  readonly governor: { readonly decision: Decision; readonly cause: string; readonly at: string; readonly reason: string }[];
  readonly awsCalls: Readonly<Record<string, number>>;
  readonly endpointRequests: number;
  readonly endpointFailures: number;
  readonly report: string;
}

export interface MonthResult {
  readonly month: string;
  /** Of the answers that clients got. */
  readonly rmse: number;
  readonly rmseOfFirstVersion: number;
  /** The worst verdicts of the windows that ended in the month. */
  readonly verdict: { readonly drift: DriftVerdict; readonly quality: QualityVerdict };
  /** Features that drifted in one of these windows. */
  readonly features: readonly string[];
  /** Version that answered most of the month's rows. */
  readonly servedVersion: number;
}
