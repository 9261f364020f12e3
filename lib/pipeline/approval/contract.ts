// Shared by synth time and run time: imports nothing.

/** Environment of the functions of approval. */
export const APPROVAL_ENV = {
  table: 'MLOPS_APPROVALS_TABLE',
} as const;

/**
 * Table of approvals, keys pk and sk:
 *   MODEL#<model>  VERSION#<7 digits>#<3 digits>  one question to persons: a version in one round of judgement
 * Index `open` (gsi1pk = OPEN, gsi1sk = expiresAt) holds those about which something is still to be done.
 */
export const APPROVAL_KEYS = {
  model: (model: string) => `MODEL#${model}`,
  version: (version: number) => `VERSION#${String(version).padStart(7, '0')}#`,
  question: (version: number, round: number) => `VERSION#${String(version).padStart(7, '0')}#${String(round).padStart(3, '0')}`,
  openIndex: 'open',
  open: 'OPEN',
} as const;

/** Payload of the step that asks persons; the step waits for the task token. */
export interface ApprovalRequest {
  readonly model: string;
  readonly version: number;
  readonly runId: string;
  readonly round: number;
  readonly cause: string;
  /** The gate's sentence. */
  readonly reason: string;
  readonly reportUri: string;
  readonly policy: 'manual' | 'two-person';
  readonly expirySeconds: number;
  readonly reminderSeconds?: number;
  readonly approverRoles?: readonly string[];
  /** Input of the execution, for who started it. */
  readonly request: { readonly startedBy?: string };
  readonly executionArn: string;
  /** When the state was entered, ISO 8601. */
  readonly enteredAt: string;
  readonly taskToken: string;
}

/** What the step that asks persons answers when they have approved. */
export interface ApprovalAnswer {
  readonly version: number;
  readonly approvedBy: readonly string[];
}

/** A question to persons, as the function that decides tells it. */
export interface PendingApproval {
  readonly model: string;
  readonly version: number;
  /** Names the question: another judgement of the same version is another question. */
  readonly question: string;
  readonly runId: string;
  readonly policy: 'manual' | 'two-person';
  readonly cause: string;
  readonly reason: string;
  readonly reportUri: string;
  /** Session ARN of who started the run, null where nobody did. */
  readonly startedBy: string | null;
  readonly approvedBy: readonly string[];
  readonly requestedAt: string;
  readonly expiresAt: string;
}

/** What a person signs when deciding: the headers of a request to STS (GetCallerIdentity) that carries the digest of the decision. */
export interface CallerProof {
  readonly authorization: string;
  readonly date: string;
  readonly securityToken?: string;
}

/** What the function that decides answers: a refusal is an answer with its name, so that the function's errors are faults alone. */
export type ApprovalReply =
  | { readonly ok: true; readonly value: ApprovalOutcome | readonly PendingApproval[] }
  | { readonly ok: false; readonly name: string; readonly message: string };

/** Payload of the function that decides. */
export type ApprovalCall =
  | { readonly action: 'list'; readonly model?: string; readonly version?: number }
  | {
      readonly action: 'decide';
      readonly model: string;
      readonly version: number;
      readonly question: string;
      readonly decision: 'approve' | 'reject';
      readonly reason: string;
      readonly proof: CallerProof;
    };

/** What became of a decision; waiting: another person has to approve too. */
export interface ApprovalOutcome {
  readonly model: string;
  readonly version: number;
  readonly outcome: 'approved' | 'rejected' | 'waiting';
  /** Session ARN of the caller as AWS told it. */
  readonly by: string;
  readonly approvedBy: readonly string[];
}

/** Header of the signed request that carries the digest, and the text that the digest is of. */
export const PROOF_HEADER = 'x-mlops-decision';
export const PROOF_TEXT = (functionName: string, model: string, version: number, question: string, decision: string, reason: string): string =>
  JSON.stringify(['cdk-mlops approval 1', functionName, model, version, question, decision, reason]);

/** Names of errors of the function that decides. */
export const APPROVAL_ERRORS = {
  /** Nobody is asked about the version, or not any more; the message says what became of it. */
  notPending: 'ApprovalNotPending',
  /** The caller's proof does not hold. */
  notProven: 'ApprovalNotProven',
  /** The caller's role is none of the approvers. */
  notApprover: 'ApprovalNotAllowed',
} as const;
