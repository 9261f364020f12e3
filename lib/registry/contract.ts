// Shared by synth time and run time: imports nothing.

export const REGISTRY_ENV = {
  registryTable: 'MLOPS_REGISTRY_TABLE',
  historyTable: 'MLOPS_HISTORY_TABLE',
} as const;

/**
 * Registry table, keys pk and sk:
 *   NAME#<name>      NAME                      claim of a name: modelId
 *   MODEL#<modelId>  META                      name, owner, nextVersion, last link of the history (sequence, hash, time)
 *   MODEL#<modelId>  VERSION#<7 digits>        one version
 *   MODEL#<modelId>  RUN#<runId>               version that the run registered: one run registers once
 *   MODEL#<modelId>  ALIAS#<alias>             pointer: version, previousVersion, revision, and a copy of the version's record
 * Index `by-digest` (gsi1pk = DIGEST#<sha256>, gsi1sk = <modelId>#<7 digits>) finds versions by their artifact;
 * its partition MODELS (gsi1sk = name) lists the models.
 * History table: pk modelId, sk sequence (10 digits); only added to, each entry carries its predecessor's hash.
 */
export const REGISTRY_KEYS = {
  name: (name: string) => `NAME#${name}`,
  nameSort: 'NAME',
  model: (modelId: string) => `MODEL#${modelId}`,
  meta: 'META',
  version: (version: number) => `VERSION#${String(version).padStart(7, '0')}`,
  versionPrefix: 'VERSION#',
  run: (runId: string) => `RUN#${runId}`,
  sequence: (sequence: number) => String(sequence).padStart(10, '0'),
  models: 'MODELS',
  alias: (alias: string) => `ALIAS#${alias}`,
  digest: (sha256: string) => `DIGEST#${sha256}`,
  digestIndex: 'by-digest',
} as const;

/** The alias that serves. */
export const CHAMPION_ALIAS = 'champion';

export type VersionState = 'Incomplete' | 'PendingApproval' | 'Approved' | 'Rejected' | 'Production' | 'Archived';

/** Which state may follow which. Archived versions come back only through a promotion, which is what a rollback is. */
export const ALLOWED_TRANSITIONS: Readonly<Record<VersionState, readonly VersionState[]>> = {
  Incomplete: ['PendingApproval', 'Rejected', 'Archived'],
  PendingApproval: ['Approved', 'Rejected', 'Archived'],
  Approved: ['Production', 'Rejected', 'Archived'],
  Rejected: ['Archived'],
  Production: ['Archived'],
  Archived: ['Production'],
};

export interface ArtifactRef {
  readonly uri: string;
  readonly versionId?: string;
  readonly sha256: string;
  readonly bytes?: number;
}

export interface CodeRef {
  /** S3 URI of the training and inference code (tar.gz). */
  readonly uri: string;
  readonly sha256: string;
  readonly entryPoint: string;
  readonly commit?: string;
  /** Whether the working tree had changes that `commit` does not hold. */
  readonly dirty?: boolean;
}

/** Columns of a request row, in order: every column of the training data but the target. */
export interface DataSchema {
  readonly columns: readonly { readonly name: string; readonly type: 'number' | 'string' | 'timestamp' }[];
  readonly target: string;
  readonly timeColumn?: string;
}

/** What is recorded about a version; captured by the pipeline, never typed by hand. */
export interface VersionRecord {
  readonly artifact: ArtifactRef;
  readonly dataManifestUri: string;
  readonly dataId: string;
  readonly code: CodeRef;
  /** Image with its tag or digest. */
  readonly image: string;
  readonly hyperparameters: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly schema: DataSchema;
  readonly gate: { readonly passed: boolean; readonly reason: string; readonly reportUri: string };
  readonly baselineUri: string;
  readonly sagemakerModelName: string;
  readonly runId: string;
  readonly causeId: string;
  /** One sentence: why the run that made this version was started. */
  readonly cause: string;
}

export interface ModelVersion extends VersionRecord {
  readonly modelId: string;
  readonly model: string;
  readonly version: number;
  readonly state: VersionState;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface HistoryEntry {
  readonly modelId: string;
  readonly sequence: number;
  readonly at: string;
  readonly actor: string;
  readonly action: 'Registered' | 'Completed' | 'Approved' | 'Rejected' | 'Promoted' | 'Archived' | 'RolledBack';
  readonly version: number;
  readonly fromState?: VersionState;
  readonly toState: VersionState;
  /** Version that served before, where the entry moves the champion pointer. */
  readonly previousChampion?: number;
  readonly reason: string;
  readonly evidenceUri?: string;
  /** SHA-256 of the previous entry; 64 zeros for the first. */
  readonly previousHash: string;
  readonly hash: string;
}

/** Names of errors that callers and state machines match on. */
export const REGISTRY_ERRORS = {
  notFound: 'RegistryNotFound',
  illegalTransition: 'IllegalTransition',
  conflict: 'RegistryConflict',
} as const;
