// Shared by synth time and run time: imports nothing.

export const REGISTRY_ENV = {
  registryTable: 'MLOPS_REGISTRY_TABLE',
  historyTable: 'MLOPS_HISTORY_TABLE',
  /** Function through which everything else changes the registry: the one writer of the history. */
  writerFunction: 'MLOPS_REGISTRY_WRITER',
  /** Bucket with the locked copies of the history; only where there is one. */
  lockBucket: 'MLOPS_HISTORY_LOCK_BUCKET',
} as const;

/**
 * Registry table, keys pk and sk:
 *   MODELS           <name>               the model of that name: claim, list entry, aliases, next version, last link of the history; a name that was
 *                                         given up keeps its item, marked as free
 *   MODEL#<modelId>  META                 the name that the model has now
 *   MODEL#<modelId>  VERSION#<7 digits>   one version; a deleted one leaves a tombstone
 *   MODEL#<modelId>  RUN#<runId>          version that the pipeline's run registered: one run registers once
 *   MODEL#<modelId>  TAG#<owner>#<key>    value of a tag (or, without a key, the description) that its owner's item has no room for
 *   RUN#<runId>      <modelId>#<7 digits> versions that came from a run
 *   TAG#<digest>     <modelId>#<7 digits> versions with that tag, <modelId> alone for models; the digest is over key and value, which may be long.
 *                                         What lost the tag keeps its item: readers look at the version itself
 *   CHAMPIONS        <name>               copy of the version that the alias `champion` names, so that one read tells what serves
 *   MODEL#<modelId>  SERVED#<time>#<10 digits> which version `champion` named from then on
 * Index `by-digest` (gsi1pk = DIGEST#<sha256>, gsi1sk = <modelId>#<7 digits>) finds versions by their artifact.
 * History table: pk modelId, sk sequence (10 digits); only added to, each entry carries its predecessor's hash.
 */
export const REGISTRY_KEYS = {
  models: 'MODELS',
  model: (modelId: string) => `MODEL#${modelId}`,
  meta: 'META',
  version: (version: number) => `VERSION#${String(version).padStart(7, '0')}`,
  versionPrefix: 'VERSION#',
  run: (runId: string) => `RUN#${runId}`,
  tag: (digest: string) => `TAG#${digest}`,
  label: (owner: string, key: string) => `TAG#${owner}#${key}`,
  champions: 'CHAMPIONS',
  served: (at: string, sequence: number) => `SERVED#${at}#${String(sequence).padStart(10, '0')}`,
  servedPrefix: 'SERVED#',
  reference: (modelId: string, version?: number) => (version === undefined ? modelId : `${modelId}#${String(version).padStart(7, '0')}`),
  sequence: (sequence: number) => String(sequence).padStart(10, '0'),
  digest: (sha256: string) => `DIGEST#${sha256}`,
  digestIndex: 'by-digest',
} as const;

/**
 * Keys of the locked copies of the history: an object per entry as it was written, named by the digest of what it says, so that another entry in
 * its place is another object.
 */
export const LOCK_KEYS = {
  root: 'history/',
  model: (modelId: string) => `history/${modelId}/`,
  entry: (modelId: string, sequence: number, hash: string) => `history/${modelId}/${String(sequence).padStart(10, '0')}-${hash}.json`,
} as const;

/** The alias that serves. */
export const CHAMPION_ALIAS = 'champion';

export type VersionState = 'Incomplete' | 'PendingApproval' | 'Approved' | 'Rejected' | 'Production' | 'Archived';

