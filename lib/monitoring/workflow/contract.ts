// Shared by synth time and run time: imports nothing.

/**
 * States of an execution of the monitor. One function (`monitoring/run-monitor`) answers all of them; `action` tells which one:
 *   Plan -> for each window, one after the other: [Profile for each shard] -> Judge -> MonitorRun
 * What passes between states are references and digests, never data. The input of an execution is a MonitorRequest, or from the schedule
 * `{ scheduledTime }`. The answer is a MonitorRun.
 */
export const MONITOR_LIMITS = {
  /** Windows of one execution: all answers together stay below the 256 KB that Step Functions passes on. */
  windows: 100,
  /** Most bytes of one MonitorAnswer as JSON: long lists in it are cut. */
  answerBytes: 2_000,
  /** Sources up to this size are profiled by the judging function itself. */
  smallBytes: 256 * 1024 * 1024,
  /** Sources of one shard; a larger object is a shard of its own. */
  shardBytes: 128 * 1024 * 1024,
  /** Up to this many shards are mapped in the execution itself, more by a distributed map that reads the manifest. */
  inlineShards: 40,
} as const;

/** Names of errors that the state machine matches on. */
export const MONITOR_ERRORS = {
  /** Another execution judges a window of the model at the moment. */
  busy: 'MonitorBusy',
} as const;

/** First state. */
export interface PlanInput {
  readonly action: 'plan';
  /** Input of the execution as it is: a MonitorRequest, with the planned time where the schedule sent it. */
  readonly request: {
    readonly windowStart?: string;
    readonly windowEnd?: string;
    readonly force?: boolean;
    /** Time the schedule planned, ISO 8601: a retry plans the same windows. Takes the place of the clock. */
    readonly scheduledTime?: string;
  };
}

export interface PlanAnswer {
  /** In order of time, at most MONITOR_LIMITS.windows. */
  readonly windows: readonly PlannedWindow[];
  /** Windows that were looked at and had not changed. */
  readonly unchanged: number;
}

/** small: Judge profiles. map: shards are mapped inside the execution. distributed: a distributed map reads the shards from the manifest. */
export type WindowMode = 'small' | 'map' | 'distributed';

export interface PlannedWindow {
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly mode: WindowMode;
  /** Digest of keys and ETags of everything that will be read. */
  readonly sources: string;
  /** Mode map: one for each shard, without their objects. */
  readonly shards?: readonly ShardRef[];
  /** Modes map and distributed: JSON array of ShardRef with their objects, below `monitoringWorkPrefix(model)`. */
  readonly manifest?: { readonly bucket: string; readonly key: string };
}

export interface ShardRef {
  /** Place in the manifest, from 0. */
  readonly shard: number;
  /** Digest of the keys and ETags of its objects, and of the version. */
  readonly digest: string;
  /** Version under whose baseline it is counted; absent where nothing serves. In the manifest always, in mode map left out of the payload. */
  readonly version?: number;
  /** In the manifest always; in mode map left out of the payload, so that it stays small. */
  readonly objects?: readonly { readonly key: string; readonly etag: string; readonly size: number }[];
}

/** Once for each shard; answers `{}`, since the answers of all shards come together in one state. The same shard again writes the same objects. */
export interface ShardInput {
  readonly action: 'profile';
  /** Without `shards`. */
  readonly window: Pick<PlannedWindow, 'windowStart' | 'windowEnd' | 'sources' | 'manifest'>;
  readonly shard: ShardRef;
}

/** Last state of a window; answers MonitorAnswer. */
export interface JudgeInput {
  readonly action: 'judge';
  /** As it was planned; in the modes map and distributed every shard has been profiled. */
  readonly window: PlannedWindow;
}

/** Input of the baseline function, a step of the pipeline. */
export interface BaselineRequest {
  readonly runId: string;
  readonly trainUri: string;
  readonly holdoutUri: string;
  readonly candidateScoresUri: string;
  /** Report of the run's gate, whose permutation importance tells how important a feature is; without one the predictions' variance does. */
  readonly reportUri?: string;
}

export interface BaselineAnswer {
  readonly baselineUri: string;
}
