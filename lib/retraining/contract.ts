// Shared by synth time and run time: imports nothing.

export const RETRAINING_ENV = {
  busName: 'MLOPS_BUS_NAME',
  governorTable: 'MLOPS_GOVERNOR_TABLE',
  /** JSON of `Record<model, GovernorPolicy>`, see below. */
  policies: 'MLOPS_GOVERNOR_POLICIES',
} as const;

/** `source` of every event that the platform puts on its bus. */
export const EVENT_SOURCE = 'cdk-mlops';

/** `detail-type` of the events on the bus. */
export const EVENTS = {
  /** detail: QualityDegradedDetail */
  qualityDegraded: 'Model Quality Degraded',
  /** detail: DriftDetectedDetail */
  driftDetected: 'Data Drift Detected',
  /** detail: LabelsObservedDetail, from whoever learns the truth. */
  labelsObserved: 'Labels Observed',
  /** detail: GroupGapDetail */
  groupGapDetected: 'Group Gap Detected',
  /** detail: DataQualityViolatedDetail; once for each episode. */
  dataQualityViolated: 'Data Quality Violated',
  /** detail: RetrainRequestedDetail, from a person or program. */
  retrainRequested: 'Retrain Requested',
  /** detail: RetrainScheduledDetail, from a schedule trigger. */
  retrainScheduled: 'Retrain Scheduled',
  /** detail: DecisionRecord; every decision of the governor. */
  retrainDecided: 'Retrain Decided',
  /** detail: { platform, model, windowEnd, verdicts, resultUri } */
  monitorCompleted: 'Monitor Run Completed',
  /** detail: { platform, model, version, runId, state } */
  versionRegistered: 'Model Version Registered',
  /** detail: { platform, model, version, previousVersion?, runId } */
  versionPromoted: 'Model Version Promoted',
  /** detail: { platform, model, version, runId, reason } */
  candidateRejected: 'Candidate Rejected',
  /** detail: { platform, model, version, previousVersion, runId, reason, by }: `by` is a session ARN, or the alarm that did it. */
  versionRolledBack: 'Model Version Rolled Back',
  /** detail: { platform, model, version, runId, endpointName, wanted, found, reason }: the endpoint does not run what it should. */
  releaseFailed: 'Release Failed',
  /** detail: ApprovalRequestedDetail */
  approvalRequested: 'Approval Requested',
  /** detail: { platform, model, version, runId, decision: 'approved' | 'rejected' | 'expired', by: string[], reason } */
  approvalDecided: 'Approval Decided',
  /** detail: { platform, model, runId, executionArn, step, error, message, logsUrl?, billed?, costUsd?, resume } */
  pipelineFailed: 'Training Pipeline Failed',
} as const;

/** Every detail has platform and model; `occurredAt` is event time (ISO 8601) and never in the future. */
export interface EventDetail {
  readonly platform: string;
  readonly model: string;
  readonly occurredAt: string;
}

export interface QualityDegradedDetail extends EventDetail {
  readonly metric: string;
  readonly value: number;
  readonly bound: number;
  readonly version: number;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly evidenceUri: string;
}

export interface DriftDetectedDetail extends EventDetail {
  readonly features: readonly string[];
  readonly version: number;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly evidenceUri: string;
}

export interface LabelsObservedDetail {
  readonly platform: string;
  readonly model: string;
  /** As they are stored; what may be left out of a label file may be left out here. */
  readonly labels: readonly {
    readonly inferenceId: string;
    /** Null takes an earlier label back. */
    readonly value: string | number | null;
    readonly rowIndex?: number;
    readonly observedAt?: string;
    readonly labelVersion?: number;
  }[];
}

export interface ApprovalRequestedDetail extends EventDetail {
  readonly version: number;
  readonly runId: string;
  readonly policy: 'manual' | 'two-person';
  readonly reportUri: string;
  readonly reason: string;
  readonly expiresAt: string;
  /** Whether this is the reminder. */
  readonly reminder: boolean;
}

export interface GroupGapDetail extends EventDetail {
  /** Column that tells the groups. */
  readonly column: string;
  readonly metric: string;
  readonly value: number;
  readonly bound: number;
  /** Groups between which the gap is widest. */
  readonly between: readonly string[];
  readonly version: number;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly evidenceUri: string;
}

