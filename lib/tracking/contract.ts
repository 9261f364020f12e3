// Shared by synth time and run time: imports nothing.

export const TRACKING_ENV = { runsTable: 'MLOPS_RUNS_TABLE' } as const;

/**
 * Runs table, keys pk and sk:
 *   RUN#<runId>  META             the run
 *   RUN#<runId>  STEP#<name>      one step (last attempt)
 *   RUN#<runId>  PARAM#<key>      one parameter
 *   RUN#<runId>  METRIC#<key>     latest value of one metric
 * Index `by-model` (gsi1pk = MODEL#<model>, gsi1sk = <start time>#<runId>) lists the runs of a model, newest first.
 */
export const TRACKING_KEYS = {
  run: (runId: string) => `RUN#${runId}`,
  meta: 'META',
  step: (name: string) => `STEP#${name}`,
  param: (key: string) => `PARAM#${key}`,
  metric: (key: string) => `METRIC#${key}`,
  model: (model: string) => `MODEL#${model}`,
  modelIndex: 'by-model',
} as const;

/** MLflow's run statuses. */
export type RunStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'KILLED';

/** How a finished run ended. */
export type RunOutcome = 'promoted' | 'rejected';

export interface RunMeta {
  readonly runId: string;
  readonly model: string;
  readonly status: RunStatus;
  readonly startTime: string;
  readonly endTime?: string;
  readonly executionArn: string;
  readonly causeId: string;
  readonly cause: string;
  readonly outcome?: RunOutcome;
  readonly version?: number;
  readonly error?: { readonly step: string; readonly name: string; readonly message: string };
}

export interface RunStep {
  readonly name: string;
  readonly status: 'RUNNING' | 'FINISHED' | 'FAILED';
  readonly startTime: string;
  readonly endTime?: string;
  readonly inputs?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly error?: string;
}

export interface RunRecord extends RunMeta {
  readonly steps: readonly RunStep[];
  readonly params: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
}

/** Names of errors that callers match on. */
export const TRACKING_ERRORS = {
  notFound: 'RunNotFound',
  /** The run is another one, or has ended in a way that what was asked would contradict. */
  conflict: 'RunConflict',
} as const;
