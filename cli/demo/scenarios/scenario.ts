import type { RunRecord } from '../../../lib/tracking/contract';
import type { Hour } from '../bike-data';
import type { DemoClient } from '../client';
import type { Deployed } from '../deployed';
import type { Stages } from '../stages';
import type { ModelDesk } from './model-desk';
import type { ScenarioName } from './names';

/** What a scenario works with. */
export interface Scene extends Deployed {
  readonly stages: Stages;
  readonly hours: readonly Hour[];
  readonly desk: ModelDesk;
}

/** Something that the story says, and what registry, endpoint or jobs say of it. */
export interface Check {
  readonly expected: string;
  readonly found: string;
  readonly ok: boolean;
}

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly what: string;
}

export interface Outcome {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
  /** Reports that outlive the engine. */
  readonly files: readonly string[];
  /** Requests of clients, over all of the story. */
  readonly requests: { readonly sent: number; readonly failed: number };
}

export interface Scenario {
  readonly name: ScenarioName;
  readonly tell: (scene: Scene) => Promise<Outcome>;
}

/** What `mlops demo --scenario NAME --json FILE` writes; docs/schemas/demo-scenario.schema.json is its schema. */
export interface ScenarioResult extends Outcome {
  readonly schemaVersion: 1;
  readonly scenario: ScenarioName;
  readonly stages: readonly { readonly name: string; readonly seconds: number }[];
  readonly versions: readonly { readonly version: number; readonly state: string; readonly metrics?: Readonly<Record<string, number>> }[];
  /** Version that serves at the end. */
  readonly champion: number | null;
}

/** How a run ended, in a line. */
export const endOf = ({ runId, outcome, status, error }: RunRecord): string =>
  `run ${runId}: ${outcome ?? status}${error ? ` in ${error.step}: ${error.name}: ${error.message}` : ''}`;

/** Every hour that a client asked for was answered. */
export const answered = ({ firstFailure }: DemoClient, hours: readonly Hour[], predictions: readonly number[]): Check => {
  const ok = predictions.length === hours.length && predictions.every(Number.isFinite);
  return check('clients are answered', ok, firstFailure ?? `${predictions.length} predictions for ${hours.length} hours`);
};

export const check = (expected: string, ok: boolean, found: string | number | undefined): Check => ({
  expected,
  ok,
  found: String(found ?? 'nothing'),
});