export interface DataQualityViolatedDetail extends EventDetail {
  /** Violated constraints as `feature: constraint`, at most 20; those on the data set as a whole without a feature. */
  readonly violations: readonly string[];
  /** Where a version serves. */
  readonly version?: number;
  readonly windowStart: string;
  readonly windowEnd: string;
  readonly evidenceUri: string;
}

export interface RetrainRequestedDetail extends EventDetail {
  readonly reason: string;
  readonly requestedBy: string;
  /** Signature of who asks over REQUEST_TEXT, as STS takes it; without one the run counts as started by nobody. */
  readonly proof?: { readonly authorization: string; readonly date: string; readonly securityToken?: string };
  /** What the run shall do otherwise than the app says. Such a request is refused, not coalesced, while another run is under way. */
  readonly overrides?: {
    readonly dataPrefix?: string;
    readonly dataCommit?: string;
    readonly hyperparameters?: Readonly<Record<string, string>>;
  };
}

/** What somebody signs who asks for a run, so that the governor knows who it was: everything that the request says. */
export const REQUEST_TEXT = ({ platform, model, occurredAt, reason, requestedBy, overrides = {} }: RetrainRequestedDetail): string => {
  const { dataPrefix = null, dataCommit = null, hyperparameters = {} } = overrides;
  const parameters = Object.entries(hyperparameters).sort(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify(['cdk-mlops request 1', platform, model, occurredAt, reason, requestedBy, dataPrefix, dataCommit, parameters]);
};

export interface RetrainScheduledDetail extends EventDetail {
  /** Schedule expression of the trigger. */
  readonly schedule: string;
}

/** Why a retraining is wanted. `kind` with `key` names the rule; two causes of one rule share both. */
export interface RetrainCause {
  /** Hash of model, kind, key and occurredAt: the same cause twice has the same id. */
  readonly causeId: string;
  readonly kind: 'quality' | 'drift' | 'groups' | 'manual' | 'schedule';
  /** Quality: metric. Drift: 'drift'. Groups: 'column:metric'. Manual: who asked. Schedule: the expression. */
  readonly key: string;
  /** One sentence for a person. */
  readonly summary: string;
  readonly occurredAt: string;
  readonly evidenceUri?: string;
  /** Session ARN of the person or program that asked, as AWS told it; absent where a monitor or a schedule did, or nobody signed the request. */
  readonly startedBy?: string;
  /** What the run shall do otherwise than the app says. */
  readonly overrides?: RetrainRequestedDetail['overrides'];
}

export interface GovernorPolicy {
  readonly stateMachineArn: string;
  /** Seconds between the causes (event time) of two retrainings. */
  readonly cooldownSeconds: number;
  /** Seconds after which a lock whose execution is gone may be taken over. */
  readonly leaseSeconds: number;
  /** Drift that touches fewer features is no cause; 1 where absent. */
  readonly minimumDriftedFeatures?: number;
}

/** started: a run began. coalesced: one is running, the cause is attached to it. The others name what stood in the way. */
export type Decision = 'started' | 'coalesced' | 'refused-cooldown' | 'refused-paused' | 'refused-running' | 'duplicate';

export interface DecisionRecord extends EventDetail {
  readonly decision: Decision;
  readonly cause: RetrainCause;
  /** Wall-clock time of the decision. */
  readonly at: string;
  /** Run that was started, or that the cause was attached to. */
  readonly runId?: string;
  /** One sentence: why this decision. */
  readonly reason: string;
}

/**
 * Governor table, keys pk and sk:
 *   MODEL#<model>  STATE                                lock (runId, executionArn, causeId, acquiredAt, leaseUntil), paused, cooldown marks
 *   MODEL#<model>  DECISION#<wall-clock ISO>#<causeId>  DecisionRecord, only added
 *   MODEL#<model>  CAUSE#<causeId>                      first decision on a cause (dedupe) and whether it was announced
 *
 * A cause is claimed first: its CAUSE item and, where a run shall start, the lock are written in one transaction. Then the execution starts under
 * its deterministic name, the decision is added and the event published. A retry finds the claim and goes on from there.
 */
export const GOVERNOR_KEYS = {
  model: (model: string) => `MODEL#${model}`,
  state: 'STATE',
  decision: (at: string, causeId: string) => `DECISION#${at}#${causeId}`,
  decisionPrefix: 'DECISION#',
  cause: (causeId: string) => `CAUSE#${causeId}`,
} as const;