/** Which state may follow which. Archived versions come back only through a promotion, which is what a rollback is. */
export const ALLOWED_TRANSITIONS: Readonly<Record<VersionState, readonly VersionState[]>> = {
  Incomplete: ['PendingApproval', 'Rejected', 'Archived'],
  PendingApproval: ['Approved', 'Rejected', 'Archived'],
  /** Back to waiting where the version was judged once more: the approval was for another report. */
  Approved: ['PendingApproval', 'Production', 'Rejected', 'Archived'],
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

/** The same model as files that MLflow loads (`MLmodel` at the top), beside the archive that SageMaker serves. */
export interface UnpackedModel {
  /** S3 URI of the directory. */
  readonly uri: string;
  /** SHA-256 over the sorted list of the archive and all files, each with its own SHA-256: one digest for both forms. */
  readonly sha256: string;
  readonly files: number;
}

export interface CodeRef {
  /** S3 URI of the code (tar.gz). */
  readonly uri: string;
  readonly sha256: string;
  readonly entryPoint: string;
  readonly commit?: string;
  /** Whether the working tree had changes that `commit` does not hold. */
  readonly dirty?: boolean;
}

/** What the code needs to run: the packages of the training container, and what the code brings on top. */
export interface DependencyLock {
  /** S3 URI of the list (`name==version` per line). */
  readonly uri: string;
  readonly sha256: string;
  /** Where the list comes from: `requirements.txt` of the code, or the image, whose digest then fixes it. */
  readonly origin: 'requirements' | 'image';
  /** Lines that leave the version open, so that another day they may mean another package; absent where there are none. */
  readonly open?: readonly string[];
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
  readonly unpacked?: UnpackedModel;
  readonly dataManifestUri: string;
  readonly dataId: string;
  readonly code: CodeRef;
  /** Code that answers requests; the training code where one script does both. */
  readonly inferenceCode: CodeRef;
  readonly dependencies: DependencyLock;
  /** Image with its tag or digest. */
  readonly image: string;
  /** `sha256:…` of the image that was run, where the registry of images tells it. */
  readonly imageDigest?: string;
  /** The model's settings at the time of the run: task, holdout, gate, training, as the app stated them. */
  readonly configuration: { readonly uri: string; readonly sha256: string };
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

/** Items of a record without which a version of a pipeline's model must not serve, with the requirement that each one answers. */
export const REQUIRED_ITEMS = [
  'artifact',
  'dataManifestUri',
  'dataId',
  'code',
  'inferenceCode',
  'dependencies',
  'image',
  'configuration',
  'hyperparameters',
  'metrics',
  'schema',
  'runId',
] as const satisfies readonly (keyof VersionRecord)[];

/** MLflow's stages, older than aliases and still asked for by its clients. */
export type Stage = 'None' | 'Staging' | 'Production' | 'Archived';

/** A model. Times are ISO 8601. */
export interface RegisteredModel {
  /** Never changes and is never used again, whatever becomes of the name. */
  readonly modelId: string;
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly tags: Readonly<Record<string, string>>;
  /** Version of each alias. */
  readonly aliases: Readonly<Record<string, number>>;
  /** Whether a pipeline makes its versions: then `champion` is what serves and moves only through gate, approval and promotion. */
  readonly managed: boolean;
  readonly rules?: readonly VersionRule[];
  /** Newest version of each stage. */
  readonly latest: Readonly<Partial<Record<Stage, number>>>;
  /** Ids of models that had the name before and were deleted, newest first, 20 at most: their histories are still there. */
  readonly formerIds: readonly string[];
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What a version must have before it reaches a state. */
export interface VersionRule {
  readonly state: VersionState;
  /** Whether a person, or a program with a session of its own, must take the step: no policy. */
  readonly person?: boolean;
  /**
   * Whether another person must take this step than the one who took the step before. For Approved: than the one who started the run; where
   * nobody did, two persons must approve.
   */
  readonly twoPerson?: boolean;
  /** Whether the step must name evidence (a URI). */
  readonly evidence?: boolean;
}

/** A version; what of its record lacks is named in `missing`. Times are ISO 8601. */
export interface ModelVersion extends Partial<VersionRecord> {
  readonly modelId: string;
  readonly model: string;
  readonly version: number;
  readonly state: VersionState;
  /** Items of REQUIRED_ITEMS that the record lacks. */
  readonly missing: readonly string[];
  /** Where the files are that MLflow loads: an `s3://` directory, or `models:/m-…` for a logged model. */
  readonly source: string;
  readonly description?: string;
  readonly runLink?: string;
  /** Logged model of MLflow 3 that the version came from. */
  readonly loggedModelId?: string;
  readonly stage: Stage;
  readonly tags: Readonly<Record<string, string>>;
  readonly aliases: readonly string[];
  readonly approval?: VersionApproval;
  readonly createdBy?: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

/** What persons are, or were last, asked to decide about a version. */
export interface VersionApproval {
  /** Judgement that they are asked about: 0, or how often another champion was found before the release. */
  readonly round: number;
  /** Session ARN of who started the run; null where a schedule, a monitor or a rule did. */
  readonly startedBy: string | null;
  /** Report of the judgement. */
  readonly reportUri?: string;
  /** Who has approved so far. */
  readonly approvedBy: readonly string[];
  /** The step that ended the question. */
  readonly decided?: { readonly by: string; readonly reason: string };
}

/** A version whose record a pipeline has captured. */
export type RecordedVersion = ModelVersion & VersionRecord;

export interface HistoryEntry {
  readonly modelId: string;
  readonly sequence: number;
  readonly at: string;
  readonly actor: string;
  readonly action:
    | 'Created'
    | 'Renamed'
    | 'Deleted'
    | 'OwnerChanged'
    | 'RulesChanged'
    /** A pipeline took over a model that somebody had made by hand. */
    | 'Adopted'
    | 'Described'
    | 'TagSet'
    | 'TagDeleted'
    | 'Registered'
    | 'Completed'
    /** A person is asked to approve; a version that was judged once more waits again. */
    | 'ApprovalRequested'
    /** One person approved where two have to. */
    | 'Endorsed'
    | 'Approved'
    | 'Rejected'
    | 'Promoted'
    | 'Archived'
    | 'RolledBack'
    | 'VersionDeleted'
    | 'AliasSet'
    | 'AliasDeleted'
    | 'StageChanged';
  /** Absent where the entry is about the model as a whole. */
  readonly version?: number;
  readonly fromState?: VersionState;
  readonly toState?: VersionState;
  /** Version that served before, where the entry moves the champion pointer. */
  readonly previousChampion?: number;
  /** What changed besides states: alias, stage, tag or name, before and after; long texts stand as their digest. */
  readonly change?: { readonly what: string; readonly from?: string; readonly to?: string };
  readonly reason: string;
  readonly evidenceUri?: string;
  /** Of a registration: SHA-256 over what was registered, so that a record that was changed later shows. */
  readonly recordSha256?: string;
  /** SHA-256 of the previous entry; 64 zeros for the first. */
  readonly previousHash: string;
  readonly hash: string;
}

/** Names of errors that callers and state machines match on. */
export const REGISTRY_ERRORS = {
  notFound: 'RegistryNotFound',
  illegalTransition: 'IllegalTransition',
  conflict: 'RegistryConflict',
  /** The name is taken. */
  exists: 'RegistryAlreadyExists',
  /** A rule of the model forbids it; the message names the rule. */
  forbidden: 'RegistryForbidden',
  /** The record lacks items; the message names each. */
  incomplete: 'VersionIncomplete',
  /** The value is not allowed. */
  invalid: 'RegistryInvalid',
} as const;
